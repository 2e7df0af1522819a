"""People who are chosen by conditions: what comes in, and what a condition leaves of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.targeting.population import PROFILE, Population
from symbolon.targeting.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symbolon.targeting.activity import Context


def among(context: Context) -> Selection:
    """Give the people whom an activity chooses from: those who come in where some do, else everybody."""
    if not context.inputs:
        return Selection(context.people())
    inbound = context.inputs[0]
    if inbound.dimension != PROFILE:
        context.fault("from", "a query looks among profiles; what comes in are none", "reconcile them first")
        return Selection(context.people())
    if inbound.selection is not None:
        return inbound.selection
    return Selection(context.people().semi_join(inbound.relation, "profile_id"), is_stored=False)


def narrowed(context: Context, people: Selection, text: str, path: str) -> Selection:
    """Give those of some people for whom a condition is true; an empty one is true."""
    if not text.strip():
        return people
    found = context.condition(text, people.base, path)
    smaller = people.narrowed(found)
    if smaller is not None:
        return smaller
    rows = people.rows
    within = context.condition(text, rows, path)  # it asks other tables, or the formula would become too long
    return Selection(rows, is_stored=people.is_stored).narrowed(within) or Selection(within, is_stored=False)


def combined(
    sets: Sequence[Population], combine: Callable[[Selection, Sequence[Selection]], Selection | None]
) -> Population | None:
    """Combine sets of people by their formulas; None = that cannot be, and their rows have to be compared."""
    selections = [one.selection for one in sets if one.selection is not None and not one.extra]
    if len(selections) < len(sets):
        return None
    found = combine(selections[0], selections[1:])
    return None if found is None else Population(found.rows.select("profile_id"), selection=found)
