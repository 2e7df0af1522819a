"""Data sources: defined, checked whole, saved with a wrapped key, and accepted.

Invariant: what is saved holds together. Every fault of a definition is found at once, and the key is wrapped before it
touches the store.

Source: Adobe Campaign Standard, "Shared Data Sources" (fields); AES is CBC with keys of 128, 192 or 256 bits and an IV
of 16 bytes, whatever the size of the key.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import UnknownNameError
from symbolon.ids import IdSpec, field_for, rule
from symbolon.keys import KeyMissing
from symbolon.records import Channel, DataSource, Kind, OnAmbiguous, Protection
from symbolon.sharing.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.keys import KeyProvider
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_IV_BYTES = 16
#: what the kept match keys of an audience depend on
_MEANING = ("kind", "key", "protection", "scheme")
_Sources = list[DataSource]
_Faults = list[str]
#: fields that the use case sets itself
_OWN = frozenset({"id", "name", "created", "modified", "key_version", "terms_accepted_at", "terms_accepted_by"})


class Sources:
    """The data sources of a project."""

    def __init__(self, *, store: Store, keys: KeyProvider, profiles: Profiles, settings: Settings) -> None:
        self._store = store
        self._keys = keys
        self._profiles = profiles
        self._settings = settings

    def list(self) -> _Sources:
        """Give all data sources by priority: the higher number first, then the lower id."""
        return sorted(self._store.sources(), key=lambda source: (-source.priority, source.id))

    def show(self, name: str) -> DataSource:
        """Give one data source.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        return self._store.source(name)

    def add(self, source: DataSource, *, key: bytes | None = None, iv: bytes | None = None) -> DataSource:
        """Check and save a new data source, with its key wrapped.

        Args:
            source: the definition; `iv_prefixed` says that each value brings its IV.
            key: AES key of 16, 24 or 32 bytes, for `aes-cbc` only.
            iv: the IV of the source, 16 bytes, unless `iv_prefixed`.

        Raises:
            SourceError: the definition does not hold together.
            UnknownNameError: the reconciliation key is no profile field, or the scheme is unknown.
        """
        self._check(source, key=key, iv=iv, has_key=False)
        now = datetime.now(UTC)
        saved = self._store.add_source(msgspec.structs.replace(source, created=now, modified=now))
        if key is not None:
            try:
                saved = self._keep_key(saved, key, iv)
            except BaseException:
                self._store.delete_source(saved.name)
                raise
        return saved

    def edit(
        self, name: str, changes: dict[str, Any], *, key: bytes | None = None, iv: bytes | None = None
    ) -> DataSource:
        """Change fields of a data source; a new key becomes its next version, the old ones stay for reading.

        Raises:
            SourceError: the changed definition does not hold together.
        """
        before = self._store.source(name)
        unknown = set(changes) - (set(DataSource.__struct_fields__) - _OWN)
        if unknown:
            raise SourceError(f"cannot change {', '.join(sorted(unknown))} of a data source")
        after = msgspec.structs.replace(before, **changes, modified=datetime.now(UTC))
        if after.terms != before.terms:
            after = msgspec.structs.replace(after, terms_accepted_at=None, terms_accepted_by="")
        moved = [name for name in _MEANING if getattr(after, name) != getattr(before, name)]
        if moved and any(audience.source_id == before.id for audience in self._store.audiences()):
            raise SourceError(
                f"data source `{name}` has audiences: its {' and '.join(moved)} can no longer change",
                hint="add another data source, or delete its audiences first",
            )
        if iv is not None and key is None:
            raise SourceError("an IV is changed together with its key", hint="give --key-hex-file as well")
        self._check(after, key=key, iv=iv, has_key=bool(before.key_version))
        if key is None and before.key_version and after.iv_prefixed != before.iv_prefixed:
            raise SourceError(
                "where the IV stands is changed together with the key", hint="give --key-hex-file as well"
            )
        self._store.update_source(after)
        return self._keep_key(after, key, iv) if key is not None else after

    def accept(self, name: str, by: str) -> DataSource:
        """Record that `by` accepted the terms of the source."""
        source = self._store.source(name)
        if not source.terms:
            raise SourceError(f"data source `{name}` has no terms", hint=f"symbolon source edit {name} --terms TEXT")
        accepted = msgspec.structs.replace(source, terms_accepted_at=datetime.now(UTC), terms_accepted_by=by)
        self._store.update_source(accepted)
        return accepted

    def spec(self, source: DataSource, *, as_address: bool = False) -> IdSpec:
        """Say how the IDs of `source` are read, with its key unwrapped in memory.

        Raises:
            KeyMissing: an encrypted source has no key.
        """
        key, iv = b"", None
        if source.protection is Protection.AES_CBC:
            versions = dict(self._store.keys(source.id))
            wrapped = versions.get(source.key_version)
            if wrapped is None:
                raise KeyMissing(
                    f"data source `{source.name}` has no key",
                    hint=f"symbolon source edit {source.name} --key-hex-file FILE --iv HEX",
                )
            secret = self._keys.unwrap(wrapped, _context(source.id, source.key_version))
            key, iv = (secret, None) if source.iv_prefixed else (secret[:-_IV_BYTES], secret[-_IV_BYTES:])
        return IdSpec(
            kind=source.kind,
            protection=source.protection,
            field=field_for(source.key),
            scheme=source.scheme,
            region=self.region(source),
            encoding=source.encoding,
            key=key,
            iv=iv,
            is_address=as_address,
        )

    def secrets(self, source: DataSource) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Give version, key and IV (None = in front of each value) of all keys that a source has had, newest first.

        Raises:
            SecretError: a key cannot be unwrapped.
        """
        for version, wrapped in self._store.keys(source.id):
            secret = self._keys.unwrap(wrapped, _context(source.id, version))
            # earlier versions may have had their IV elsewhere: an AES key has 16, 24 or 32 bytes, and 16 more are an IV
            prefixed = source.iv_prefixed if version == source.key_version else len(secret) == _IV_BYTES
            if prefixed:
                yield version, secret, None
            else:
                yield version, secret[:-_IV_BYTES], secret[-_IV_BYTES:]

    def region(self, source: DataSource) -> str:
        """Give the region of telephone numbers without a country code: the source's, else the project's."""
        return source.region or self._settings.region

    def _keep_key(self, source: DataSource, key: bytes, iv: bytes | None) -> DataSource:
        version = max((version for version, _ in self._store.keys(source.id)), default=0) + 1
        wrapped = self._keys.wrap(key + (iv or b""), _context(source.id, version))
        kept = self._store.add_key(source.id, wrapped)
        if kept != version:  # somebody added one in between: its context is another
            raise SourceError(f"the key of `{source.name}` was changed at the same time", hint="try again")
        saved = msgspec.structs.replace(source, key_version=version)
        self._store.update_source(saved)
        return saved

    def _check(self, source: DataSource, *, key: bytes | None, iv: bytes | None, has_key: bool) -> None:
        faults = [fault for fault in self._faults(source, key=key, iv=iv, has_key=has_key) if fault]
        unknown = self._unknown_field(source)
        if faults:
            if unknown is not None and source.key:
                faults.append(f"{unknown.summary} ({unknown.hint})")
            raise SourceError(
                f"data source `{source.name}`: " + "; ".join(faults),
                hint="symbolon source add --help shows what belongs together",
                details={"faults": faults},
            )
        if unknown is not None:
            raise unknown
        if source.kind is Kind.DECLARED and source.key:
            rule(source.scheme, field_for(source.key))  # unknown, or without a rule for this field

    def _unknown_field(self, source: DataSource) -> UnknownNameError | None:
        """Give what is wrong if the reconciliation key is no profile field."""
        known = [name for name in self._profiles.schema().names if name != "profile_id"]
        if source.kind is not Kind.DECLARED or source.key in known:
            return None
        return UnknownNameError.among("profile field", source.key, known)

    def _faults(self, source: DataSource, *, key: bytes | None, iv: bytes | None, has_key: bool) -> _Faults:
        visitor = source.kind is Kind.VISITOR
        encrypted = source.protection is Protection.AES_CBC
        address = {Channel.EMAIL: "email", Channel.SMS: "phone"}.get(source.channel)
        return [
            "" if _NAME.fullmatch(source.name) else "a name is 1 to 64 letters, digits, `-`, `_` or `.`",
            "a visitor source has no reconciliation key" if visitor and source.key else "",
            "a declared source needs a reconciliation key (--key)" if not visitor and not source.key else "",
            "visitor IDs are plain" if visitor and source.protection is not Protection.PLAIN else "",
            "a visitor source has no channel" if visitor and source.channel is not Channel.OTHER else "",
            "the latest link decides for visitor IDs: --on-ambiguous means nothing"
            if visitor and source.on_ambiguous is not OnAmbiguous.ALL
            else "",
            f"channel {source.channel} needs a key that is an {address} field, not `{source.key}`"
            if address and not visitor and source.key and field_for(source.key) != address
            else "",
            "aes-cbc needs a key (--key-hex-file)" if encrypted and key is None and not has_key else "",
            "aes-cbc needs an IV (--iv HEX, or --iv prefixed)"
            if encrypted and key is not None and iv is None and not source.iv_prefixed
            else "",
            "an IV is either the source's or in front of each value, not both"
            if iv is not None and source.iv_prefixed
            else "",
            "only aes-cbc has a key and an IV" if not encrypted and (key is not None or iv is not None) else "",
            "an AES key has 16, 24 or 32 bytes" if key is not None and len(key) not in (16, 24, 32) else "",
            "an AES IV has 16 bytes" if iv is not None and len(iv) != _IV_BYTES else "",
            "a DPID is a positive number" if source.dpid is not None and source.dpid <= 0 else "",
            "a region is two letters (ISO 3166)"
            if source.region and not re.fullmatch("[A-Z]{2}", source.region)
            else "",
            "timestamp is `milliseconds` or `seconds`" if source.timestamp not in ("milliseconds", "seconds") else "",
        ]


def _context(source_id: int, version: int) -> str:
    """Bind a wrapped key to its source and version."""
    return f"source:{source_id}:{version}"
