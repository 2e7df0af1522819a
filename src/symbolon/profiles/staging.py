"""A profile or link file as staged, typed rows; what cannot be one is staged as a rejected row.

Invariant: every line of the file is either a staged row or a rejected one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon import ids
from symbolon.files import read_table
from symbolon.lake import ParquetStaging
from symbolon.profiles.cells import typed
from symbolon.profiles.errors import KeyColumnMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.files import TableBatch
    from symbolon.lake import WrittenFile
    from symbolon.records import Progress

#: rejected rows as they are kept; `raw` is the row's key, or the start of a line that could not be read
REJECTED = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("raw", pa.binary())])


@dataclass(slots=True)
class Staged:
    """What was read from a file."""

    files: list[WrittenFile]
    rejected: list[WrittenFile]
    schema: pa.Schema
    lines: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Staged rows."""
        return sum(file.rows for file in self.files)


class Stager:
    """Stages batches of rows under a schema that is known beforehand: `line` first, then the fields."""

    def __init__(self, schema: pa.Schema, directory: Path) -> None:
        self._schema = schema
        self._rows = ParquetStaging(directory / "staged", schema)
        self._rejected = ParquetStaging(directory / "rejected", REJECTED)
        self.staged = Staged([], [], schema)

    def add(
        self, batch: TableBatch, cells: dict[str, pa.Array], key: pa.Array, checks: dict[str, NDArray[np.bool_]]
    ) -> None:
        """Stage the rows of a batch.

        Args:
            batch: as it was read.
            cells: typed values of each field.
            key: what a rejected row is shown by.
            checks: reason -> which rows it refuses; the first reason counts.
        """
        count = batch.table.num_rows
        self.staged.lines += batch.nonblank
        lines = ids.column(np.asarray(batch.lines, dtype=np.int64))
        refused = np.zeros(count, dtype=bool)
        for reason, mask in checks.items():
            found = mask & ~refused
            if found.any():
                picked = ids.column(found)
                self._refuse(lines.filter(picked), reason, key.filter(picked).cast(pa.binary()))
                refused |= found
        rows = [lines, *[cells.get(name, pa.nulls(count, kind)) for name, kind in self._columns()]]
        made = pa.record_batch(rows, schema=self._schema)
        self._rows.write(made.filter(ids.column(~refused)) if refused.any() else made)
        for line in batch.rejected:
            self._refuse(pa.array([line.line]), line.reason, pa.array([line.raw], pa.binary()))

    def close(self) -> Staged:
        """Finish."""
        self.staged.files, self.staged.rejected = self._rows.close(), self._rejected.close()
        return self.staged

    def _columns(self) -> Iterator[tuple[str, pa.DataType]]:
        for column in self._schema:
            if column.name != "line":
                yield column.name, column.type

    def _refuse(self, lines: pa.Array, reason: str, raw: pa.Array) -> None:
        count = len(lines)
        self.staged.reasons[reason] = self.staged.reasons.get(reason, 0) + count
        names = pa.array([reason] * count, pa.string())
        self._rejected.write(pa.record_batch([lines.cast(pa.int64()), names, raw], schema=REJECTED))


def read(path: Path, name: str | None, format: str | None, progress: Progress) -> Iterator[TableBatch]:  # noqa: A002
    """Read a table and tell how far it has come."""
    size = path.stat().st_size if path.exists() else 0
    progress.started(f"reading {name or path.name}", size)
    done = 0
    for batch in read_table(path, format=format, name=name):
        step = min(batch.table.nbytes, size - done)  # of a compressed file only the order of size is known
        done += step
        progress.advanced(step)
        yield batch
    progress.advanced(size - done)
    progress.finished()


def key_header(headers: dict[str, str], key: str) -> str:
    """Give the header of the key's column.

    Raises:
        KeyColumnMissing: there is none.
    """
    if key not in headers:
        raise KeyColumnMissing(
            f"the file has no column `{key}`, by which profiles are found",
            hint=f"it has: {', '.join(f'`{name}`' for name in list(headers)[:12])}; name the key with --key FIELD",
            details={"columns": list(headers)},
        )
    return headers[key]


def missing(key: pa.Array) -> NDArray[np.bool_]:
    """Say which rows have no key."""
    found: NDArray[np.bool_] = pc.fill_null(key.is_null(), fill_value=True).to_numpy(zero_copy_only=False)
    return found


def typed_cells(
    batch: TableBatch, headers: dict[str, str], kind_of: Callable[[str], pa.DataType]
) -> tuple[dict[str, pa.Array], NDArray[np.bool_]]:
    """Read the columns of a batch as typed values, and say which rows hold a value that is none."""
    bad = np.zeros(batch.table.num_rows, dtype=bool)
    cells: dict[str, Any] = {}
    for name, header in headers.items():
        if header not in batch.table.schema.names:
            continue
        cells[name], wrong = typed(batch.table.column(header), kind_of(name))
        if wrong is not None:
            bad |= wrong
    return cells, bad
