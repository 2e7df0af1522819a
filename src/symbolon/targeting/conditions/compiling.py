"""From a condition to relations and values of Ibis, the same on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis

    from symbolon.targeting.conditions.condition import Condition, Expression, Scope


def compile_condition(condition: Condition, table: ibis.Table, scope: Scope) -> ibis.Table:
    """Give the rows for which a condition is true."""
    raise NotImplementedError


def compile_expression(expression: Expression, table: ibis.Table, scope: Scope) -> ibis.Value:
    """Give the value of an expression for each row."""
    raise NotImplementedError
