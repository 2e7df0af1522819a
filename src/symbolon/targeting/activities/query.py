"""Query: the profiles that meet a condition."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.targeting.activities._people import among, narrowed
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.population import Population


class QueryOptions(Options, frozen=True, kw_only=True):
    """What to look for, and what to carry along."""

    where: Annotated[str, Meta(description="Condition on profiles, in SQL syntax; empty = everybody.")] = ""
    columns: Annotated[
        dict[str, str], Meta(description="Further columns of the transition: name -> expression over profile fields.")
    ] = {}  # noqa: RUF012 - msgspec copies it


def apply(options: QueryOptions, context: Context) -> Outcome:
    """Filter the profiles, those that come in where some do."""
    people = narrowed(context, among(context), options.where, "where")
    rows = people.rows
    extra = {name: context.expression(text, rows, f"columns.{name}") for name, text in options.columns.items()}
    return {RESULT: Population(rows.select("profile_id", **extra), selection=people)}


ACTIVITY = Activity(
    name="query",
    title="Query",
    summary="Gives the profiles that meet a condition: of all, or of those that come in.",
    category=Category.TARGETING,
    options=QueryOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    example="""\
- id: adults
  type: query
  where: years_old(birth_date) >= 18 AND NOT opt_out_email
  columns:
    city: upper(city)
""",
)
