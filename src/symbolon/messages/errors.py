"""What can go wrong with senders and messages. No message, no address and no answer of a server is ever repeated."""

from __future__ import annotations

from symbolon.errors import DefinitionError, TransportError


class SenderInvalid(DefinitionError):
    """What a sender is said to be does not hold together; all faults are listed at once."""

    code = "sender.invalid"
    default_hint = "symbolon sender add --help lists what a sender may have"


class SenderUnreachable(TransportError):
    """What messages are sent by does not answer, or puts everything off. It was tried again, with growing pauses.

    What was sent stays sent.
    """

    code = "sender.unreachable"
    retryable = True
    default_hint = (
        "symbolon sender test NAME tells which step fails; then symbolon run resume RUN goes on where it stands"
    )


class SenderDenied(TransportError):
    """The server refuses the user, the password, the address that messages are from, or is not who it should be."""

    code = "sender.denied"
    default_hint = "symbolon sender test NAME tells which step fails; symbolon sender edit NAME --help mends it"


class TemplateInvalid(DefinitionError):
    """A template of a message cannot be read, or names what its rows do not have."""

    code = "message.template"
    default_hint = "symbolon workflow check FILE tells every fault with its place"
