"""One table of the lake: Parquet files, and a log that says which of them make which version.

Invariant: a version is made whole or not at all. Files get into the table's folder and into its log under one lock,
after the columns of each were compared with the table's. Files of old versions stay: every version can be read again.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from symbolon.lake import delta
from symbolon.lake.errors import CommitConflict, LakeCorrupt, SchemaMismatch, disk_errors
from symbolon.lake.locks import file_lock, make_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from symbolon.lake.written import WrittenFile

#: `expected_version` of a table that must not exist yet
ABSENT = -1
#: marks the folder of a table whose first version is being made
BEGUN = "_begun"
#: how long a commit waits for another one; a commit takes milliseconds
_COMMIT_WAIT_S = 30.0
#: why a file cannot be linked: another file system, or one that has no links
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK)


class LakeTable:
    """One Delta table. `version` is Delta's own, from 0; people see versions of the store, never these."""

    def __init__(self, root: Path, name: str) -> None:
        #: as in `Lake.table`
        self.name = name
        #: the table's folder
        self.path = root / "tables" / name
        self._attempts = root / "attempts"
        self._lock_path = root / "locks" / f"table-{name.replace('/', '.')}.lock"

    def __repr__(self) -> str:
        return f"LakeTable({self.name!r})"

    @property
    def exists(self) -> bool:
        """Whether a version was ever committed."""
        return delta.has_log(self.path)

    @property
    def version(self) -> int:
        """The newest version; `ABSENT` if the table does not exist.

        Raises:
            LakeCorrupt: the log cannot be read.
        """
        return delta.read(self.path, self.name).version if self.exists else ABSENT

    def schema(self, version: int | None = None) -> pa.Schema:
        """Give the columns of a version (None = the newest).

        Raises:
            LakeCorrupt: there is no such version, or it cannot be read.
        """
        return delta.read(self.path, self.name, version).schema

    def files(self, version: int | None = None) -> list[str]:
        """Give the files of a version (None = the newest), as absolute paths, sorted by name.

        Raises:
            LakeCorrupt: there is no such version, or a file of it is missing.
        """
        paths = []
        for name, _ in delta.read(self.path, self.name, version).files:
            path = self.path / name
            if not path.is_file():
                raise LakeCorrupt(f"table `{self.name}` of the lake has lost its file {name}")
            paths.append(str(path))
        return paths

    def rows(self, version: int | None = None) -> int:
        """Count the rows of a version from its log, without reading them."""
        return sum(self.file_rows(version).values())

    def file_rows(self, version: int | None = None) -> dict[str, int]:
        """Give the rows of each file of a version, by the file's name."""
        return dict(delta.read(self.path, self.name, version).files)

    def commit(
        self,
        files: Sequence[WrittenFile],
        schema: pa.Schema,
        *,
        mode: Literal["overwrite", "append"],
        expected_version: int | None = None,
        layer: str = "base",
    ) -> int:
        """Make the next version of written files, all of them or nothing.

        Args:
            files: written with these columns; they are linked into the table and may be removed where they are.
            schema: names, types and order of the columns. An append may add columns behind those there are.
            mode: `overwrite`: the version holds these files only; `append`: these and those before.
            expected_version: the version that the files were computed from; `ABSENT` = the table must not exist;
                None = whatever it is, for callers that hold a lock of their own.
            layer: first part of the files' names.

        Returns:
            The new version.

        Raises:
            CommitConflict: the table has another version than expected.
            SchemaMismatch: a file or an append has other columns.
            LakeCorrupt: the table, or one of the files, cannot be read.
            DiskFull: there is no space for it.
        """
        check_footers(files, schema)
        with self._locked():
            before = delta.read(self.path, self.name) if self.exists else None
            found = ABSENT if before is None else before.version
            if expected_version is not None and expected_version != found:
                raise CommitConflict(
                    f"table `{self.name}` has version {found}, not {expected_version} any more; nothing was committed",
                    details={"table": self.name, "version": found, "expected": expected_version},
                )
            if before is not None and mode == "append":
                _check_append(before.schema, schema, self.name)
            make_private(self.path)
            if before is None:
                (self.path / BEGUN).touch(mode=0o600)
            placed: list[Path] = []
            try:
                for file in files:
                    placed.append(self.path / f"{layer}-{secrets.token_hex(10)}.parquet")
                    with disk_errors("a table"):
                        _place(file.path, placed[-1])
                adds = [(path.name, file.size_bytes, file.rows) for path, file in zip(placed, files, strict=True)]
                version = delta.commit(self.path, before, adds, _plain(schema), mode, self.name)
            except BaseException:
                self._take_back(placed)
                raise
            (self.path / BEGUN).unlink(missing_ok=True)
            return version

    def delete(self) -> None:
        """Remove the table with all its versions from the disk."""
        with self._locked():
            if not self.path.is_dir():
                return
            # out of the way in one step, to where debris is looked for
            make_private(self._attempts)
            gone = self._attempts / f"deleted-{secrets.token_hex(10)}"
            self.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def forget_before(self, version: int) -> int:
        """Remove the files that no version from `version` on holds; older versions cannot be read any more.

        Returns:
            How many bytes were freed.
        """
        with self._locked():
            newest = delta.read(self.path, self.name).version
            kept: set[str] = set()
            for number in range(version, newest + 1):
                kept |= {name for name, _ in delta.read(self.path, self.name, number).files}
            return sum(_remove(path) for path in self.path.glob("*.parquet") if path.name not in kept)

    def remove_unreferenced(self) -> list[Path]:
        """Remove files that no version ever held: what a process left that was killed in the middle of a commit."""
        with self._locked():
            begun = (self.path / BEGUN).exists()
            known = delta.ever_added(self.path)
            if known is None or not (begun or self.exists):
                return []  # the log is damaged or lost: nothing is thrown away that might still help
            lost = [path for path in self.path.glob("*.parquet") if path.name not in known]
            for path in [*lost, *delta.unfinished_entries(self.path), self.path / BEGUN]:
                path.unlink(missing_ok=True)
            return lost

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock(self._lock_path, wait_s=_COMMIT_WAIT_S, holder=f"a commit to table `{self.name}`"):
            yield

    def _take_back(self, placed: list[Path]) -> None:
        """Remove the files of a commit that failed, unless it got into the log after all."""
        known = delta.ever_added(self.path)
        for path in placed:
            if known is not None and path.name not in known:
                path.unlink(missing_ok=True)
        if not self.exists:
            (self.path / BEGUN).unlink(missing_ok=True)


