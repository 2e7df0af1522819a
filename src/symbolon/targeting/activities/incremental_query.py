"""Incremental query: the profiles that meet a condition and were not given before.

Invariant: what is remembered is exactly what the last finished run gave, or looked at; a run that fails, and a plan,
change nothing of it. So nobody is left out because of a run that did not end.

Source: Adobe Campaign Standard, "Incremental query": excluding the results of previous executions, or by a date field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
from msgspec import Meta

from symbolon.targeting.activities._people import among, narrowed
from symbolon.targeting.activities._rows import checked_names, is_nothing
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.conditions.kinds import DATE, MOMENT, kind_of
from symbolon.targeting.population import Population

if TYPE_CHECKING:
    import ibis

_GIVEN = pa.schema([("profile_id", pa.int64())])
_LAST = pa.schema([("moment", pa.timestamp("us", tz="UTC"))])


class IncrementalQueryOptions(Options, frozen=True, kw_only=True):
    """What to look for, and what counts as new."""

    where: Annotated[str, Meta(description="Condition on profiles, in SQL syntax; empty = everybody.")] = ""
    columns: Annotated[
        dict[str, str], Meta(description="Further columns of the transition: name -> expression over profile fields.")
    ] = {}  # noqa: RUF012 - msgspec copies it
    since: Annotated[
        str,
        Meta(
            description="A field with a date or moment, `modified`: profiles in which it is not before the last run "
            "are new. Default: profiles that no run has given are new."
        ),
    ] = ""


def apply(options: IncrementalQueryOptions, context: Context) -> Outcome:
    """Filter the profiles, and leave out those who are not new."""
    rows = narrowed(context, among(context), options.where, "where").rows
    new = _since(options, context, rows) if options.since.strip() else _not_given(context, rows)
    checked_names(context, "columns", list(options.columns), [], ["profile_id"])
    extra = {name: context.expression(text, new, f"columns.{name}") for name, text in options.columns.items()}
    extra.pop("profile_id", None)
    return {RESULT: Population(new.select("profile_id", **extra))}


def _not_given(context: Context, rows: ibis.Table) -> ibis.Table:
    before = context.remembered(_GIVEN)
    new = rows.anti_join(before, "profile_id")
    context.remember(before.select("profile_id").union(new.select("profile_id")))
    return new


def _since(options: IncrementalQueryOptions, context: Context, rows: ibis.Table) -> ibis.Table:
    value: Any = context.expression(options.since, rows, "since")
    kind = kind_of(value.type())
    if kind not in (DATE, MOMENT):
        if not is_nothing(value):  # else its fault was told
            context.fault("since", "this has no date and no moment", "since: modified")
        return rows
    last: Any = context.remembered(_LAST)["moment"].max().as_scalar()
    now = pa.table({"moment": pa.array([context.now], _LAST.field("moment").type)}, schema=_LAST)
    context.remember(context.engine.relation(now))
    bound = last.date() if kind == DATE else last
    return rows.filter(last.isnull() | (value >= bound))


ACTIVITY = Activity(
    name="incremental_query",
    title="Incremental query",
    summary="Gives the profiles that meet a condition and are new since the last run.",
    category=Category.TARGETING,
    options=IncrementalQueryOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    kept=True,
    example="""\
- id: newcomers
  type: incremental_query
  where: email IS NOT NULL AND NOT coalesce(opt_out_email, FALSE)
""",
    notes="""\
The first run gives all who meet the condition. What counts as new from then on:

- By default, **profiles that no run has given**. Whoever was given once is never given again, even if he stops to
  meet the condition and meets it anew.
- With `since`, profiles in which that field is **not before the moment of the last run**: `since: modified` gives those
  who were changed. A change in the very moment of a run may be given twice, but never gets lost; profiles without a
  value are given by the first run only.

What is remembered belongs to the activity (`id`) of the workflow, and changes when a run ends well: a run that fails,
and a plan, change nothing of it. Put a `scheduler` before it, or run the workflow as you like.
""",
)
