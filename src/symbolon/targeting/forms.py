"""A condition over profiles in its two forms: SQL text, and the tree of rules as JSON.

Invariant: nothing is lost either way: text -> tree -> text gives the canonical text, tree -> text -> tree the same
tree. Nothing is computed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from symbolon.targeting.conditions import (
    Condition,
    ConditionError,
    Fault,
    condition_from_tree,
    condition_to_tree,
    parse_condition,
)
from symbolon.targeting.scope import LINKED

if TYPE_CHECKING:
    from symbolon.profiles import Profiles
    from symbolon.targeting.publishing import Library


class Conditions:
    """Reads conditions over the profiles of a project."""

    def __init__(self, *, profiles: Profiles, library: Library) -> None:
        self._profiles = profiles
        self._library = library

    def read(self, text: str) -> Condition:
        """Read and check a text.

        Raises:
            ConditionError: with every fault, each with line, column and mend.
        """
        return parse_condition(text, self._profiles.current().schema(), linked=LINKED)

    def check(self, text: str) -> Condition:
        """Read and check a text, and whether there are the audiences that it asks for.

        Raises:
            ConditionError: with every fault, each with line, column and mend.
            UnknownNameError: there is no such audience.
        """
        condition = self.read(text)
        for name in sorted(condition.audiences):
            self._library.audience(name)
        return condition

    def tree(self, text: str) -> dict[str, Any]:
        """Give the tree of rules of a text. Raises as `read`."""
        return condition_to_tree(self.read(text))

    def from_json(self, text: str) -> Condition:
        """Read and check a tree of rules.

        Args:
            text: its JSON.

        Raises:
            ConditionError: it is no JSON (with line and column), or with every fault (with the path of its rule).
        """
        try:
            tree = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        except json.JSONDecodeError as error:
            raise ConditionError.of([Fault(f"this is no JSON: {error.msg}", error.lineno, error.colno)]) from None
        except RecursionError:
            raise ConditionError.of([Fault("this is nested too deep", 1, 1, "take it apart")]) from None
        if not isinstance(tree, dict):
            raise ConditionError.of([Fault("this is no rule", 1, 1, _SHAPE, "$")])
        return condition_from_tree(tree, self._profiles.current().schema(), linked=LINKED)


_SHAPE = '{"combinator": "and", "rules": [...]}'


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands there twice: one of the two would be lost in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ConditionError.of([Fault(f'"{double[:64]}" stands twice in one rule', 1, 1, "keep one of them")])
    return found


def _constant(name: str) -> Any:
    raise ConditionError.of([Fault(f"{name} is no value of JSON", 1, 1, "a number, or null")])
