"""SMS delivery: a text message to everybody in a population who may get one.

Source: Adobe Campaign Standard, "SMS delivery" activity: confirmation before sending is the default.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.records import Channel
from symbolon.targeting.activities._delivery import NOTES, deliver, run_of
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.delivering import DeliveryRequest


class SmsDeliveryOptions(Options, frozen=True, kw_only=True):
    """What is sent, and by what."""

    text: Annotated[str, Meta(description="Template of the text, at most 1,530 signs: ten parts of a text message.")]
    sender: Annotated[
        str,
        Meta(description="Name of a sender that is a folder. Empty = the sandbox. A gateway may read from a folder."),
    ] = ""
    from_address: Annotated[
        str, Meta(description="What the telephone shows as the sender, a number or at most 16 signs.")
    ] = ""
    confirm: Annotated[
        bool, Meta(description="Whether the run pauses before sending until somebody confirms: `symbolon run confirm`.")
    ] = True


def apply(options: SmsDeliveryOptions, context: Context) -> Outcome:
    """Send SMS to the population."""
    request = DeliveryRequest(
        channel=Channel.SMS,
        sender=options.sender,
        text=options.text,
        from_address=options.from_address.strip(),
        parameters=dict(context.parameters),
        place=context.place,
        run_id=run_of(context),
    )
    return deliver(request, context, confirm=options.confirm)


ACTIVITY = Activity(
    name="sms_delivery",
    title="SMS delivery",
    summary="Sends a text message to everybody in a population who may get one.",
    category=Category.CHANNELS,
    options=SmsDeliveryOptions,
    apply=apply,
    outputs=lambda _options: [RESULT, COMPLEMENT],
    effect=True,
    example="""\
- id: reminder
  type: sms_delivery
  from: members
  from_address: Harbour
  text: "{{ first_name or 'Hello' }}, your points end on {{ birth_date | date('%d.%m.') }}"
""",
    notes="""\
There is no gateway for SMS yet: each message becomes a file of JSON (`id`, `to`, `from`, `text`) in the folder of the
sender, from where a program of yours can take it to a gateway. Numbers are in E.164, `+33612345678`; one without a
country code takes the `region` of the project.

"""
    + NOTES.format(field="mobile_phone", opt_out="opt_out_sms"),
)