def check_footers(files: Sequence[WrittenFile], schema: pa.Schema) -> None:
    """Compare the columns of each file with `schema`: names, types and order.

    Raises:
        SchemaMismatch: they differ.
        LakeCorrupt: a file is no Parquet file, or is missing.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    wanted = _plain(schema)
    for file in files:
        try:
            found = _plain(pq.read_schema(file.path))
        except (OSError, pa.ArrowException):
            raise LakeCorrupt(f"the written file {file.path.name} cannot be read") from None
        if not found.equals(wanted):
            raise SchemaMismatch(
                f"the file {file.path.name} has other columns than its table",
                details={"found": _describe(found), "wanted": _describe(wanted)},
            )


def _check_append(there: pa.Schema, schema: pa.Schema, name: str) -> None:
    wanted = _plain(schema)
    if len(wanted) < len(there) or list(wanted)[: len(there)] != list(_plain(there)):
        raise SchemaMismatch(
            f"an append to table `{name}` has other columns than the table",
            details={"found": _describe(wanted), "wanted": _describe(there)},
        )


def _plain(schema: pa.Schema) -> pa.Schema:
    """Give a schema without what does not matter: metadata, and whether a column may be null."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return pa.schema([pa.field(field.name, field.type) for field in schema])


def _describe(schema: pa.Schema) -> list[str]:
    return [f"{field.name} {field.type}" for field in schema]


def _place(source: Path, target: Path) -> None:
    """Get a file into the table: by a link, or by a copy where there are no links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, target)
    target.chmod(0o600)


def _remove(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size
