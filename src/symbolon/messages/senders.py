"""Senders: what messages are sent by, defined by name, tried out, opened.

Invariant: a sender that is saved holds together, and its password is wrapped before it touches the store, bound to the
sender's name and version. A password does not go along to another server.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pyarrow as pa

from symbolon.errors import SymbolonError
from symbolon.ids import valid_address
from symbolon.keys import Secret
from symbolon.messages.errors import SenderInvalid
from symbolon.messages.folder import FolderOutlet
from symbolon.messages.message import Composer, Texts, ascii_address
from symbolon.messages.smtp import SmtpOutlet
from symbolon.records import Channel, DefinitionKind
from symbolon.store import SealedDefinitions
from symbolon.targeting import SENT
from symbolon.transports import Probe, Retrying, failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from symbolon.keys import KeyProvider
    from symbolon.messages.outlet import Outlet
    from symbolon.records import Definition
    from symbolon.settings import Settings
    from symbolon.store import Store

Security = Literal["starttls", "tls", "none"]
#: the sender that is always there
SANDBOX = "sandbox"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_TEST = "A test message of Symbolon."
#: one is not enough, and two waits must not last for minutes
_PATIENCE = Retrying(attempts=4, first_s=1.0, most_s=15.0)


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A sender as it is defined; its password is never part of it."""

    name: str = ""
    version: int = 0
    kind: Literal["folder", "smtp"] = "folder"
    #: `folder`: below the project's `outbox/messages/`; empty = the sender's name
    folder: str = ""
    #: `smtp`: the server; port 0 = the usual one of its security
    host: str = ""
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    #: how long an answer is waited for
    timeout_s: float = 30.0
    #: a file of certificate authorities (PEM); a relative path is below the project; empty = those of the machine
    ca_file: str = ""
    #: whether messages may leave this machine without encryption
    allow_plain: bool = False
    #: whom messages are from where an activity does not say it
    from_address: str = ""
    from_name: str = ""
    has_password: bool = False
    created: datetime | None = None


_OWN = ("name", "version", "created")
_SMTP = ("host", "port", "user", "ca_file", "allow_plain")
_Senders = list[Sender]
_Probes = list[Probe]


