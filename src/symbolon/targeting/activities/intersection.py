"""Intersection: those who are in all of several sets.

Source: Adobe Campaign Standard, "Intersection".
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.targeting.activities._people import combined
from symbolon.targeting.activities._rows import found_in, missing_from, same_kind
from symbolon.targeting.activities._sets import compared_by
from symbolon.targeting.activity import COMPLEMENT, RESULT, SEVERAL, Activity, Category, Context, Options, Outcome
from symbolon.targeting.selection import Selection


class IntersectionOptions(Options, frozen=True, kw_only=True):
    """How rows are compared, and whether the others are wanted."""

    by: Annotated[
        list[str],
        Meta(description="Rows that nobody has reconciled: the columns that must be equal. Default: all they share."),
    ] = []  # noqa: RUF012 - msgspec copies it
    complement: Annotated[
        bool,
        Meta(description="Whether a transition `complement` has those of the first set who are not in all others."),
    ] = False


def apply(options: IntersectionOptions, context: Context) -> Outcome:
    """Keep the rows of the first set that every other set has."""
    sets = same_kind(context)
    first = sets[0]
    columns = compared_by(context, sets, options.by)
    by_formula = combined(sets, Selection.both)
    if by_formula is not None:
        outcome: Outcome = {RESULT: by_formula}
        if options.complement:
            outcome[COMPLEMENT] = combined([first, by_formula], Selection.without)
        return outcome
    rows = first.relation
    for other in sets[1:]:
        rows = found_in(rows, other.relation, columns)
    outcome = {RESULT: first.of(rows)}
    if options.complement:
        outcome[COMPLEMENT] = first.of(missing_from(first.relation, rows, columns))
    return outcome


ACTIVITY = Activity(
    name="intersection",
    title="Intersection",
    summary="Gives those who are in all of several sets.",
    category=Category.TARGETING,
    heavy=True,
    options=IntersectionOptions,
    apply=apply,
    inputs=SEVERAL,
    outputs=lambda options: [RESULT, COMPLEMENT] if options.complement else [RESULT],
    example="""\
- id: loyal_readers
  type: intersection
  from: [readers, buyers]
  complement: true
""",
    notes="""\
The first transition in `from` is the **primary set**: its columns go on. People are compared by their profile, IDs of a
data source by the ID, rows that nobody has reconciled by the columns of `by`; there a missing value equals a missing
value. Sets of different targeting dimensions are refused. A branch that was not taken is left out.
""",
)
