"""A profile or link file as staged, typed rows; what cannot be one is staged as a rejected row.

Invariant: every line of the file is either a staged row or a rejected one. Names of our own columns begin with `_`,
which no column of a file can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.columns import flags
from symbolon.errors import UnknownNameError
from symbolon.files import read_table
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.profiles.cells import typed
from symbolon.profiles.errors import KeyColumnMissing
from symbolon.profiles.fields import OWN, extra_type, is_address, map_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.files import TableBatch
    from symbolon.lake import WrittenFile
    from symbolon.profiles.state import ProfilesState
    from symbolon.records import Progress

#: the line of a staged row in its file
LINE = pa.field("_line", pa.int64())
#: rejected rows as they are kept; `raw` is the row's key, or the start of a line that could not be read; never null
REJECTED = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("raw", pa.binary())])


@dataclass(slots=True)
class Staged:
    """What was read from a file."""

    files: list[WrittenFile]
    rejected: list[WrittenFile]
    schema: pa.Schema
    lines: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Staged rows."""
        return sum(file.rows for file in self.files)


class Stager:
    """Stages batches of rows under a schema: `_line` first, then the fields."""

    def __init__(self, schema: pa.Schema, directory: Path) -> None:
        self._directory = directory / "staged"
        self._rows = ParquetStaging(self._directory, schema)
        self._rejected = ParquetStaging(directory / "rejected", REJECTED)
        self.staged = Staged([], [], schema)

    def widen(self, schema: pa.Schema) -> None:
        """Go on with further columns behind those there are: null in the rows that are staged already."""
        self.staged.files += self._rows.close()
        self.staged.schema = schema
        self._rows = ParquetStaging(self._directory, schema, name=f"staged-{len(schema)}")

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
        rows = [cells.get(one.name, pa.nulls(count, one.type)) for one in self.staged.schema if one.name != LINE.name]
        made = pa.record_batch([lines, *rows], schema=self.staged.schema)
        self._rows.write(made.filter(ids.column(~refused)) if refused.any() else made)
        for line in batch.rejected:
            self._refuse(pa.array([line.line]), line.reason, pa.array([line.raw], pa.binary()))

    def close(self) -> Staged:
        """Finish."""
        self.staged.files += self._rows.close()
        self.staged.rejected = self._rejected.close()
        return self.staged

    def _refuse(self, lines: pa.Array, reason: str, raw: pa.Array) -> None:
        self.staged.reasons[reason] = self.staged.reasons.get(reason, 0) + len(lines)
        self._rejected.write(rejected(lines, reason, raw))


def rejected(lines: pa.Array, reason: str, raw: pa.Array) -> pa.RecordBatch:
    """Make rejected rows of one reason."""
    names = pa.repeat(pa.scalar(reason, pa.string()), len(lines))
    return pa.record_batch([lines.cast(pa.int64()), names, pc.fill_null(raw, b"")], schema=REJECTED)


def stage(
    path: Path,
    *,
    name: str | None,
    key: str,
    format: str | None,  # noqa: A002
    state: ProfilesState,
    directory: Path,
    progress: Progress,
) -> tuple[Staged, dict[str, pa.DataType]]:
    """Stage the rows of a profile file; give them and the types of columns that profiles do not have yet.

    Raises:
        KeyColumnMissing: the file has no column with the key.
        UnknownNameError: there is no field `key`.
        FieldError: a header can be no column.
    """
    stager: Stager | None = None
    extra: dict[str, pa.DataType] = {}
    kinds: dict[str, pa.DataType] = {}
    headers: dict[str, str] = {}
    seen: dict[str, None] = {}
    for batch in read(path, name, format, progress):
        if stager is None or not seen.keys() >= set(batch.table.schema.names):
            seen |= dict.fromkeys(batch.table.schema.names)  # NDJSON: a column may join later
            headers = map_headers(list(seen))
            _check_key(headers, key, state)
            for known in [one for one in headers if one not in kinds]:
                if known in state.schema.names:
                    kinds[known] = state.schema.field(known).type
                else:
                    extra[known] = extra_type(batch.table.schema.field(headers[known]).type)
                    kinds[known] = extra[known]
            schema = pa.schema([LINE, *[pa.field(one, kind) for one, kind in kinds.items()]])
            if stager is None:
                stager = Stager(schema, directory)
            else:
                stager.widen(schema)
        cells, bad = _typed_cells(batch, headers, kinds.__getitem__)
        keys = cells.get(key, pa.nulls(batch.table.num_rows, kinds[key]))
        stager.add(batch, cells, keys.cast(pa.string()), {"missing_key": missing(keys, key), "invalid_value": bad})
    assert stager is not None  # noqa: S101 - there is at least one batch
    staged = stager.close()
    ours = sorted(set(seen) - set(headers.values()))
    if ours:
        staged.warnings.append(f"set by Symbolon, not by files, and left out: {', '.join(f'`{one}`' for one in ours)}")
    return staged, extra


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


def key_missing(key: str, columns: list[str]) -> KeyColumnMissing:
    """Say that a file has no column with the key."""
    return KeyColumnMissing(
        f"the file has no column `{key}`, by which profiles are found",
        hint=f"it has: {', '.join(f'`{name}`' for name in columns[:12])}; name the key with --key FIELD",
        details={"columns": columns},
    )


def missing(values: pa.Array, key: str) -> NDArray[np.bool_]:
    """Say which rows have no key."""
    absent = flags(values.is_null())
    if is_address(key):
        absent |= flags(pc.equal(pc.binary_length(pc.utf8_trim(values, " ")), 0))
    return absent


def _check_key(headers: dict[str, str], key: str, state: ProfilesState) -> None:
    if key in headers:
        return
    known = [column for column in state.schema.names if column not in OWN]
    if key not in known:
        raise UnknownNameError.among("profile field", key, list(dict.fromkeys([*known, *headers])))
    raise key_missing(key, list(headers))


def _typed_cells(
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
