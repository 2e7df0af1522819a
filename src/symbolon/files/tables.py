"""What reading a list or a table gives, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from symbolon.files.blocks import RejectedLine
    from symbolon.files.lexing import Ints


@dataclass(frozen=True, slots=True)
class ListBatch:
    """Some IDs of a simple list."""

    #: line in the file, from 1 (a header is line 1; Parquet: row)
    lines: Ints
    #: the IDs as they stand there (pa.binary without nulls; an absent ID is empty)
    ids: pa.Array
    #: lines that could not be read, numbered as `lines`
    rejected: list[RejectedLine]
    #: physical lines, header and blank ones included
    line_count: int
    #: of these, rows: neither blank nor the header
    nonblank: int


@dataclass(frozen=True, slots=True)
class TableBatch:
    """Some rows of a table."""

    #: the readable rows. CSV, TSV: strings, an empty cell is the empty string. Parquet, NDJSON: typed, nulls kept
    table: pa.RecordBatch
    #: line in the file of each row, from 1 (a header is line 1; Parquet: row)
    lines: Ints
    rejected: list[RejectedLine]
    line_count: int
    nonblank: int


class Table(Protocol):
    """A file of rows and columns that is open for reading."""

    @property
    def names(self) -> list[str]:
        """The columns, in order."""
        ...

    @property
    def has_header(self) -> bool:
        """Whether the names stand in the file; else they are `1`, `2` ..."""
        ...

    def batches(self, only: Sequence[str] | None = None) -> Iterator[TableBatch]:
        """Read the rows once, of some columns or of all. At least one batch comes, so that the columns are known."""
        ...
