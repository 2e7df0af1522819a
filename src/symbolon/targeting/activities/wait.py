"""Wait: lets time pass, for a while or until a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pyarrow as pa
from msgspec import Meta

from symbolon.targeting.activities._values import duration, moment
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Mode, Options, Outcome

if TYPE_CHECKING:
    from datetime import timedelta

_MOMENT = pa.schema([("moment", pa.timestamp("us", tz="UTC"))])


class WaitOptions(Options, frozen=True, kw_only=True):
    """How long, or until when. One of both."""

    for_: Annotated[str, Meta(description="How long, from the arrival at this activity: `30m`, `2h`, `1d12h`.")] = (
        msgspec.field(name="for", default="")
    )
    until: Annotated[
        Any,
        Meta(description="Until when: `2026-07-01T08:00:00+02:00`; without a zone UTC. `${parameter}` is filled in."),
    ] = None


def apply(options: WaitOptions, context: Context) -> Outcome:
    """Wait, then give the inbound population on."""
    length, end = _times(options, context)
    if length is not None or end is not None:
        if context.mode is Mode.RUN:
            if length is not None:
                end = _kept(context, datetime.now(UTC) + length)
            context.wait_until(end or context.now)
        if end is not None:
            context.note(until=end.isoformat())
        elif length is not None:
            context.note(seconds=int(length.total_seconds()))
    return {RESULT: context.inputs[0] if context.inputs else None}


def _times(options: WaitOptions, context: Context) -> tuple[timedelta | None, datetime | None]:
    if bool(options.for_) == (options.until is not None):
        context.fault("", "a wait needs `for` or `until`, one of both", "for: 2h")
        return None, None
    if options.for_:
        length = duration(options.for_)
        if length is None:
            context.fault("for", "this is no length of time", "for: 90m, for: 2h, for: 1d12h; at most ten years")
        return length, None
    given = options.until
    if isinstance(given, str):
        given = context.text(given, "until")
    end = moment(given)
    if end is None and not (context.mode is Mode.CHECK and "${" in str(options.until)):
        context.fault("until", "this is no moment", "until: 2026-07-01T08:00:00Z")
    return None, end


def _kept(context: Context, end: datetime) -> datetime:
    """Give the end of the wait that was decided on when it began, also after a crash."""
    rows = context.keep(context.engine.relation(pa.table({"moment": [end]}, schema=_MOMENT)), "until")
    found = context.engine.fetch(rows)["moment"][0].as_py()
    return found if isinstance(found, datetime) else end


ACTIVITY = Activity(
    name="wait",
    title="Wait",
    summary="Lets time pass, then goes on with the same population.",
    category=Category.FLOW,
    waits=True,
    options=WaitOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    kept=True,
    example="""\
- id: next_morning
  type: wait
  from: subscribers
  for: 12h
""",
    notes="""\
`for` counts from the arrival at this activity, so two waits in a row add up. A moment that has passed already is not
waited for. The wait survives a crash and a restart of the process; it ends at the moment that was decided on when it
began. What comes in is computed before the wait: profiles that change meanwhile do not change the population.
A plan does not wait.
""",
)
