"""What targeting needs to send messages; `messages` implements it, `app.py` wires it.

Invariant: a delivery belongs to a place of the run. Preparing and sending it again at that place, in whatever process,
goes on where it stood, and sends no message a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from symbolon.records import Channel  # noqa: TC001 - msgspec reads the annotation at run time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import ibis

#: what became of a message, in the log of its delivery; every other outcome says why it was withheld
SENT, UNCERTAIN = "sent", "uncertain"
#: the other side said no, for good; or not now, each time it was asked
REFUSED, DEFERRED = "refused", "deferred"


class DeliveryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to be sent to a population."""

    channel: Channel
    #: name of a sender; empty = the sandbox
    sender: str = ""
    #: templates; `subject` and `html` of e-mail only
    subject: str = ""
    text: str = ""
    html: str = ""
    #: whom the messages are from; empty = as the sender says
    from_address: str = ""
    from_name: str = ""
    reply_to: str = ""
    #: values that templates may name besides columns: the parameters of the run
    parameters: dict[str, Any] = {}
    #: first part of the names of the tables that keep the delivery; empty in a check and in a plan
    place: str = ""
    #: `<run>/<activity>`, for names of files
    run_id: str = ""


class DeliveryFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a request."""

    #: option of the activity: `text`, `sender`
    path: str
    message: str
    hint: str = ""
    #: line and column in a template, from 1; 0 = the whole option
    line: int = 0
    column: int = 0


class DeliveryReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everybody in a population that messages were to be sent to.

    Invariant (`faults`): population = ready + sent + withheld + refused + uncertain; nobody is `ready` at the end.
    """

    channel: str
    #: name of the sender, `sandbox`
    sender: str
    #: profiles in the population
    population: int = 0
    #: profiles whose message could be sent, and is not yet: in a plan, or while it awaits confirmation
    ready: int = 0
    sent: int = 0
    #: profiles to whom nothing was to be sent, by reason
    withheld: dict[str, int] = {}
    #: messages that the other side did not take, by reason: `refused`, `deferred`
    refused: dict[str, int] = {}
    #: messages of which nobody knows whether they were taken: they are not sent again
    uncertain: int = 0
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """Name every identity that does not hold; empty = it balances."""
        known = self.ready + self.sent + sum(self.withheld.values()) + sum(self.refused.values()) + self.uncertain
        return [] if self.population == known else ["population = ready + sent + withheld + refused + uncertain"]


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What came of a delivery so far, as relations that live as long as the directory given does."""

    receipt: DeliveryReceipt
    #: profile_id                     those whose message was sent; in a plan, those whose message would be
    people: ibis.Table
    #: profile_id, reason             everybody else of the population
    complement: ibis.Table


class Deliveries(Protocol):
    """What sends messages, as targeting sees it."""

    def faults(self, request: DeliveryRequest, columns: Collection[str]) -> Sequence[DeliveryFault]:
        """Find everything that is wrong with a request, without reading rows.

        Args:
            request: what is to be sent.
            columns: the further columns of the population; templates may name them, and fields of profiles.
        """
        ...

    def prepare(self, request: DeliveryRequest, people: ibis.Table, *, directory: Path) -> DeliveryOutcome:
        """Decide who gets a message and who does not, and why; send nothing.

        What was decided is kept under the request's place, and given again when it is asked for again. Without a place
        nothing is kept.

        Args:
            request: what is to be sent.
            people: profile_id, further columns; each profile at most once.
            directory: where files may be made; lives longer than what is given back.
        """
        ...

    def send(self, request: DeliveryRequest, people: ibis.Table, *, directory: Path) -> DeliveryOutcome:
        """Send what was prepared, from where it stands; give what became of everybody. Takes what `prepare` takes.

        Raises:
            SenderUnreachable: the other side does not answer. What was sent stays sent; the same call goes on.
            SenderDenied: the other side refuses us.
        """
        ...
