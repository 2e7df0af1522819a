"""Messages: templates, senders, and deliveries that survive a crash. Only this room knows Jinja's sandbox and SMTP."""

from symbolon.messages.dispatching import Dispatcher
from symbolon.messages.errors import SenderDenied, SenderInvalid, SenderUnreachable, TemplateInvalid
from symbolon.messages.senders import Sender, Senders

__all__ = [
    "Dispatcher",
    "Sender",
    "SenderDenied",
    "SenderInvalid",
    "SenderUnreachable",
    "Senders",
    "TemplateInvalid",
]
