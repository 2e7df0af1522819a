"""Listed files as file sets: parts of one delivery with their control file, and whether they are whole.

Invariant: nothing is read here but control files; a set is told apart by name, size and fingerprint alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symbolon.files import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from symbolon.transports.transport import RemoteFile

INFO = ".info"


@dataclass
class RemoteSet:
    """Files that belong together, as listed."""

    #: name of the set: folder and root of its parts, or the name of a single file
    name: str
    parts: list[RemoteFile] = field(default_factory=list)
    info: RemoteFile | None = None
    #: time in the name, milliseconds; None = it has none
    timestamp_ms: int | None = None
    #: whether it changes what it names (`iter` in its name) instead of replacing everything
    is_incremental: bool = False
    #: whether the name can have further parts
    is_split: bool = False

    @property
    def files(self) -> list[RemoteFile]:
        """All its files."""
        return [*self.parts, *([self.info] if self.info else [])]

    @property
    def fingerprint(self) -> str:
        """Changes whenever a file comes, goes, grows or is replaced."""
        digest = hashlib.sha256()
        for file in sorted(self.files, key=lambda one: one.name):
            digest.update(f"{file.name}\0{file.size_bytes}\0{file.fingerprint}\n".encode(errors="replace"))
        return digest.hexdigest()

    @property
    def newest(self) -> datetime:
        """When its youngest file was last changed."""
        return max(file.modified for file in self.files)

    def is_described_by(self, sizes: dict[str, int | None]) -> bool:
        """Say whether exactly the parts that a control file lists are there, as large as it says."""
        there = {part.name.rpartition("/")[2]: part.size_bytes for part in self.parts}
        return bool(sizes) and all(there.get(name) == (there.get(name) if size is None else size) and name in there
                                   for name, size in sizes.items())  # fmt: skip


def group(files: Iterable[RemoteFile], timestamp: str, left_out: tuple[str, ...]) -> list[RemoteSet]:
    """Put files together, in the order in which they are to be imported: by the time in their names, then by name.

    Args:
        files: as listed.
        timestamp: how a run of 13 digits in a name is read: `milliseconds` or `seconds`.
        left_out: folders that are not looked at.
    """
    found: dict[str, RemoteSet] = {}
    controls: list[RemoteFile] = []
    for file in files:
        if file.name.startswith(left_out):
            continue
        if file.name.lower().endswith(INFO):
            controls.append(file)
            continue
        folder, slash, bare = file.name.rpartition("/")
        name = parse_name(bare, timestamp=timestamp)
        key = file.name if name is None else f"{folder}{slash}{name.root}"
        one = found.setdefault(key, RemoteSet(key))
        one.parts.append(file)
        if name is not None:
            one.timestamp_ms, one.is_incremental = name.timestamp_ms, name.mode == "iter"
            one.is_split = one.is_split or name.split > 0 or len(one.parts) > 1
    for control in controls:
        stem = control.name[: -len(INFO)]
        one = found.get(stem) or found.get(stem.removesuffix(".gz")) or found.setdefault(stem, RemoteSet(stem))
        one.info = control
        name = parse_name(f"{stem.rpartition('/')[2]}.sync", timestamp=timestamp)
        if name is not None and not one.parts:  # its parts are still to come: it has its place in the order already
            one.timestamp_ms, one.is_incremental = name.timestamp_ms, name.mode == "iter"
    ordered = sorted(found.values(), key=lambda one: (one.timestamp_ms or 0, one.name))
    for one in ordered:
        one.parts.sort(key=lambda part: part.name)
    return ordered
