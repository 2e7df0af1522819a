"""A real SMTP server for tests (aiosmtpd), on loopback, with STARTTLS, TLS, AUTH, and answers that a test chooses.

A suite imports the fixture it needs: `from smtpserver import certificate, mail`.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "news", "canary-password"
#: an answer that is none: the connection is cut when the address is named, or when the message is whole
CUT_EARLY, CUT_LATE = "cut early", "cut late"


class Mail:
    """What arrived, and what is answered.

    `answers` has, for an address, the answers to give one after the other, before it is taken: `450 later` (when it
    is named), `data 550 no` (when the message is whole), `CUT_EARLY`, `CUT_LATE`.
    """

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []
        self.answers: dict[str, list[str]] = {}
        #: as `answers`, for the address that messages are from
        self.origin: list[str] = []
        self.logins: list[str] = []
        self.tried = 0

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.arrived]

    def parsed(self) -> list[EmailMessage]:
        return [email.message_from_bytes(content, policy=email.policy.default) for _, content in self.arrived]

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if self.origin:
            return self.origin.pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        self.tried += 1
        waiting = self.answers.get(address, [])
        if waiting and waiting[0] == CUT_EARLY:
            waiting.pop(0)
            server.transport.abort()
            return "250 OK"
        if waiting and not waiting[0].startswith(("data", "cut")):
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        waiting = self.answers.get(address, [])
        answer = waiting.pop(0) if waiting else ""
        if answer.startswith("data"):
            return answer.removeprefix("data ")
        self.arrived.append((address, envelope.original_content))
        if answer == CUT_LATE:
            server.transport.abort()
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append(mechanism)
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)


class Server:
    """A server under way: where it is, and what arrived."""

    def __init__(self, controller: Controller, mail: Mail) -> None:
        self._controller: Controller | None = controller
        self.mail = mail
        self.port: int = controller.server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


class _Anywhere(Controller):
    """A controller on whatever port is free."""

    def _trigger_server(self) -> None:
        # somebody comes and goes: the controller waits for the first one
        socket.create_connection(self.server.sockets[0].getsockname()[:2], timeout=5).close()


def serve(mail: Mail, **options: Any) -> Server:
    """Begin to serve."""
    controller = _Anywhere(mail, hostname="127.0.0.1", port=0, **options)
    controller.start()
    return Server(controller, mail)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def mail() -> Iterator[Server]:
    """A server without protection, for messages of this machine."""
    server = serve(Mail())
    yield server
    server.stop()


@pytest.fixture
def guarded(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A server that wants STARTTLS, then a user and a password."""
    mail = Mail()
    server = serve(
        mail, tls_context=tls(certificate), require_starttls=True, auth_required=True, auth_require_tls=True,
        authenticator=mail.authenticate,
    )  # fmt: skip
    yield server
    server.stop()


@pytest.fixture
def wrapped(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A server that speaks TLS from the first byte."""
    server = serve(Mail(), ssl_context=tls(certificate))
    yield server
    server.stop()
