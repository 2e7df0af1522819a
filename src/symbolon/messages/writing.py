"""The templates of one request, and what they make of one row: the texts of a message.

Invariant: a text is within the bounds of its channel, and is not empty; else there is a reason, and no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbolon.messages.errors import TemplateInvalid
from symbolon.messages.message import Texts, one_line, plain
from symbolon.messages.templates import NotRendered, Template, TemplateFault, TooLarge, find_faults
from symbolon.records import Channel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from symbolon.targeting import DeliveryRequest

#: longest text of an SMS: ten parts of 153 signs
MOST_SMS = 1_530
#: longest subject; servers cut them long before
MOST_SUBJECT = 400
NOT_RENDERED, TOO_LARGE = "not_rendered", "too_large"


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Why there is no message."""

    reason: str


class Writer:
    """Writes the texts of messages.

    Args:
        request: its templates.
        known: what they may name.

    Raises:
        TemplateInvalid: one of them cannot be read.
    """

    def __init__(self, request: DeliveryRequest, known: Collection[str]) -> None:
        wrong = next(faults_of(request, known), None)
        if wrong is not None:
            raise TemplateInvalid(f"{wrong[0]}: {wrong[1].message}", hint=wrong[1].hint or None)
        self._most = MOST_SMS if request.channel is Channel.SMS else None
        self._text = Template(request.text)
        self._subject = Template(request.subject) if request.channel is Channel.EMAIL else None
        self._html = Template(request.html, html=True) if request.html.strip() else None
        #: what the templates name, in order
        self.names = sorted(
            self._text.names
            | (self._subject.names if self._subject else frozenset())
            | (self._html.names if self._html else frozenset())
        )

    def write(self, values: Mapping[str, Any]) -> Texts | Unwritten:
        """Write the texts for the values of one person, or say why not."""
        try:
            text = self._text.render(values, most=self._most) if self._most else self._text.render(values)
            subject = self._subject.render(values, most=MOST_SUBJECT) if self._subject else ""
            html = self._html.render(values) if self._html else ""
        except TooLarge:
            return Unwritten(TOO_LARGE)
        except NotRendered:
            return Unwritten(NOT_RENDERED)
        if not plain(text).strip() or (self._subject and not one_line(subject)):
            return Unwritten(NOT_RENDERED)
        return Texts(text, subject, html)


def faults_of(request: DeliveryRequest, known: Collection[str]) -> Iterator[tuple[str, TemplateFault]]:
    """Find every fault of the templates of a request: option, fault."""
    wanted = [("text", request.text, False)]
    if request.channel is Channel.EMAIL:
        wanted = [("subject", request.subject, False), *wanted]
    for option, source, html in [*wanted, *([("html", request.html, True)] if request.html else [])]:
        if not source.strip():
            yield option, TemplateFault("it is empty", f"{option}: Hello {{{{ first_name or 'friend' }}}}")
            continue
        for fault in find_faults(source, known, html=html):
            yield option, fault
