"""The same condition as a tree of rules, as the rule builder of the pages shows and changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.conditions.condition import Condition
    from symbolon.targeting.conditions.language import Columns


def condition_from_tree(
    tree: Mapping[str, Any], schema: Columns, *, linked: Mapping[str, Columns] | None = None
) -> Condition:
    """Read a tree of rules."""
    raise NotImplementedError


def condition_to_tree(condition: Condition) -> dict[str, Any]:
    """Write a condition as a tree of rules."""
    raise NotImplementedError
