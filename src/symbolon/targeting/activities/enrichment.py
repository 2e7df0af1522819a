"""Enrichment: further columns for the rows that come in.

Source: Adobe Campaign Standard, "Enrichment": data of linked resources with cardinality 1, 0 or 1, or N; a second
inbound transition; keep or drop existing data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ibis
import msgspec
from msgspec import Meta

from symbolon.targeting.activities._aggregates import counts_of, grouped, matched
from symbolon.targeting.activities._rows import (
    checked_names,
    common_type,
    described,
    free,
    one_input,
    own_columns,
    said,
    sorted_by,
)
from symbolon.targeting.activity import RESULT, Activity, Category, Context, Inputs, Options, Outcome
from symbolon.targeting.population import UNKNOWN, Population

if TYPE_CHECKING:
    from collections.abc import Mapping


class Join(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is taken from the second population."""

    columns: Annotated[dict[str, str], Meta(description="New column -> expression over the columns of the second.")]
    on: Annotated[
        dict[str, str], Meta(description="Column of the first -> column of the second. Default: `profile_id`.")
    ] = {}
    rows: Annotated[
        Literal["optional", "required", "many", "aggregate"],
        Meta(description="How many rows of the second belong to one of the first."),
    ] = "optional"
    order: Annotated[str, Meta(description="Which row is taken where there are several: the first in this order.")] = ""


class EnrichmentOptions(Options, frozen=True, kw_only=True):
    """Which columns are added."""

    columns: Annotated[
        dict[str, str],
        Meta(description="New column -> expression over the columns of the transition and the fields of profiles."),
    ] = {}  # noqa: RUF012 - msgspec copies it
    links: Annotated[
        dict[str, str],
        Meta(
            description="New column -> aggregate over the browsers that are linked with a profile (`visitor_id`, "
            "`last_seen`): `max(last_seen)`, `count()`."
        ),
    ] = {}  # noqa: RUF012 - msgspec copies it
    join: Annotated[
        Join | None,
        Meta(
            description="What is taken from a second transition in `from`: `columns`, `on` (column -> column, default "
            "`profile_id`), `rows` (`optional`, `required`, `many` or `aggregate`), `order`."
        ),
    ] = None
    existing: Annotated[
        Literal["keep", "drop"], Meta(description="What becomes of the columns that come in; whose a row is stays.")
    ] = "keep"


def apply(options: EnrichmentOptions, context: Context) -> Outcome:
    """Add the columns."""
    inbound = one_input(context)
    own = own_columns(inbound)
    options = _named(options, context, inbound)
    new = [*options.columns, *options.links, *(options.join.columns if options.join else [])]
    if not new:
        context.fault("", "an enrichment adds columns", "columns: {city: upper(city)}")
    table = described(context, inbound, *options.columns.values())
    added = {name: context.expression(text, table, f"columns.{name}") for name, text in options.columns.items()}
    carried = {name: table[name] for name in inbound.relation.columns}
    # beside the columns that came in until all is joined: a name may replace one that is still asked for
    beside = {name: free(f"_new_{place}", table) for place, name in enumerate(new)}
    rows = table.select(**carried, **{beside[name]: value for name, value in added.items()})
    if options.links:
        rows = _with_links(options.links, context, inbound, rows, beside)
    rows = _with_second(options.join, context, inbound, rows, beside)
    there = {name: name for name in inbound.relation.columns if options.existing == "keep" or name in own}
    there |= {name: place for name, place in beside.items() if place in rows.columns and name not in own}
    return {RESULT: inbound.of(rows.select(**{name: rows[place] for name, place in there.items()}))}


def _named(options: EnrichmentOptions, context: Context, inbound: Population) -> EnrichmentOptions:
    """Fault the names that can be no new columns; leave out what is named a second time."""
    given = {"columns": options.columns, "links": options.links, "join.columns": {}}
    if options.join:
        given["join.columns"] = options.join.columns
    seen: list[str] = []
    for path, texts in given.items():
        checked_names(context, path, list(texts), [*inbound.relation.columns, *seen], own_columns(inbound))
        for name in set(texts) & set(seen):
            context.fault(f"{path}.{name[:64]}", f"`{name[:64]}` is added twice", "choose another name")
        given[path] = {name: text for name, text in texts.items() if name not in seen}
        seen += given[path]
    join = options.join and msgspec.structs.replace(options.join, columns=given["join.columns"])
    return msgspec.structs.replace(options, columns=given["columns"], links=given["links"], join=join)


def _with_links(
    links: Mapping[str, str], context: Context, inbound: Population, rows: ibis.Table, beside: Mapping[str, str]
) -> ibis.Table:
    """Add what is known of linked browsers."""
    if inbound.dimension == UNKNOWN:
        context.fault("links", "these rows are not known to be people", "put a `reconciliation` in between")
        return rows
    found = context.profiles.visitor_index()
    halves: list[Any] = [found[half].cast("string").lpad(19, "0") for half in ("d0", "d1")]
    table = found.select("profile_id", visitor_id=halves[0].concat(halves[1]), last_seen=found["last_seen"])
    seen = grouped(links, context, table, ["profile_id"], "links", beside)
    return matched(rows, seen, ["profile_id"], counts_of(links, beside))