class Senders:
    """The senders of a project.

    Args:
        retrying: how often and after which pauses a server is tried again.
    """

    def __init__(self, *, store: Store, keys: KeyProvider, settings: Settings, retrying: Retrying = _PATIENCE) -> None:
        self._kept = SealedDefinitions(store, keys, DefinitionKind.SENDER, SenderInvalid)
        self._project = settings.project
        self._retrying = retrying

    def list(self) -> _Senders:
        """Give all senders, by name. The sandbox is not among them."""
        return [_read(one) for one in self._kept.all()]

    def show(self, name: str) -> Sender:
        """Give one sender.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        return Sender(name=SANDBOX, folder=SANDBOX) if name in ("", SANDBOX) else _read(self._kept.get(name))

    def add(self, name: str, values: Mapping[str, Any], password: str = "") -> Sender:
        """Check and save a new sender, its password wrapped. Nothing is connected to.

        Args:
            name: 1 to 64 letters, digits, `-`, `_` or `.`.
            values: fields of `Sender` that are not as they are by default.
            password: of the user; kept wrapped by the project's master key.

        Raises:
            SenderInvalid: the definition does not hold together; all faults at once.
            NameTaken: there is one of this name.
        """
        if name == SANDBOX:
            raise SenderInvalid(f"`{SANDBOX}` is the folder that is always there", hint="choose another name")
        self._kept.require_free(name)
        return self._save(name, dict(values), Secret({"password": password} if password else {}), base=0)

    def edit(self, name: str, values: Mapping[str, Any], password: str | None = None) -> Sender:
        """Save the next version of a sender.

        Args:
            name: which.
            values: fields of `Sender` that change.
            password: the new one; None = as before, empty = none.

        Raises:
            SenderInvalid: the changed definition does not hold together, or the password would go to another server.
            UnknownNameError: nothing has this name.
            StoreConflict: somebody else changed it meanwhile.
        """
        before = self._kept.get(name)
        body = msgspec.json.decode(before.body)
        changed = {**body, **values}
        if "security" in values and "port" not in values:
            changed["port"] = 0
        secret = self._kept.secret(before) if password is None else Secret({"password": password} if password else {})
        moves = any(changed.get(part) != body.get(part) for part in ("kind", "host", "port", "user", "security"))
        if password is None and secret and moves:
            raise SenderInvalid("the password of a sender does not go along to another server", hint="give it as well")
        return self._save(name, changed, secret, base=before.version)

    def delete(self, name: str) -> None:
        """Remove a sender with all its versions and passwords. Messages in its folder stay.

        Raises:
            UnknownNameError: nothing has this name.
        """
        self._kept.delete(name)

    def open(self, name: str, folder: str = "", *, patient: bool = True) -> Outlet:
        """Open the way out of a sender; whoever opens it closes it. Nothing is connected to yet.

        Args:
            name: of a sender; empty = the sandbox.
            folder: of a folder sender, below its own folder.
            patient: whether what may pass by itself is tried again.

        Raises:
            UnknownNameError: nothing has this name.
        """
        sender = self.show(name)
        if sender.kind == "folder":
            return FolderOutlet(self._project / "outbox" / "messages" / (sender.folder or sender.name) / folder)
        password = self._kept.secret(self._kept.get(name)).get("password", "")
        certificates = self._project / sender.ca_file if sender.ca_file else None
        retrying = self._retrying if patient else Retrying(attempts=1)
        return SmtpOutlet(sender, password, certificates, retrying=retrying)

    def test(self, name: str, *, to: str = "", channel: Channel = Channel.EMAIL) -> _Probes:
        """Try a sender out; stop at the first step that fails.

        Args:
            name: which.
            to: an address to which one message is really sent.
            channel: what kind of message that is.

        Raises:
            UnknownNameError: nothing has this name.
            SenderInvalid: `to` is no address.
        """
        sender = self.show(name)
        address = _addressed(to, channel) if to else ""
        if address and channel is Channel.SMS and sender.kind != "folder":
            raise SenderInvalid("only a folder takes SMS", hint="leave --sms out")
        outlet = self.open(name, "test", patient=False)
        try:
            probes = outlet.check()
            if address and all(probe.passed for probe in probes):
                probes = [*probes, _sent(outlet, sender, address, channel)]
            return probes
        finally:
            outlet.close()

    def _save(self, name: str, values: dict[str, Any], secret: Secret, *, base: int) -> Sender:
        given = {key: value for key, value in values.items() if key not in _OWN} | {"has_password": bool(secret)}
        try:
            sender = msgspec.convert({**given, "name": name}, Sender)
        except msgspec.ValidationError as error:
            raise SenderInvalid(f"a sender cannot be like that: {error}") from None
        if sender.kind == "smtp" and not sender.port:
            sender = msgspec.structs.replace(sender, port=_PORTS[sender.security])
        faults = _faults(sender, has_password=bool(secret))
        if faults:
            raise SenderInvalid("; ".join(faults))
        body = {key: value for key, value in msgspec.to_builtins(sender).items() if key not in _OWN}
        return _read(self._kept.put(name, msgspec.json.encode(body).decode(), secret, base=base))


def address_fault(address: str) -> str:
    """Say what is wrong with an e-mail address that messages are to be from; empty = nothing."""
    if valid_address(pa.array([address]), "email")[0].as_py() and ascii_address(address) is not None:
        return ""
    return "this is no e-mail address"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _faults(sender: Sender, *, has_password: bool) -> list[str]:
    faults = []
    if sender.from_address and address_fault(sender.from_address):
        faults.append("`from_address` is no e-mail address")
    if not sender.from_name.isprintable() or len(sender.from_name) > 200:
        faults.append("`from_name` is at most 200 signs on one line")
    of_kind = _folder_faults if sender.kind == "folder" else _smtp_faults
    return [*faults, *of_kind(sender, has_password=has_password)]


def _folder_faults(sender: Sender, *, has_password: bool) -> Iterator[str]:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Sender)}
    yield from (f"a folder has no `{name}`" for name in _SMTP if getattr(sender, name) != defaults[name])
    if has_password:
        yield "a folder has no password"
    if sender.folder and not _FOLDER.fullmatch(sender.folder):
        yield "`folder` is a relative path of letters, digits, `-`, `_`, `.`, below outbox/messages"


def _smtp_faults(sender: Sender, *, has_password: bool) -> Iterator[str]:
    if sender.folder:
        yield "`smtp` has no `folder`"
    if not _HOST.fullmatch(sender.host) or len(sender.host) > 253:
        yield "`smtp` needs the name of a `host`"
    if not 1 <= sender.port <= 65_535:
        yield "`port` is 1 to 65535"
    if not 1 <= sender.timeout_s <= 600:
        yield "`timeout_s` is 1 to 600 seconds"
    if not sender.user.isprintable() or bool(sender.user) != has_password:
        yield "a user and a password belong together"
    if sender.security == "none" and not sender.allow_plain and not is_loopback(sender.host):
        yield "`security: none` would send messages readable over the network; `allow_plain` allows it"


def _read(definition: Definition) -> Sender:
    return msgspec.structs.replace(
        msgspec.json.decode(definition.body, type=Sender),
        name=definition.name,
        version=definition.version,
        created=definition.created,
    )


def _addressed(to: str, channel: Channel) -> str:
    field = "email" if channel is Channel.EMAIL else "phone"
    address = ascii_address(to) if channel is Channel.EMAIL else to
    if address is None or not valid_address(pa.array([to]), field)[0].as_py():
        raise SenderInvalid("--to is no address", hint="name@example.com, or with --sms a number like +33612345678")
    return address


def _sent(outlet: Outlet, sender: Sender, address: str, channel: Channel) -> Probe:
    """Really send one message."""
    import secrets  # noqa: PLC0415

    origin = sender.from_address or (address if channel is Channel.EMAIL else "Symbolon")
    texts = Texts(text=_TEST, subject=_TEST)
    message = Composer(channel, origin, sender.from_name).compose(
        secrets.token_hex(16), address, texts, datetime.now(UTC)
    )
    try:
        outlet.ready(message)
        outcome = outlet.send(message)
    except SymbolonError as error:
        return failed("send", error)
    mend = "" if outcome == SENT else "look at the address, and at the log of the server"
    return Probe(step="send", passed=outcome == SENT, detail=f"one message: {outcome}", mend=mend)
