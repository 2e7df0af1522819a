"""Read audience: the members of an audience of any type.

Source: Adobe Campaign Standard, "Read audience": source filtering, dynamic audience.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.errors import UnknownNameError
from symbolon.targeting.activities._rows import described
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import Population


class ReadAudienceOptions(Options, frozen=True, kw_only=True):
    """Which audience, and which of its members."""

    audience: Annotated[str, Meta(description="Name of the audience; `${parameter}` is filled in.")]
    where: Annotated[
        str, Meta(description="Condition on its members: fields of profiles, and the columns it carries.")
    ] = ""


def apply(options: ReadAudienceOptions, context: Context) -> Outcome:
    """Give the members, those who meet the condition."""
    if context.inputs:
        context.fault("from", "an audience is read as it is", "put an `intersection` behind it")
    members = _members(options, context)
    if not options.where.strip():
        return {RESULT: members}
    known = described(context, members, options.where)
    found = context.condition(options.where, known, "where")
    return {RESULT: members.of(found.select(*members.relation.columns))}


def _members(options: ReadAudienceOptions, context: Context) -> Population:
    name = context.text(options.audience, "audience").strip()
    if not name and "${" not in options.audience:
        context.fault("audience", "this names no audience", "audience: Newsletter")
    elif context.mode is Mode.CHECK and "${" in options.audience and not _is_there(context, name):
        pass  # which one it is, only the run knows
    else:
        return context.audience(name, "audience")
    return Population(context.people().select("profile_id").limit(0))


def _is_there(context: Context, name: str) -> bool:
    try:
        context.library.audience(name)
    except UnknownNameError:
        return False
    return True


ACTIVITY = Activity(
    name="read_audience",
    title="Read audience",
    summary="Gives the members of an audience, or those of them who meet a condition.",
    category=Category.TARGETING,
    options=ReadAudienceOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    example="""\
- id: readers
  type: read_audience
  audience: Newsletter readers
  where: country = 'FR'
""",
    notes="""\
Any type can be read. A **Query** audience is a rule: it is evaluated when the run comes to it. A **List** or shared
audience gives the people it has now, a List with the columns it was saved with. A **File** audience gives rows that
nobody has reconciled, with the columns of the file: put a `reconciliation` behind it before people are asked for.

The name may hold parameters of the run: `audience: readers_${country}`. Which audience that is, a check cannot know; it
takes it for people without further columns if there is none of that name yet. A run stops if there is none.
""",
)
