"""Join: goes on when all branches have arrived, with the population of one of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.targeting.activity import RESULT, SEVERAL, Activity, Category, Context, Options, Outcome


class JoinOptions(Options, frozen=True, kw_only=True):
    """Which branch goes on."""

    primary: Annotated[
        int, Meta(description="Place in `from` of the transition whose population goes on, from 1.", ge=1)
    ] = 1


def apply(options: JoinOptions, context: Context) -> Outcome:
    """Give the primary population on; all the others have been computed before."""
    populations = list(context.inputs)
    if not populations:
        return {RESULT: None}
    if options.primary <= len(populations):
        return {RESULT: populations[options.primary - 1]}
    # a branch that was not taken, or that has no population, does not count: that is known in a run only
    context.warn(f"transition {options.primary} of `from` did not arrive with a population; the first one goes on")
    return {RESULT: populations[0]}


ACTIVITY = Activity(
    name="join",
    title="AND-join",
    summary="Waits for all branches, then goes on with the population of one of them.",
    category=Category.FLOW,
    options=JoinOptions,
    apply=apply,
    inputs=SEVERAL,
    example="""\
- id: both_done
  type: join
  from: [mail_sent, paper_sent]
  primary: 2
""",
    notes="""\
`primary` counts the transitions of `from` that arrived with a population. A branch that a `test` did not take is not
waited for. To put populations together use `union`; a join only waits.
""",
)
