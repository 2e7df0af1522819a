"""A folder of a transport as a transport of its own.

Invariant: the root that no link may leave is still that of the whole transport.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from symbolon.transports.paths import checked, checked_prefix, joined
from symbolon.transports.probing import probe

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.transports.transport import Probe, RemoteFile, Transport

_Files = list["RemoteFile"]
_Probes = list["Probe"]


class Below:
    """What is below a folder of another transport, which it closes with itself.

    Raises:
        NameRefused: the folder is no name.
    """

    def __init__(self, whole: Transport, folder: str) -> None:
        self._whole = whole
        self._folder = checked(checked_prefix(folder))
        self.place = f"{whole.place.rstrip('/')}/{self._folder}"

    def __repr__(self) -> str:
        return f"Below({self.place})"

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> _Files:
        """Give the files below the folder."""
        folder = joined(self._folder, checked_prefix(prefix))
        left_out = tuple(f"{self._folder}/{name}" for name in without)
        found = self._whole.list(folder, pattern, limit=limit, without=left_out)
        return [self._ours(one) for one in found]

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file; None if there is none."""
        found = self._whole.stat(self._theirs(name))
        return self._ours(found) if found is not None else None

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy a file to `target`."""
        wanted = msgspec.structs.replace(expected, name=self._theirs(expected.name)) if expected is not None else None
        return self._ours(self._whole.fetch(self._theirs(name), target, expected=wanted))

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file to `name`."""
        return self._ours(self._whole.put(source, self._theirs(name), overwrite=overwrite, is_spare=is_spare))

    def move(self, name: str, target: str) -> None:
        """Give a file another name below the folder."""
        self._whole.move(self._theirs(name), self._theirs(target))

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._whole.delete(self._theirs(name))

    def check(self) -> _Probes:
        """List, write, read and delete a probe file in the folder."""
        return probe(self)

    def close(self) -> None:
        """Close the whole transport."""
        self._whole.close()

    def _theirs(self, name: str) -> str:
        return joined(self._folder, checked(name))

    def _ours(self, file: RemoteFile) -> RemoteFile:
        return msgspec.structs.replace(file, name=file.name[len(self._folder) + 1 :])
