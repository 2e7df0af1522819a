"""Union: those who are in any of several sets, once.

Source: Adobe Campaign Standard, "Union": keys only, shared columns or chosen columns, a primary set, a limited size.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal

import ibis
from msgspec import Meta

from symbolon.targeting.activities._columns import twice
from symbolon.targeting.activities._people import combined
from symbolon.targeting.activities._rows import (
    common_type,
    described,
    first_rows,
    key_column,
    missing_from,
    own_columns,
    same_kind,
    sorted_by,
)
from symbolon.targeting.activity import RESULT, SEVERAL, Activity, Category, Context, Options, Outcome
from symbolon.targeting.population import PROFILE, UNKNOWN
from symbolon.targeting.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.targeting.population import Population


class UnionOptions(Options, frozen=True, kw_only=True):
    """Which columns go on, and how many rows."""

    columns: Annotated[
        Literal["keys", "shared"] | list[str],
        Meta(
            description="`keys`: only whose a row is. `shared`: the columns that all sets have. Or a list of columns; "
            "a set that has not got one gives no value. Rows that nobody has reconciled have no keys: `shared` then."
        ),
    ] = "keys"
    distinct: Annotated[
        bool, Meta(description="Rows that nobody has reconciled: give equal rows once. People are given once always.")
    ] = False
    limit: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="Most rows that go on. Default: all.")] = None
    order: Annotated[
        str, Meta(description="Which rows go on when there is a `limit`: the first ones in this order, `created DESC`.")
    ] = ""


def apply(options: UnionOptions, context: Context) -> Outcome:
    """Put the sets together, each behind those that were named before it."""
    sets = same_kind(context)
    first = sets[0]
    key = key_column(first)
    extra = _columns(options.columns, context, sets)
    if not extra and not key:
        return {RESULT: first}  # a fault, which was told
    by_formula = combined(sets, Selection.either) if not extra else None
    parts = [_part(one, extra) for one in sets]
    rows = parts[0]
    if by_formula is not None:
        rows = by_formula.relation
    elif first.dimension == PROFILE and not extra:
        rows = ibis.union(*parts, distinct=True) if len(parts) > 1 else rows
    else:
        for part in parts[1:]:
            rows = rows.union(missing_from(part, rows, [key]) if key else part)
        rows = rows.distinct() if options.distinct and not key else rows
    if options.distinct and key:
        context.fault("distinct", "people and IDs are given once always", "leave `distinct` out")
    if options.order.strip() and options.limit is None:
        context.fault("order", "an order without a `limit` chooses nobody", "limit: 10000")
    united = by_formula or first.of(rows)
    if options.limit is None:
        return {RESULT: united}
    known = described(context, united, options.order)
    chosen = first_rows(known, sorted_by(context, options.order, "order", united, known), options.limit)
    return {RESULT: first.of(chosen.select(*rows.columns))}


def _columns(wanted: str | list[str], context: Context, sets: Sequence[Population]) -> dict[str, Any]:
    """Give the further columns, with the types in which they go together."""
    named = [] if isinstance(wanted, str) else wanted
    if twice(named):
        context.fault("columns", f"`{twice(named)}` stands there twice", "take one out")
        named = list(dict.fromkeys(named))
    names = named
    if isinstance(wanted, str):
        is_shared = wanted == "shared" or sets[0].dimension == UNKNOWN
        names = [name for name in sets[0].extra if is_shared and all(name in one.extra for one in sets)]
        if is_shared and not names and sets[0].dimension == UNKNOWN:
            context.fault("columns", "the sets have no column in common", "give their columns the same names")
            names = sets[0].extra
    found: dict[str, Any] = {}
    for name in names:
        kinds = [one.relation[name].type() for one in sets if name in one.extra]
        kind = common_type(kinds) if kinds else None
        place = f"columns[{named.index(name)}]" if named else "columns"
        if not kinds:
            known = list(dict.fromkeys(column for one in sets for column in one.extra))
            near = get_close_matches(name, known, n=3, cutoff=0.6)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(f'`{one}`' for one in known[:12])}"
            if name not in own_columns(sets[0]):  # whose a row is goes on anyway
                context.fault(place, f"no set has a column `{name[:64]}`", hint if known else "the sets have none")
        elif kind is None:
            context.fault(place, f"`{name}` is of different types in the sets", "bring it to one type before")
        else:
            found[name] = kind
    return found


def _part(one: Population, extra: dict[str, Any]) -> ibis.Table:
    """Give the rows of one set in the shape of the union."""
    rows = one.relation
    columns: dict[str, Any] = {name: rows[name] for name in own_columns(one)}
    for name, kind in extra.items():
        there = rows[name] if name in one.extra else ibis.null(kind)
        columns[name] = there if there.type() == kind else there.cast(kind)
    return rows.select(**columns)


ACTIVITY = Activity(
    name="union",
    title="Union",
    summary="Gives those who are in any of several sets, once.",
    category=Category.TARGETING,
    heavy=True,
    options=UnionOptions,
    apply=apply,
    inputs=SEVERAL,
    example="""\
- id: everybody
  type: union
  from: [customers, prospects]
  columns: [city, tier]
  limit: 10000
  order: modified DESC
""",
    notes="""\
The first transition in `from` is the **primary set**: whoever is in several sets has the columns of the set that is
named first. A branch that was not taken is left out.

People are told apart by their profile, IDs of a data source by the ID. Rows that nobody has reconciled are all given,
as often as they come, unless `distinct` is set. Sets of different targeting dimensions are refused.

A limit takes the first rows by `order`, which may name fields of profiles and the columns that go on; rows that are
equal in it follow their number (rows of a file: all their columns), so the same rows are chosen every time.
""",
)
