"""What takes messages: a folder, a mail server. One outlet is one delivery's way out.

Invariant: after `ready`, `send` is called once. A process that dies in between or inside is asked about by another one,
with `settle`, which says whether the message went out; where nobody can know, it is uncertain and never sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from symbolon.messages.message import Message
    from symbolon.transports import Probe

    _Probes = list[Probe]


class Outlet(Protocol):
    """Takes messages, one after the other."""

    #: whether what went out has reached somebody: that it goes is then noted so that it outlasts the machine
    is_outward: bool

    def ready(self, message: Message) -> None:
        """Do what can be done before a message is on its way; it may be done again.

        Raises:
            SenderUnreachable, SenderDenied: nothing could be sent now.
        """
        ...

    def send(self, message: Message) -> str:
        """Send a message; give what became of it: `sent`, `refused`, `deferred` or `uncertain`.

        Raises:
            SenderUnreachable, SenderDenied: nothing could be sent now; this message was not.
        """
        ...

    def settle(self, token: str) -> str | None:
        """Say what became of a message that was on its way when a process died; None = it was certainly not sent."""
        ...

    def check(self) -> _Probes:
        """Try everything but sending; stop at the first step that fails. Never raises."""
        ...

    def close(self) -> None:
        """Let go of connections. May be called twice."""
        ...
