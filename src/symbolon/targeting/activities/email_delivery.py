"""E-mail delivery: a message to everybody in a population who may get one.

Source: Adobe Campaign Standard, "Email delivery" activity: confirmation before sending is the default; "Filtering
rules": address not specified, on denylist, duplicate.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from symbolon.records import Channel
from symbolon.targeting.activities._delivery import NOTES, deliver, run_of
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.delivering import DeliveryRequest


class EmailDeliveryOptions(Options, frozen=True, kw_only=True):
    """What is sent, and by what."""

    subject: Annotated[str, Meta(description="Template of the subject, at most 400 signs on one line.")]
    text: Annotated[str, Meta(description="Template of the text.")]
    html: Annotated[
        str, Meta(description="Template of the same as HTML, in which values are escaped. Empty = text only.")
    ] = ""
    sender: Annotated[
        str, Meta(description="Name of a sender. Empty = the sandbox: each message becomes a file in the outbox.")
    ] = ""
    from_address: Annotated[str, Meta(description="Whom it is from. Default: as the sender says.")] = ""
    from_name: Annotated[str, Meta(description="Their name. Default: as the sender says.")] = ""
    reply_to: Annotated[str, Meta(description="Where answers go. Default: to whom it is from.")] = ""
    confirm: Annotated[
        bool, Meta(description="Whether the run pauses before sending until somebody confirms: `symbolon run confirm`.")
    ] = True


def apply(options: EmailDeliveryOptions, context: Context) -> Outcome:
    """Send e-mail to the population."""
    request = DeliveryRequest(
        channel=Channel.EMAIL,
        sender=options.sender,
        subject=options.subject,
        text=options.text,
        html=options.html,
        from_address=options.from_address.strip(),
        from_name=options.from_name,
        reply_to=options.reply_to.strip(),
        parameters=dict(context.parameters),
        place=context.place,
        run_id=run_of(context),
    )
    return deliver(request, context, confirm=options.confirm)


ACTIVITY = Activity(
    name="email_delivery",
    title="Email delivery",
    summary="Sends an e-mail to everybody in a population who may get one.",
    category=Category.CHANNELS,
    options=EmailDeliveryOptions,
    apply=apply,
    outputs=lambda _options: [RESULT, COMPLEMENT],
    effect=True,
    example="""\
- id: newsletter
  type: email_delivery
  from: subscribers
  from_address: news@harbour.example
  from_name: Harbour & Hale
  subject: "{{ first_name or 'Dear reader' }}, what is new in July"
  text: |
    Hello {{ first_name or 'reader' }},
    the summer has begun{% if city %} in {{ city }}{% endif %}.
""",
    notes=NOTES.format(field="email", opt_out="opt_out_email"),
)
