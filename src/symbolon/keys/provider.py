"""Wrapping the keys of data sources under a master key.

Invariant: a key is written down only wrapped, and what wraps it is bound to its data source and version: a wrapped key
that is moved to another source does not open.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from symbolon.errors import Location
from symbolon.keys.errors import MasterKeyError, WrapError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.settings import Settings

#: environment variable that holds the master key as 64 hexadecimal digits
VARIABLE = "SYMBOLON_MASTER_KEY"
_MASTER_BYTES = 32
_NONCE_BYTES = 12


class KeyProvider(Protocol):
    """Wraps and unwraps bytes; where its own key lives is its affair."""

    #: what it is: `local`
    name: str

    def wrap(self, key: bytes, context: str) -> bytes:
        """Seal `key`, bound to `context`."""
        ...

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Open what `wrap` sealed for the same context.

        Raises:
            WrapError: it was sealed by another key, for another context, or has been changed.
        """
        ...


class LocalKeyProvider:
    """AES-256-GCM under a master key from a file of this user only, or from the environment.

    Args:
        path: the file; made with a fresh key at the first wrap.
        given: the master key as hexadecimal, instead of a file.
    """

    name = "local"

    def __init__(self, path: Path | None = None, given: str | None = None) -> None:
        self._path = path
        self._given = given

    def __repr__(self) -> str:
        return f"LocalKeyProvider({'environment' if self._given else self._path})"

    def wrap(self, key: bytes, context: str) -> bytes:
        """Seal `key`: a nonce of 12 bytes, then ciphertext and tag."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - heavy

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._master(create=True)).encrypt(nonce, key, context.encode())

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Open a sealed key."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        opener = AESGCM(self._master(create=False))
        try:
            return bytes(opener.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context.encode()))
        except (InvalidTag, ValueError):
            raise WrapError("a wrapped key does not open with this master key") from None

    def check(self) -> None:
        """Read the master key.

        Raises:
            MasterKeyError: it is missing, malformed, or readable by others.
        """
        self._master(create=False)

    def _master(self, *, create: bool) -> bytes:
        if self._given is not None:
            return _parse(self._given, f"the environment variable {VARIABLE}", None)
        if self._path is None:
            raise MasterKeyError(f"the environment variable {VARIABLE} is not set", hint="64 hexadecimal digits")
        try:
            if create and not self._path.exists():
                _create(self._path)
            return _parse(_read(self._path), "the master key file", self._path)
        except FileNotFoundError:
            raise MasterKeyError(
                "the master key of this project is missing",
                where=Location(str(self._path)),
                hint=f"restore it from your backup, or set {VARIABLE}",
            ) from None
        except OSError as error:
            raise MasterKeyError(
                f"the master key cannot be read or made: {error.strerror}",
                where=Location(str(self._path)),
                hint=f"it is a file of mode 0600 in a directory of mode 0700; or set {VARIABLE}",
            ) from error


def open_provider(settings: Settings, environment: Mapping[str, str] | None = None) -> KeyProvider:
    """Give the provider that the settings name.

    Args:
        settings: `master_key` is empty (the file in `keys/`), `env`, or the path of a file.
        environment: where SYMBOLON_MASTER_KEY is looked for; by default the process's.
    """
    environment = os.environ if environment is None else environment
    given = environment.get(VARIABLE)
    if given or settings.master_key == "env":
        return LocalKeyProvider(given=given)
    path = settings.project / settings.master_key if settings.master_key else settings.keys_dir / "master.key"
    return LocalKeyProvider(Path(path))


def _parse(text: str, where: str, path: Path | None) -> bytes:
    bare = text.strip()
    if not re.fullmatch(f"[0-9a-fA-F]{{{_MASTER_BYTES * 2}}}", bare):
        raise MasterKeyError(
            f"{where} does not hold a master key",
            where=Location(str(path)) if path else None,
            hint=f"{_MASTER_BYTES * 2} hexadecimal digits, for example of: openssl rand -hex {_MASTER_BYTES}",
        )
    return bytes.fromhex(bare)


def _read(path: Path) -> str:
    """Read a file that only its owner can read; the mode is that of the file that was opened, not of a later one."""
    with path.open(encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise MasterKeyError(
                f"the master key can be read by others (mode {mode:04o})",
                where=Location(str(path)),
                hint=f"chmod 600 {path}",
            )
        return file.read(_MASTER_BYTES * 8)


def _create(path: Path) -> None:
    """Write a fresh master key for this user only; whoever was quicker wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_MASTER_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make a new name last: what is wrapped from now on is worth nothing without it."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
