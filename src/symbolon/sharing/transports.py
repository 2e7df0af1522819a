"""Transports by name: defined, tried out, opened.

Invariant: what is saved opens (its URL, options and secret hold together), and its secret is wrapped before it touches
the store, bound to the transport's name and version: moved to another definition, it does not open.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.keys import Secret
from symbolon.records import DefinitionKind
from symbolon.sharing.errors import TransportInUse
from symbolon.sharing.shares import under_way
from symbolon.store import SealedDefinitions
from symbolon.transports import (
    Below,
    NameRefused,
    Probe,
    TransportInvalid,
    failed,
    is_url,
    learn_host_key,
    open_transport,
    scheme,
    server_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from symbolon.keys import KeyProvider
    from symbolon.records import Definition
    from symbolon.settings import Settings
    from symbolon.store import Store
    from symbolon.transports import Transport

__all__ = ["DefinedTransport", "Secret", "Transports"]

_KIND = DefinitionKind.TRANSPORT


class DefinedTransport(msgspec.Struct, frozen=True, kw_only=True):
    """A transport as it is defined; its secret is never part of it."""

    name: str
    version: int
    #: `file`, `s3`, `sftp`
    kind: str
    url: str
    options: dict[str, str]
    #: which secrets it has, by name: `password`, `private_key`, `access_key_id` …
    secrets: list[str]
    created: datetime | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    options: dict[str, str] = msgspec.field(default_factory=dict)
    secrets: list[str] = msgspec.field(default_factory=list)


_Defined = list[DefinedTransport]
_Probes = list[Probe]


class Transports:
    """The transports of a project."""

    def __init__(self, *, store: Store, keys: KeyProvider, settings: Settings) -> None:
        self._store = store
        self._kept = SealedDefinitions(store, keys, _KIND, TransportInvalid)
        self._base = settings.project

    def list(self) -> _Defined:
        """Give all transports, by name."""
        return [_defined(one) for one in self._kept.all()]

    def show(self, name: str) -> DefinedTransport:
        """Give one transport, without its secret.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        return _defined(self._kept.get(name))

    def add(
        self,
        name: str,
        url: str,
        options: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
    ) -> DefinedTransport:
        """Check and save a new transport, with its secret wrapped. Nothing is connected to.

        Args:
            name: 1 to 64 letters, digits, `-`, `_` or `.`.
            url: see `symbolon.transports.open_transport`; a plain relative path is below the project folder.
            options: see there.
            secret: see there; kept wrapped by the project's master key.

        Raises:
            TransportInvalid: the definition does not hold together.
            HostKeyUnknown: an SFTP server without a pinned host key.
            NameTaken: there is one of this name.
        """
        self._kept.require_free(name)
        return self._save(name, url, dict(options or {}), Secret(secret or {}), base=0)

    def edit(
        self,
        name: str,
        *,
        url: str | None = None,
        options: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
    ) -> DefinedTransport:
        """Save the next version of a transport.

        Args:
            name: which.
            url: the new URL; None = as before.
            options: what changes; an empty value takes an option away.
            secret: the whole new secret; None = as before, empty = none. It does not go along to another host, bucket
                or endpoint: whoever sends it elsewhere has to give it again.

        Raises:
            TransportInvalid: the changed definition does not hold together.
            UnknownNameError: nothing has this name.
            StoreConflict: somebody else changed it meanwhile.
        """
        before = self._kept.get(name)
        body = _read(before)
        changed = {key: value for key, value in {**body.options, **(options or {})}.items() if value}
        kept = self._kept.secret(before) if secret is None else Secret(secret)
        if secret is None and kept and _address(url or body.url, changed) != _address(body.url, body.options):
            raise TransportInvalid(
                "the secret of a transport does not go along to another place", hint="give key or password as well"
            )
        return self._save(name, url or body.url, changed, kept, base=before.version)

    def delete(self, name: str) -> None:
        """Remove a transport with all its versions and secrets.

        Raises:
            UnknownNameError: nothing has this name.
            TransportInUse: a delivery to it has not come to its end.
        """
        root = self.show(name).url.rstrip("/")
        begun = [share for share, to in under_way(self._store).items() if _leads_to(to, name, root)]
        if begun:
            named = ", ".join(f"`{one}`" for one in begun)
            raise TransportInUse(
                f"a delivery of {named} to transport `{name}` has not come to its end",
                hint="export it once more, which brings it to its end, or give it up: symbolon share discard NAME",
                details={"shares": begun},
            )
        self._kept.delete(name)

    def open(self, name: str, *, base: Path | None = None) -> Transport:
        """Open a transport; whoever opens it closes it.

        Args:
            name: of a defined transport, perhaps with a folder below it (`partner/in`); or a URL; or a path. A URL at
                or below that of a defined transport is opened with what that one knows. Without a definition, S3 takes
                the SDK's own chain of credentials.
            base: what a relative path is relative to; by default the project folder.

        Raises:
            UnknownNameError: it is neither a name nor a path.
            TransportInvalid: the URL, or the definition, does not hold together.
            HostKeyUnknown: an SFTP server that no transport is defined for.
            WrapError: the secret does not open with this master key.
        """
        return self._open(name, base or self._base, {})

    def _open(self, name: str, base: Path, options: Mapping[str, str]) -> Transport:
        """Open a transport, with further options where it is one that is connected to."""
        if is_url(name):
            given = options if scheme(name) != "file" else {}  # or a kind that nobody knows, or a password in it
            return self._covering(name, options) or open_transport(name, given, base=base)
        first, _, below = name.partition("/")
        known = {one.name: one for one in self._kept.all()}
        if first in known:
            whole = self._opened(known[first], options)
            try:
                return Below(whole, below) if below.strip("/") else whole
            except NameRefused:
                whole.close()
                raise
        folder = base / Path(name).expanduser()
        if name and ("/" in name or name in (".", "..") or folder.is_dir()):
            return open_transport(name, base=base)
        raise UnknownNameError.among(
            "transport", name, known, hint="symbolon transport list; a folder is written with a `/`: ./outbox"
        )

    def test(self, name: str, *, base: Path | None = None) -> _Probes:
        """Open a transport, then list, write, read and delete a probe; stop at the first step that fails.

        Raises:
            UnknownNameError: it is neither a name nor a path.
        """
        try:
            # somebody waits for it: what does not answer is told at once
            transport = self._open(name, base or self._base, {"attempts": "1"})
        except UnknownNameError:
            raise
        except SymbolonError as error:
            return [failed("open", error)]
        try:
            return transport.check()
        finally:
            transport.close()

    def host_key(self, url: str) -> tuple[str, str]:
        """Ask an SFTP server for its host key; give it with its fingerprint, which a person has to compare.

        Raises:
            TransportInvalid: no URL of an SFTP server.
            TransportUnreachable: nobody answers.
        """
        return learn_host_key(*server_of(url))

    def _save(self, name: str, url: str, options: dict[str, str], secret: Secret, *, base: int) -> DefinedTransport:
        open_transport(url, options, secret, base=self._base).close()
        body = _Body(url=url, options=options, secrets=sorted(secret))
        return _defined(self._kept.put(name, msgspec.json.encode(body).decode(), secret, base=base))

    def _opened(self, definition: Definition, options: Mapping[str, str]) -> Transport:
        body = _read(definition)
        given = {**body.options, **(options if scheme(body.url) != "file" else {})}
        return open_transport(body.url, given, self._kept.secret(definition), base=self._base)

    def _covering(self, url: str, options: Mapping[str, str]) -> Transport | None:
        """Open the defined transport whose URL is the longest beginning of this one; None if there is none."""
        wanted = url.rstrip("/")
        best: tuple[str, Definition] | None = None
        for one in self._kept.all():
            root = _read(one).url.rstrip("/")
            covers = wanted == root or wanted.startswith(root + "/")
            if is_url(root) and covers and (best is None or len(root) > len(best[0])):
                best = root, one
        if best is None:
            return None
        whole = self._opened(best[1], options)
        try:
            return Below(whole, wanted[len(best[0]) + 1 :]) if wanted != best[0] else whole
        except NameRefused:
            whole.close()
            raise


def _leads_to(to: str, name: str, root: str) -> bool:
    """Tell whether a place is that of a transport or below it, by its name or by its URL."""
    if is_url(to):
        return is_url(root) and (to.rstrip("/") + "/").startswith(root + "/")
    return to.partition("/")[0] == name


def _defined(definition: Definition) -> DefinedTransport:
    body = _read(definition)
    return DefinedTransport(
        name=definition.name,
        version=definition.version,
        kind=scheme(body.url),
        url=body.url,
        options=body.options,
        secrets=body.secrets,
        created=definition.created,
    )


def _read(definition: Definition) -> _Body:
    return msgspec.json.decode(definition.body, type=_Body)


def _address(url: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """Give whom a secret is shown to: scheme, user, host and port; or scheme, bucket and endpoint."""
    return (url.partition("://")[0], url.partition("://")[2].partition("/")[0], options.get("endpoint_url", ""))
