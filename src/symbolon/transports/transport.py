"""Where files come from and go to: what every transport must be able to do.

Invariant: a name that is listed is a whole file, or one that is told apart from a growing one by listing twice; a file
that is put is there whole or not at all; nothing outside the root of the transport is ever read or written.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

_Probes = list["Probe"]


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a transport, as listed."""

    #: path below the root of the transport, with `/`; never begins with `/`, never holds `..`
    name: str
    size_bytes: int
    #: when it was last changed, UTC
    modified: datetime
    #: changes whenever the content does, as far as the other side tells: an ETag, else size and modification time
    fingerprint: str


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a test of a transport: list, write, read, delete."""

    step: str
    passed: bool
    #: what was found, or what went wrong
    detail: str = ""
    #: how to mend it; empty where it passed
    mend: str = ""


class Transport(Protocol):
    """Moves whole files. May be used from several threads at once. Names are paths below its root.

    All methods raise the leaves of `TransportError`; those that may pass by themselves are `retryable` and were tried
    again with growing pauses before they are raised.
    """

    #: where it is, for people: scheme, host, root; no user, password or key
    place: str

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> list[RemoteFile]:
        """Give the files below `prefix` whose last part of the name matches a shell pattern, sorted by name.

        Hidden files (`.` in front), temporary ones of ours, folders and links that lead out of the root are left out,
        and what begins with one of `without` (folders, written with a `/` at their end), before `limit` counts.
        """
        ...

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file; None if there is none."""
        ...

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy a file to `target` (made with mode 0600, replaced whole); give what was read.

        A transfer that breaks is resumed where the other side can, else begun again.

        Raises:
            RemoteMissing: there is no such file.
            RemoteChanged: it changed while it was read, or is not `expected` any more; `target` is not made.
        """
        ...

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file to `name`: readers see it whole or not at all. Folders are made.

        Once the other side has said that the name is given, it is done: whoever takes the file away at once changes
        nothing. A fault says by `may_have_arrived` whether the file may be there all the same.

        Args:
            source: the local file.
            name: what it is to be called.
            overwrite: replace one that is there.
            is_spare: nobody needs the source any more or writes to it, so it may be handed over without a copy; it must
                not be written to afterwards, whether it was or not.

        Raises:
            RemoteExists: there is one already, and `overwrite` is off.
        """
        ...

    def move(self, name: str, target: str) -> None:
        """Give a file another name on the same transport, replacing none.

        Raises:
            RemoteMissing: there is no such file.
            RemoteExists: `target` is there already.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no fault."""
        ...

    def check(self) -> _Probes:
        """List, write, read and delete a probe file; stop at the first step that fails. Never raises."""
        ...

    def close(self) -> None:
        """Let go of connections. May be called twice."""
        ...
