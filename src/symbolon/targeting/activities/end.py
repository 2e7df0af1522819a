"""End: where a branch of a workflow ends, on purpose."""

from __future__ import annotations

from symbolon.targeting.activity import Activity, Category, Context, Inputs, Options, Outcome


class EndOptions(Options, frozen=True, kw_only=True):
    """There is nothing to be chosen."""


def apply(options: EndOptions, context: Context) -> Outcome:
    """Give nothing on."""
    del options, context
    return {}


ACTIVITY = Activity(
    name="end",
    title="End",
    summary="Ends a branch of a workflow.",
    category=Category.FLOW,
    options=EndOptions,
    apply=apply,
    inputs=Inputs(1, None),
    outputs=lambda _options: [],
    example="""\
- id: done
  type: end
  from: subscribers
""",
    notes="""\
A workflow ends by itself when nothing is left to be done, so `end` is never needed. It says that a branch is meant to
lead nowhere: a transition that nothing follows and that is no `end` may be one that was forgotten.
""",
)
