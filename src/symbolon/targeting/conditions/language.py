"""The way in: text becomes a checked condition, expression or order, or an error with all its faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from symbolon.targeting.conditions.condition import Condition, Expression, Order

#: column -> type; an `ibis.Schema` is one
Columns: TypeAlias = Mapping[str, Any]


def parse_condition(text: str, schema: Columns, *, linked: Mapping[str, Columns] | None = None) -> Condition:
    """Read a predicate over the columns of `schema` and, inside of `EXISTS`, of linked tables."""
    raise NotImplementedError


def parse_expression(text: str, schema: Columns, *, linked: Mapping[str, Columns] | None = None) -> Expression:
    """Read one value: a column, or something computed from columns."""
    raise NotImplementedError


def parse_order(text: str, schema: Columns) -> list[Order]:
    """Read what rows are sorted by: `last_name ASC, years_old(birth_date) DESC NULLS LAST`."""
    raise NotImplementedError
