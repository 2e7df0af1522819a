"""Conditions as columns: true where a row meets one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops

from symbolon.targeting.activities._rows import free, own_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.activity import Context
    from symbolon.targeting.population import Population


def flagged(
    context: Context, population: Population, table: ibis.Table, conditions: Mapping[str, tuple[str, str]]
) -> ibis.Table:
    """Give the rows with a column for each condition, never missing.

    Args:
        context: reads conditions.
        population: what the rows are.
        table: the rows, with everything the conditions name.
        conditions: column -> condition (empty = true) and its path.
    """
    flags: dict[str, Any] = {}
    asked: dict[str, ibis.Table] = {}
    for name, (text, path) in conditions.items():
        found = context.condition(text, table, path) if text.strip() else table
        node = found.op()
        if found is table or node == table.op():
            flags[name] = ibis.literal(value=True)
        elif isinstance(node, ops.Filter) and node.parent == table.op():
            met: Any = ibis.and_(*(one.to_expr() for one in node.predicates))
            flags[name] = ibis.coalesce(met, ibis.literal(value=False))
        else:  # it asks of other tables: whom it finds is joined
            asked[name] = found
    rows = table.mutate(**flags) if flags else table
    for name, found in asked.items():
        rows = _joined(rows, found, name, own_columns(population) or list(table.columns))
    return rows


def _joined(rows: ibis.Table, found: ibis.Table, name: str, columns: list[str]) -> ibis.Table:
    """Flag the rows that were found. Rows that are equal in these columns meet the same conditions."""
    own = {column: f"{free('_found', rows, found)}_{place}" for place, column in enumerate(columns)}
    there = found.select(**{new: found[column] for column, new in own.items()}).distinct()
    there = there.mutate(**{name: ibis.literal(value=True)})
    pairs = [rows[column].identical_to(there[new]) for column, new in own.items()]
    if columns == ["profile_id"]:
        pairs = [rows["profile_id"] == there[own["profile_id"]]]
    wide = rows.left_join(there, pairs)
    return wide.select(*rows.columns, **{name: ibis.coalesce(wide[name], ibis.literal(value=False))})
