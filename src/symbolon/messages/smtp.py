"""A mail server that takes messages by SMTP.

Invariant: a message is sent again only while it is sure that the server does not have it. Once its last line has gone
out, only the server's answer counts; if none comes, the message is uncertain. No answer of a server is repeated: they
quote addresses.

Source: RFC 5321, 4.2.1 (4yz: try again; 5yz: do not), 4.5.2 (lines that begin with a dot), 4.5.3.2.6 (the end of the
data); RFC 3207 (STARTTLS), RFC 8314 (TLS from the first byte).
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from symbolon.errors import InternalError, SymbolonError
from symbolon.messages.errors import SenderDenied, SenderUnreachable
from symbolon.targeting import DEFERRED, REFUSED, SENT, UNCERTAIN
from symbolon.transports import Probe, Retrying, failed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbolon.messages.message import Message
    from symbolon.messages.senders import Sender

    _Probes = list[Probe]
#: so many messages put off in a row are the server's trouble, not theirs
MOST_DEFERRED = 5
#: the server closes
_CLOSING = 421
#: a message is larger than the server takes: told when the sender is named, and no fault of the sender
_TOO_LARGE = 552
#: no answer, or none that can be read
_GONE = (smtplib.SMTPException, OSError)


class _PutOff(SenderUnreachable):
    """The server put one message off; `code` is that of its family."""


class SmtpOutlet:
    """Sends messages to one mail server, over one connection that is made anew where it breaks.

    Args:
        sender: host, port, security, user.
        password: of the user; empty = none.
        certificates: a file of certificate authorities; None = those of the machine.
        retrying: how often, and after which pauses.
    """

    is_outward = True

    def __init__(self, sender: Sender, password: str, certificates: Path | None, *, retrying: Retrying) -> None:
        self._sender = sender
        self._password = password
        self._certificates = certificates
        self._retrying = retrying
        self._connection: smtplib.SMTP | None = None
        self._deferred = 0

    def __repr__(self) -> str:
        return f"SmtpOutlet({self._sender.name})"

    def ready(self, message: Message) -> None:
        """Have a connection: a message is not on its way while one is made."""
        del message
        self._retrying.run(self._connected)

    def send(self, message: Message) -> str:
        """Send a message, again where it is sure that the server does not have it."""
        try:
            outcome = self._retrying.run(lambda: self._tried(message))
        except _PutOff:
            self._deferred += 1
            if self._deferred > MOST_DEFERRED:
                raise SenderUnreachable(f"the server of sender `{self._sender.name}` puts every message off") from None
            return DEFERRED
        self._deferred = 0
        return outcome

    def settle(self, token: str) -> str | None:
        """Nobody knows."""
        del token
        return UNCERTAIN

    def check(self) -> _Probes:
        """Connect, protect the connection, log in, and ask for an answer."""
        self.close()
        probes: list[Probe] = []
        steps: list[tuple[str, Callable[[], str]]] = [("connect", self._connect), ("login", self._log_in)]
        for step, work in [*steps, ("noop", self._asked)]:
            try:
                probes.append(Probe(step=step, passed=True, detail=work()))
            except SymbolonError as error:
                return [*probes, failed(step, error)]
            except Exception as error:  # noqa: BLE001 - a test of a sender reports, whatever happens
                return [*probes, failed(step, InternalError(f"an unexpected {type(error).__name__}"))]
        return probes

    def close(self) -> None:
        """Say goodbye."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_GONE):
                connection.quit()
            with suppress(OSError):
                connection.close()

    def _tried(self, message: Message) -> str:
        """Send it once.

        Raises:
            SenderUnreachable: the server does not have it.
            _PutOff: so it says.
        """
        connection = self._connected()
        try:
            code, _ = connection.mail(message.origin)
            if code >= 400:
                return self._no(code, "the address that messages are from", everybody=code != _TOO_LARGE)
            code, _ = connection.rcpt(message.address)
            if code >= 400:
                return self._no(code)
            code, _ = connection.docmd("DATA")
            if code != 354:
                return self._no(code)
            connection.send(_dotted(message.content))
        except _GONE as error:
            self._lost(error)
        try:
            code, _ = connection.getreply()
        except _GONE:
            self._drop()
            return UNCERTAIN  # it may have it
        return SENT if code == 250 else self._no(code)

    def _no(self, code: int, what: str = "", *, everybody: bool = False) -> str:
        """Take a refusal: for good, for now, or of everything."""
        if code == _CLOSING or self._connection is None:
            self._drop()
            raise SenderUnreachable(f"the server of sender `{self._sender.name}` closes the connection ({code})")
        try:
            if self._connection.rset()[0] >= 400:
                self._drop()
        except _GONE:
            self._drop()
        if code < 500:
            raise _PutOff(f"the server of sender `{self._sender.name}` puts a message off ({code})")
        if everybody:
            raise SenderDenied(f"the server of sender `{self._sender.name}` refuses {what} ({code})")
        return REFUSED

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connect()
            self._log_in()
        assert self._connection is not None  # noqa: S101 - connected
        return self._connection

    def _connect(self) -> str:
        sender = self._sender
        try:
            context = ssl.create_default_context(cafile=self._certificates)
        except (OSError, ssl.SSLError):
            raise SenderDenied(f"the `ca_file` of sender `{sender.name}` cannot be read") from None
        try:
            if sender.security == "tls":
                made: smtplib.SMTP = smtplib.SMTP_SSL(
                    sender.host, sender.port, timeout=sender.timeout_s, context=context
                )
            else:
                made = smtplib.SMTP(sender.host, sender.port, timeout=sender.timeout_s)
            self._connection = made
            made.ehlo_or_helo_if_needed()
            if sender.security == "starttls":
                made.starttls(context=context)
                made.ehlo()
        except ssl.SSLCertVerificationError:
            self._drop()
            raise SenderDenied(
                f"the certificate of the server of sender `{sender.name}` is not trusted, or is for another host",
                hint="name the host as its certificate does; `--ca-file FILE` names an authority of your own",
            ) from None
        except smtplib.SMTPNotSupportedError:
            self._drop()
            raise SenderDenied(
                f"the server of sender `{sender.name}` does not offer STARTTLS: nothing was sent",
                hint="symbolon sender edit NAME --security tls, or another port",
            ) from None
        except _GONE as error:
            self._lost(error)
        return {"none": "not encrypted", "starttls": "encrypted by STARTTLS", "tls": "encrypted"}[sender.security]

    def _log_in(self) -> str:
        sender, connection = self._sender, self._connection
        assert connection is not None  # noqa: S101 - connected
        if not sender.user:
            return "without a user"
        try:
            connection.login(sender.user, self._password)
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            if 400 <= error.smtp_code < 500:
                raise SenderUnreachable(
                    f"the server of sender `{sender.name}` cannot check the password now ({error.smtp_code})"
                ) from None
            raise SenderDenied(
                f"the server of sender `{sender.name}` refuses user or password ({error.smtp_code})",
                hint=f"symbolon sender edit {sender.name} --password-file FILE",
            ) from None
        except smtplib.SMTPNotSupportedError:
            self._drop()
            raise SenderDenied(f"the server of sender `{sender.name}` takes no password on this connection") from None
        except _GONE as error:
            self._lost(error)
        return "user and password are accepted"

    def _asked(self) -> str:
        try:
            code, _ = self._connected().noop()
        except _GONE as error:
            self._lost(error)
        finally:
            self.close()
        return f"it answers ({code})"

    def _lost(self, error: BaseException) -> NoReturn:
        """Tell that there is no connection any more; the kind of the fault is told, its text is not."""
        self._drop()
        code = f", {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        raise SenderUnreachable(
            f"the server of sender `{self._sender.name}` does not answer, or the connection broke "
            f"({type(error).__name__}{code})"
        ) from None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()


def _dotted(content: bytes) -> bytes:
    """Give the data of a message as it goes over the wire: lines end in CR LF, dots are doubled, a dot ends it."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    doubled = re.sub(rb"(?m)^\.", b"..", lines)
    return doubled + (b"" if doubled.endswith(b"\r\n") else b"\r\n") + b".\r\n"
