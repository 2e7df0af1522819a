"""Conditions and expressions of activities: parsed, checked against what comes in, and turned into relations.

Invariant: a fault of a condition is noted with its place, and the activity goes on with all rows or a null, so that the
faults behind it are found too. A value of a parameter is bound as a literal, and never becomes a part of a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import ibis

from symbolon.errors import DefinitionError
from symbolon.targeting.conditions import (
    ConditionError,
    compile_condition,
    compile_expression,
    parse_condition,
    parse_expression,
    parse_order,
)
from symbolon.targeting.parameters import shown
from symbolon.targeting.scope import LINKED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from symbolon.targeting.conditions import Scope

    NoteFault = Callable[..., None]

_PARAMETER = re.compile(r"\$\{([^{}]*)\}")


class Rules:
    """Turns the texts of one activity into relations.

    Args:
        scope: what they may ask for.
        parameters: of the run.
        fault: notes a fault: path, message, hint, `line=`, `column=`.
    """

    def __init__(self, scope: Scope, parameters: Mapping[str, Any], fault: NoteFault) -> None:
        self._scope = scope
        self._parameters = parameters
        self._fault = fault

    def condition(self, text: str, table: ibis.Table, path: str) -> ibis.Table:
        """Give the rows of a table for which a condition is true."""
        linked = LINKED if "profile_id" in table.columns else {}
        try:
            condition = parse_condition(text, table.schema(), linked=linked, parameters=self._parameters)
            return compile_condition(condition, table, self._scope)
        except ConditionError as error:
            self._told(error, path)
        except DefinitionError as error:  # an audience that it names
            self._fault(path, error.summary, error.hint)
        return table

    def expression(self, text: str, table: ibis.Table, path: str) -> ibis.Value:
        """Give the value of an expression."""
        try:
            parsed = parse_expression(text, table.schema(), parameters=self._parameters)
            value: ibis.Value = compile_expression(parsed, table, self._scope)
            return value  # noqa: TRY300
        except ConditionError as error:
            self._told(error, path)
            return ibis.null("string")

    def ordering(self, text: str, table: ibis.Table, path: str) -> list[ibis.Value]:
        """Give sort keys."""
        try:
            keys = parse_order(text, table.schema(), parameters=self._parameters)
        except ConditionError as error:
            self._told(error, path)
            return []
        found: list[Any] = []
        for key in keys:
            value = compile_expression(key.expression, table, self._scope)
            order = ibis.desc if key.descending else ibis.asc
            found.append(order(value, nulls_first=key.nulls_first))
        return found

    def text(self, template: str, path: str) -> str:
        """Fill the parameters of a name."""
        return _PARAMETER.sub(lambda found: shown(self._parameter(found[1], path)), template)

    def _parameter(self, name: str, path: str) -> Any:
        if name not in self._parameters:
            known = ", ".join(f"`{one}`" for one in sorted(self._parameters)) or "none is declared"
            self._fault(path, f"there is no parameter `{name[:64]}`", f"known: {known}")
            return None
        return self._parameters[name]

    def _told(self, error: ConditionError, path: str) -> None:
        for one in error.faults:
            self._fault(path, one.message, one.hint, line=one.line, column=one.column)
