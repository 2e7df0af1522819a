"""Query: the profiles that meet a condition."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.targeting.activity import NO_INPUT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.population import Population


class QueryOptions(Options, frozen=True, kw_only=True):
    """What to look for, and what to carry along."""

    where: Annotated[str, Meta(description="Condition on profiles, in SQL syntax; empty = everybody.")] = ""
    columns: Annotated[
        dict[str, str], Meta(description="Further columns of the transition: name -> expression over profile fields.")
    ] = {}  # noqa: RUF012 - msgspec copies it


def apply(options: QueryOptions, context: Context) -> Outcome:
    """Filter the profiles."""
    people = context.people()
    rows = context.condition(options.where, people, "where") if options.where.strip() else people
    extra = {name: context.expression(text, rows, f"columns.{name}") for name, text in options.columns.items()}
    return {RESULT: Population(rows.select("profile_id", **extra))}


ACTIVITY = Activity(
    name="query",
    title="Query",
    summary="Gives the profiles that meet a condition.",
    category=Category.TARGETING,
    options=QueryOptions,
    apply=apply,
    inputs=NO_INPUT,
    example="""\
- id: adults
  type: query
  where: years_old(birth_date) >= 18 AND NOT opt_out_email
  columns:
    city: upper(city)
""",
)
