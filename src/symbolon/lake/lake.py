"""The lake: a folder of tables, and of what is on its way to become one.

    FORMAT              version of this layout
    tables/<name>/      Delta tables
    attempts/<name>/    staged files of work that goes on; removed when it ends
    tmp/                what engines spill
    locks/              locks between processes

Invariant: what lies outside `tables/` never counts. A process may be killed at any moment; what it leaves behind is
found by its free lock and removed.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.errors import InternalError
from symbolon.lake.errors import LakeMissing, LakePathError, LakeVersionError, disk_errors
from symbolon.lake.locks import HeldDirectory, make_private, remove_abandoned
from symbolon.lake.table import BEGUN, LakeTable

if TYPE_CHECKING:
    from collections.abc import Iterator

#: version of the layout that this release writes and reads
FORMAT = 1
_MARKER = "FORMAT"
_NAME = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)*")
#: folders that engines and locks make, possibly before the lake itself
_OWN = frozenset({_MARKER, "tables", "attempts", "tmp", "locks"})


class Lake:
    """The rows of one project.

    Args:
        root: the folder; files in it have mode 0600, folders 0700.
        create: whether to make a lake where there is nothing yet.

    Raises:
        LakeMissing: the folder holds something else, or nothing and `create` is off.
        LakePathError: the path has a character that Delta tables do not bear.
        LakeVersionError: it was written in another format.
    """

    def __init__(self, root: Path, *, create: bool = True) -> None:
        self.root = Path(root).resolve()
        if any(character in str(self.root) for character in "%\\"):
            raise LakePathError(f"the lake cannot be kept in `{self.root}`")
        self._check(create=create)

    def table(self, name: str) -> LakeTable:
        """Give a table, whether it exists or not.

        Args:
            name: parts of `a-z`, `0-9` and `_`, separated by `/`: `audiences/12/rows`. No part may be a table itself.
        """
        if not _NAME.fullmatch(name):
            raise InternalError(f"`{name}` is no name of a table")
        return LakeTable(self.root, name)

    def tables(self) -> list[str]:
        """Give the names of all tables, sorted."""
        base = self.root / "tables"
        return sorted(str(log.parent.relative_to(base)) for log in base.glob("**/_delta_log"))

    @contextmanager
    def attempt(self, name: str) -> Iterator[Path]:
        """Give a fresh directory to stage files in; it is removed afterwards, whatever happened.

        Files that are committed to a table stay there.
        """
        held = HeldDirectory(self.root / "attempts", re.sub(r"[^a-z0-9_]+", "-", name.lower()) or "attempt")
        try:
            yield held.path
        finally:
            held.release()

    def sweep(self) -> list[Path]:
        """Remove the staged and spilled files of killed processes; quick, and safe at any time."""
        return remove_abandoned(self.root / "attempts") + remove_abandoned(self.root / "tmp")

    def vacuum_debris(self) -> list[Path]:
        """Remove what killed processes left: staged and spilled files, and files of commits that never happened.

        Safe at any time: what belongs to a living process, or to any version of a table, stays.

        Returns:
            What was removed.
        """
        removed = remove_abandoned(self.root / "attempts") + remove_abandoned(self.root / "tmp")
        base = self.root / "tables"
        begun = {str(marker.parent.relative_to(base)) for marker in base.glob(f"**/{BEGUN}")}
        for name in sorted(begun.union(self.tables())):
            removed += self.table(name).remove_unreferenced()
        return removed

    def _check(self, *, create: bool) -> None:
        marker = self.root / _MARKER
        try:
            found = marker.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            self._create(marker, create=create)
            return
        except (NotADirectoryError, IsADirectoryError):
            raise LakeMissing(f"`{self.root}` is no lake") from None
        if found != str(FORMAT):
            shown = found if re.fullmatch(r"\d{1,6}", found) else "?"
            newer = shown.isdigit() and int(shown) > FORMAT
            raise LakeVersionError(
                f"the lake `{self.root}` has format {shown}; this release reads format {FORMAT}",
                hint="use the newer release of Symbolon that wrote it" if newer else "restore its FORMAT file",
                details={"found": shown, "reads": FORMAT},
            )

    def _create(self, marker: Path, *, create: bool) -> None:
        others = sorted(path.name for path in self.root.iterdir()) if self.root.is_dir() else []
        foreign = [name for name in others if name not in _OWN]
        if self.root.exists() and not self.root.is_dir():
            raise LakeMissing(f"`{self.root}` is no folder")
        if foreign or "tables" in others:
            raise LakeMissing(
                f"`{self.root}` is no lake: it has no {_MARKER} file, and other files",
                hint="choose an empty folder, or restore the FORMAT file",
            )
        if not create:
            raise LakeMissing(f"there is no lake in `{self.root}`")
        make_private(self.root)
        with disk_errors("the lake"):
            self.root.chmod(0o700)
            fresh = marker.with_name(f".{_MARKER}.{id(self)}")
            fresh.write_text(f"{FORMAT}\n", encoding="utf-8")
            fresh.chmod(0o600)
            fresh.replace(marker)
