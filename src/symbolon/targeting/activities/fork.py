"""Fork: the same population on several transitions."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from symbolon.targeting.activity import Activity, Category, Context, Options, Outcome

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class ForkOptions(Options, frozen=True, kw_only=True):
    """How many copies there are, and what they are called."""

    transitions: Annotated[
        list[str], Meta(description="Names of the transitions, at least two. Default: `first` and `second`.")
    ] = msgspec.field(default_factory=lambda: ["first", "second"])


def apply(options: ForkOptions, context: Context) -> Outcome:
    """Give the inbound population to each transition."""
    names = options.transitions
    if len(names) < 2:
        context.fault("transitions", "a fork has at least two transitions", "transitions: [mail, paper]")
    for place, name in enumerate(names):
        if not _NAME.fullmatch(name):
            context.fault(
                f"transitions[{place}]",
                "a transition is named by a lower-case letter, then letters, digits or `_`",
                "transitions: [mail, paper]",
            )
        elif name in names[:place]:
            context.fault(f"transitions[{place}]", f"two transitions are called `{name}`", "choose another name")
    inbound = context.inputs[0] if context.inputs else None
    return dict.fromkeys(names, inbound)


ACTIVITY = Activity(
    name="fork",
    title="Fork",
    summary="Gives the same population to several transitions.",
    category=Category.FLOW,
    options=ForkOptions,
    apply=apply,
    outputs=lambda options: list(dict.fromkeys(options.transitions)),
    example="""\
- id: both
  type: fork
  from: subscribers
  transitions: [mail, paper]
""",
    notes="""\
What comes in is computed once, however many transitions go out. Several activities may also follow one transition
without a fork: `from: subscribers` in each of them means the same. A fork gives the branches names of their own.
""",
)
