"""External signal: a run begins, or goes on, when somebody asks for it, with parameters of declared types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from symbolon.targeting.activities._errors import SignalRefused
from symbolon.targeting.activities._values import duration, typed
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.parameters import Parameter, read

if TYPE_CHECKING:
    from collections.abc import Mapping

#: the transition that is taken when no signal came in time
TIMEOUT = "timeout"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COUNT = re.compile(r"count(_\d+)?")


class ExternalSignalOptions(Options, frozen=True, kw_only=True):
    """What a signal may hold, and how long it is waited for."""

    parameters: Annotated[
        dict[str, Parameter],
        Meta(
            description="Parameters by name, each with `type` (text, integer, number, boolean, date, moment), "
            "`required` and `default`."
        ),
    ] = {}  # noqa: RUF012 - msgspec copies it
    timeout: Annotated[
        str,
        Meta(
            description="How long is waited, `2d`; then transition `timeout` is taken. Empty = for as long as it takes."
        ),
    ] = ""


def apply(options: ExternalSignalOptions, context: Context) -> Outcome:
    """Take the parameters of the run, or wait for a signal."""
    _check(options, context)
    inbound = context.inputs[0] if context.inputs else None
    if context.mode is Mode.CHECK:
        return dict.fromkeys(_outputs(options), inbound)
    if not _waits(context):
        _own(options, context.parameters)
        return {RESULT: inbound}
    length = duration(options.timeout) if options.timeout else None
    given = context.receive(context.activity, length.total_seconds() if length else None)
    if given is None and context.mode is Mode.RUN:
        context.note(received=False)
        return {TIMEOUT: inbound} if options.timeout else {}
    if given is not None:
        context.note(received=True, parameters=sorted(_own(options, given)))
    return {RESULT: inbound}


def typed_parameters(declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a signal by their types, defaults filled in.

    Args:
        declared: the parameters of the `external_signal`.
        given: as they came, from JSON, a form or a command line.

    Returns:
        Every declared parameter that has a value; moments are in UTC.

    Raises:
        SignalRefused: with all faults; no value is part of the message.
    """
    values, wrong = read(declared, given)
    faults = [message for _, message in wrong]
    if faults:
        known = ", ".join(f"`{name}` ({one.type})" for name, one in declared.items())
        raise SignalRefused(
            "; ".join(faults[:20]),
            hint=f"declared: {known}" if known else "this signal takes no parameters",
            details={"declared": list(declared)},
        )
    return values


def _own(options: ExternalSignalOptions, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the parameters of this signal; those of others of the workflow are theirs."""
    return typed_parameters(options.parameters, {name: given[name] for name in options.parameters if name in given})


def _waits(context: Context) -> bool:
    """Whether something comes in: then the run goes on already, and waits here."""
    return context.has_input


def _outputs(options: ExternalSignalOptions) -> list[str]:
    return [RESULT, TIMEOUT] if options.timeout else [RESULT]


def _check(options: ExternalSignalOptions, context: Context) -> None:
    for name, one in options.parameters.items():
        path = f"parameters.{name}"
        if not _NAME.fullmatch(name) or _COUNT.fullmatch(name):
            context.fault(
                path,
                "a parameter is named by a lower-case letter, then letters, digits or `_`; `count` is taken",
                "parameters: {country: {type: text}}",
            )
        if one.default is not None:
            try:
                typed(one.default, one.type)
            except ValueError as error:
                context.fault(f"{path}.default", f"the default is no {one.type}", f"it takes {error}")
            if one.required:
                context.fault(f"{path}.required", "a parameter with a default is never missing", "take one of both out")
    if options.timeout and duration(options.timeout) is None:
        context.fault("timeout", "this is no length of time", "timeout: 2h, timeout: 7d; at most ten years")


ACTIVITY = Activity(
    name="external_signal",
    title="External signal",
    summary="Begins a run, or lets it go on, when it is asked to, with typed parameters.",
    category=Category.FLOW,
    waits=True,
    options=ExternalSignalOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    outputs=_outputs,
    kept=True,
    example="""\
- id: begin
  type: external_signal
  parameters:
    country: {type: text, required: true}
    limit: {type: integer, default: 1000}
    since: {type: date}
""",
    notes="""\
Without an inbound transition the workflow begins here: its parameters are given when the run is started. With one, the
run waits here for a signal to this activity, over a crash and a restart of the process; with `timeout` it goes on over
the transition `timeout` if none came in time.

Parameters are checked when they come: one that is not declared, is of another type or is missing refuses the whole
signal, and so does one of more than 64 KiB. Texts are taken as numbers, booleans or dates where that is declared, so a
command line can send them. They are written `${country}`, in names, paths and conditions alike;
in a condition without quotes around it. Only *Test* knows them by their names too. Several signals of one workflow may
declare the same parameter, of one type; each is asked for its own when it comes.

A plan does not wait: it takes the defaults.
""",
)
