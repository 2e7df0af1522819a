"""A message, rendered for one person, as it goes out.

Invariant: neither the address nor the text of a message is part of its `repr`. Its token names it everywhere else: a
keyed digest, whose key was thrown away, so that nothing leads from it to a person.

Source: RFC 5322 (Message-ID, headers), RFC 2046 (alternatives), RFC 5321 (lines end in CR LF).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

import msgspec

from symbolon.records import Channel

if TYPE_CHECKING:
    from datetime import datetime

#: what no text of a message holds: control characters other than tab and line end
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One message."""

    #: 32 hexadecimal digits
    token: str
    #: whom it is from, as an envelope says it
    origin: str
    address: str
    #: what goes out: RFC 5322 with CR LF, or JSON
    content: bytes
    #: what the name of a file ends in
    ending: str

    def __repr__(self) -> str:
        return f"Message({self.token})"


@dataclass(frozen=True, slots=True, repr=False)
class Texts:
    """The rendered texts of one message."""

    text: str
    subject: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes messages of texts.

    Args:
        channel: e-mail or SMS.
        from_address: whom they are from; of an SMS what the telephone shows.
    """

    channel: Channel
    from_address: str
    from_name: str = ""
    reply_to: str = ""

    def compose(self, token: str, address: str, texts: Texts, now: datetime) -> Message:
        """Make one message.

        Args:
            token: names it; the same token makes the same Message-ID.
            address: normalised and valid; of e-mail ASCII.
            texts: what it says.
            now: its date.
        """
        if self.channel is Channel.SMS:
            content = {"id": token, "to": address, "from": self.from_address, "text": plain(texts.text)}
            return Message(token, self.from_address, address, msgspec.json.encode(content), ".json")
        made = EmailMessage(policy=SMTP)
        made["From"] = _address(self.from_address, self.from_name)
        made["To"] = _address(address)
        if self.reply_to:
            made["Reply-To"] = _address(self.reply_to)
        made["Subject"] = one_line(texts.subject)
        made["Date"] = format_datetime(now)
        made["Message-ID"] = f"<{token}@{self.from_address.rpartition('@')[2]}>"
        made.set_content(plain(texts.text))
        if texts.html:
            made.add_alternative(plain(texts.html), subtype="html")
        return Message(token, self.from_address, address, made.as_bytes(), ".eml")


def one_line(text: str) -> str:
    """Give a text as one line without control characters: a line end in it would begin another header."""
    return _CONTROL.sub("", " ".join(text.split()))


def plain(text: str) -> str:
    """Give a text without control characters, its lines ended by LF."""
    return _CONTROL.sub("", re.sub(r"\r\n?", "\n", text))


def ascii_address(address: str) -> str | None:
    """Give a valid e-mail address with its domain in ASCII (IDNA); None where what stands before the @ is not."""
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        return None
    try:
        return address if domain.isascii() else f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None


def _address(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(display_name=one_line(name), username=local, domain=domain)
