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

    from symbolon.files import FileName
    from symbolon.transports.transport import RemoteFile

INFO = ".info"


@dataclass
class RemoteSet:
    """Files that belong together, as listed."""

    #: name of the set: folder and root of its parts, or the name of a single file
    name: str
    parts: list[RemoteFile] = field(default_factory=list)
    info: RemoteFile | None = None
    #: the elements of its name; None = it is not named like a segment file
    named: FileName | None = None
    #: whether the name can have further parts
    is_split: bool = False

    @property
    def files(self) -> list[RemoteFile]:
        """All its files."""
        return [*self.parts, *([self.info] if self.info else [])]

    @property
    def timestamp_ms(self) -> int | None:
        """Time in the name, milliseconds; None = it has none."""
        return None if self.named is None else self.named.timestamp_ms

    @property
    def is_incremental(self) -> bool:
        """Say whether it changes what it names (`iter` in its name) instead of replacing everything."""
        return self.named is not None and self.named.mode == "iter"

    @property
    def is_inbound(self) -> bool:
        """Say whether it is an inbound file: what is sent to an audience manager, not what comes from one."""
        return self.name.rpartition("/")[2].lower().startswith("ftp_dpm_")

    @property
    def fingerprint(self) -> str:
        """Changes whenever a file comes, goes, grows or is replaced."""
        digest = hashlib.sha256()
        for file in sorted(self.files, key=lambda one: one.name):
            digest.update(f"{file.name}\0{file.size_bytes}\0{file.fingerprint}\n".encode(errors="replace"))
        return digest.hexdigest()

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
            one.named = name
            one.is_split = one.is_split or name.split > 0 or len(one.parts) > 1
    for control in controls:
        stem = control.name[: -len(INFO)]
        one = found.get(stem) or found.get(stem.removesuffix(".gz")) or found.setdefault(stem, RemoteSet(stem))
        one.info = control
        if not one.parts:  # they are still to come: it has its place in the order already
            one.named = parse_name(f"{stem.rpartition('/')[2]}.sync", timestamp=timestamp)
    ordered = sorted(found.values(), key=lambda one: (one.timestamp_ms or 0, one.name))
    for one in ordered:
        one.parts.sort(key=lambda part: part.name)
    return ordered
