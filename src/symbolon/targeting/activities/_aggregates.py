"""Aggregates over rows that belong to one, and how rows that belong together are put side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symbolon.targeting.activities._rows import free, is_nothing
from symbolon.targeting.conditions.kinds import BOOLEAN, DATE, INTEGER, MOMENT, NUMBER, TEXT, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis

    from symbolon.targeting.activity import Context

_AGGREGATE = re.compile(r"\s*(count|count_distinct|min|max|sum|avg)\s*\((.*)\)\s*", re.DOTALL | re.IGNORECASE)
#: which kinds of values an aggregate takes
_TAKES = {
    "count": {TEXT, INTEGER, NUMBER, BOOLEAN, DATE, MOMENT},
    "count_distinct": {TEXT, INTEGER, NUMBER, BOOLEAN, DATE, MOMENT},
    "min": {TEXT, INTEGER, NUMBER, DATE, MOMENT},
    "max": {TEXT, INTEGER, NUMBER, DATE, MOMENT},
    "sum": {INTEGER, NUMBER},
    "avg": {INTEGER, NUMBER},
}


def grouped(
    aggregates: Mapping[str, str],
    context: Context,
    table: ibis.Table,
    keys: Sequence[str],
    path: str,
    beside: Mapping[str, str],
) -> ibis.Table:
    """Aggregate rows that have the same keys."""
    found: dict[str, Any] = {}
    for name, text in aggregates.items():
        value = _aggregate(text, context, table, f"{path}.{name}")
        if value is not None:
            found[beside[name]] = value
    return table.group_by(list(keys)).agg(**found) if found else table.select(*keys).distinct()


def _aggregate(text: str, context: Context, table: ibis.Table, path: str) -> Any:
    """Give an aggregate such as `max(last_seen)`; None after a fault."""
    parts = _AGGREGATE.fullmatch(text)
    if parts is None:
        context.fault(path, "this is no aggregate", f"one of {', '.join(f'{name}(...)' for name in _TAKES)}")
        return None
    name, inner = parts[1].lower(), parts[2].strip()
    if not inner:
        if name == "count":
            return table.count()
        context.fault(path, f"`{name}` needs a column", f"{name}({table.columns[-1]})")
        return None
    value: Any = context.expression(inner, table, path)
    made = {"avg": "mean", "count_distinct": "nunique"}.get(name, name)
    if is_nothing(value):
        pass
    elif not hasattr(value, "nunique"):
        context.fault(
            path, f"`{name}` needs a column, and this is the same for all rows", f"{name}({table.columns[-1]})"
        )
    elif kind_of(value.type()) not in _TAKES[name]:
        context.fault(path, f"`{name}` takes no values of this type", "count, min and max take most types")
    else:
        return getattr(value, made)()
    return None


def counts_of(aggregates: Mapping[str, str], beside: Mapping[str, str]) -> list[str]:
    """Name the new columns that count: nothing is zero there."""
    return [beside[name] for name, text in aggregates.items() if text.strip().lower().startswith("count")]


def matched(
    rows: ibis.Table,
    other: ibis.Table,
    keys: Mapping[str, str] | Sequence[str],
    counts: list[str],
    *,
    is_required: bool = False,
) -> ibis.Table:
    """Put the columns of others beside the rows they belong to; a missing key belongs to nothing."""
    pairs = dict(keys) if isinstance(keys, Mapping) else {name: name for name in keys}
    theirs = {name: free(f"_theirs_{place}", rows, other) for place, name in enumerate(dict.fromkeys(pairs.values()))}
    new = [name for name in other.columns if name not in theirs]
    renamed = other.select(*new, **{short: other[name] for name, short in theirs.items()})
    equal = [rows[own] == renamed[theirs[name]] for own, name in pairs.items()]
    wide = rows.join(renamed, equal, how="inner" if is_required else "left")
    added = {name: wide[name].fill_null(0) if name in counts else wide[name] for name in new}
    return wide.select(*rows.columns, **added)
