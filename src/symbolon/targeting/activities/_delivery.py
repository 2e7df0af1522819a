"""What e-mail and SMS deliveries have in common: prepared, confirmed, sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from symbolon.columns import empty_table
from symbolon.targeting.activity import COMPLEMENT, RESULT, Context, Mode, Outcome
from symbolon.targeting.population import PROFILE, UNKNOWN, Population

if TYPE_CHECKING:
    from symbolon.targeting.delivering import DeliveryOutcome, DeliveryRequest

_LACKING = pa.schema([("profile_id", pa.int64()), ("reason", pa.string())])

#: part of the pages of both activities
NOTES = """\
**Who gets it.** Nobody who opted out of everything or of the channel, nobody without a valid address, and of several
people with one address the first only. Flags and addresses are those of the profile, whatever columns the transition
carries. Rows that nobody has reconciled are refused: put a `reconciliation` before. `result` has exactly those whose
message was sent; `complement` has all others, `profile_id` and `reason`:

| `reason` | what it means |
|---|---|
| `opt_out_all`, `{opt_out}` | the profile opted out |
| `no_address`, `invalid_address` | it has no `{field}`, or one that no message can be sent to |
| `duplicate_address` | somebody else in the population has the same address |
| `not_rendered`, `too_large` | a template fails on its values or comes out empty, or is longer than it may be |
| `refused`, `deferred` | the other side does not take it, or put it off each time |
| `uncertain` | a process died, or a connection broke, between the last line of the message and the answer to it |

**Templates** are [Jinja](https://jinja.palletsprojects.com/), a part of it: `{{{{ first_name }}}}`, filters
(`{{{{ city | upper }}}}`, `{{{{ birth_date | date('%d.%m.%Y') }}}}`), `{{% if city %}}...{{% endif %}}`. They may name
columns of the transition, fields of the profile and parameters of the run, in this order. What has no value is an empty
text: `{{{{ first_name or 'friend' }}}}`. Nothing in them repeats, and nothing is called. A name that is not there is a
fault that `workflow check` finds, with its place.

**Confirmation.** The run pauses before anything is sent, and tells how many messages are ready and who is left out and
why. `symbolon run confirm RUN` sends them, `symbolon run cancel RUN` does not. `confirm: false` sends at once.
Whoever opts out in between gets nothing.

**Never twice.** A run that goes on after a crash or an error sends to those who are left. A plan counts, and sends
nothing. `workflow restart --from` this activity is a new delivery, which has to be confirmed again.
See [Deliveries](../deliveries.md).
"""


def deliver(request: DeliveryRequest, context: Context, *, confirm: bool) -> Outcome:
    """Send to the population; give those who were sent to, and the others."""
    inbound = context.inputs[0]
    nobody = Population(context.engine.relation(empty_table(_LACKING)))
    if inbound.dimension != PROFILE:
        hint = "put a `reconciliation` in between" if inbound.dimension == UNKNOWN else "send to the people themselves"
        context.fault("from", "messages are sent to people, and these are none", hint)
    if context.mode is Mode.CHECK:
        for one in context.deliveries.faults(request, inbound.extra):
            context.fault(one.path, one.message, one.hint, line=one.line, column=one.column)
    if context.mode is Mode.CHECK or inbound.dimension != PROFILE:
        return {RESULT: inbound, COMPLEMENT: nobody}
    made = context.deliveries.prepare(request, inbound.relation, directory=context.directory)
    if context.mode is Mode.RUN:
        if confirm and not context.is_confirmed():
            _told(context, made)
            return {}
        made = context.deliveries.send(request, inbound.relation, directory=context.directory)
    _told(context, made)
    # the columns that came along go on with those whom it was sent to
    people = inbound.relation.semi_join(made.people, "profile_id")
    return {RESULT: inbound.of(people), COMPLEMENT: Population(made.complement)}


def run_of(context: Context) -> str:
    """Give what names the delivery: run and activity; empty in a check or a plan."""
    return f"{context.run_id}/{context.activity}" if context.mode is Mode.RUN else ""


def _told(context: Context, made: DeliveryOutcome) -> None:
    context.note(receipt=msgspec.to_builtins(made.receipt))