def _with_second(
    join: Join | None, context: Context, inbound: Population, rows: ibis.Table, beside: Mapping[str, str]
) -> ibis.Table:
    """Add what is known of the second population."""
    pairs = _usable(join, context, inbound)
    if join is None or not pairs:
        return rows
    second = context.inputs[1]
    if join.rows in ("aggregate", "many") and join.order.strip():
        context.fault("join.order", f"`rows: {join.rows}` takes all rows, in no order", "leave `order` out")
    theirs = list(dict.fromkeys(pairs.values()))
    if join.rows == "aggregate":
        found = grouped(join.columns, context, second.relation, theirs, "join.columns", beside)
        return matched(rows, found, pairs, counts_of(join.columns, beside))
    other = described(context, second, *join.columns.values(), join.order)
    values = {
        beside[name]: context.expression(text, other, f"join.columns.{name}") for name, text in join.columns.items()
    }
    keys = {name: other[name] for name in theirs}
    if join.rows == "many":
        return matched(rows, other.select(**keys, **values), pairs, [])
    first = _first(join, context, second, other, keys, values)
    return matched(rows, first, pairs, [], is_required=join.rows == "required")


def _usable(join: Join | None, context: Context, inbound: Population) -> dict[str, str]:
    """Give the columns by which rows belong together, own -> theirs; none after a fault."""
    arrived = len(context.inputs)
    if join is None:
        if arrived > 1:
            hint = "join: {columns: {score: score}}"
            context.fault("join", "a second population comes in, and nothing is taken from it", hint)
        return {}
    if arrived < 2:
        context.fault("join", "there is no second population to take columns from", "from: [people, scores]")
        return {}
    if not join.columns:
        context.fault("join.columns", "nothing is taken from the second population", "columns: {score: score}")
    if join.rows == "many" and inbound.dimension != UNKNOWN:
        hint = "rows: aggregate, with columns such as `max(amount)`; or rows: optional, with an `order`"
        context.fault("join.rows", f"{said(inbound)} stand once in a transition; `many` would repeat them", hint)
        return {}
    return _pairs(join, context, inbound, context.inputs[1])


def _first(
    join: Join,
    context: Context,
    second: Population,
    other: ibis.Table,
    keys: Mapping[str, ibis.Value],
    values: Mapping[str, ibis.Value],
) -> ibis.Table:
    """Give the first row of the second population for each key."""
    order = sorted_by(context, join.order, "join.order", second, other)
    if list(keys) == own_columns(second):  # each stands there once
        return other.select(**keys, **values)
    rank = free("_rank", other)
    window = ibis.window(group_by=list(keys.values()), order_by=order)
    ranked = other.select(**keys, **values, **{rank: ibis.row_number().over(window)})
    return ranked.filter(ranked[rank] == 0).drop(rank)


def _pairs(join: Join, context: Context, inbound: Population, second: Population) -> dict[str, str]:
    """Give the columns by which rows belong together, own -> theirs."""
    wanted = join.on or {"profile_id": "profile_id"}
    found = {}
    for own, theirs in wanted.items():
        path = f"join.on.{own[:64]}" if join.on else "join.on"
        lacking = [
            f"the {which} population has no column `{name[:64]}`"
            for which, name, one in (("first", own, inbound), ("second", theirs, second))
            if name not in one.relation.columns
        ]
        for message in lacking:
            context.fault(path, message, "on: {email: address}: column of the first, column of the second")
        if lacking:
            continue
        if common_type([inbound.relation[own].type(), second.relation[theirs].type()]) is None:
            context.fault(path, "the two columns are of different types", "bring them to one type before")
            continue
        found[own] = theirs
    return found if len(found) == len(wanted) else {}


ACTIVITY = Activity(
    name="enrichment",
    title="Enrichment",
    summary="Adds columns: fields of profiles, what is known of their browsers, or columns of a second population.",
    category=Category.TARGETING,
    heavy=True,
    options=EnrichmentOptions,
    apply=apply,
    inputs=Inputs(1, 2),
    example="""\
- id: scored
  type: enrichment
  from: [subscribers, scores]
  columns:
    city: upper(city)
  links:
    last_visit: max(last_seen)
    browsers: count()
  join:
    columns: {score: score}
    order: score DESC
""",
    notes="""\
- `columns`: expressions over the columns that come in and, for people and IDs, the fields of their profiles.
- `links`: aggregates over the browsers that are linked with a profile, `visitor_id` and `last_seen`.
- `join`: columns of a second transition, whose rows belong to those of the first by `profile_id`, or by the columns
  that `on` names. A missing value belongs to nothing.

Aggregates are `count()`, `count(...)`, `count_distinct(...)`, `min(...)`, `max(...)`, `sum(...)` and `avg(...)`. Where
there is nothing, counts are 0 and everything else has no value.

| `join.rows` | |
|---|---|
| `optional` | at most one row: the first by `order`; rows without any stay, without a value |
| `required` | one row: the first by `order`; rows without any are left out |
| `aggregate` | all rows: each column is an aggregate, `max(amount)` |
| `many` | each row of the first once for each of the second: only for rows that nobody has reconciled |

A new column replaces one of the same name. `existing: drop` leaves out all columns that came in, except for
whose a row is.
""",
)
