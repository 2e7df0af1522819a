"""Parquet files as tables, a row group at a time. A row's number stands for its line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa

from symbolon.errors import Location
from symbolon.files.errors import FileFormatError
from symbolon.files.tables import TableBatch
from symbolon.later import pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: rows of a batch
_ROWS = 131_072


class ParquetTable:
    """A Parquet file that is open for reading.

    Args:
        source: a path, or a stream that can seek.
        name: its name, for messages.

    Raises:
        FileFormatError: it is cut, damaged, or encrypted.
    """

    has_header = True

    def __init__(self, source: Path | BinaryIO, name: str) -> None:
        self._name = name
        try:
            self._file = pq.ParquetFile(str(source) if isinstance(source, Path) else source)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged() from error
        self.schema: pa.Schema = self._file.schema_arrow
        self.names: list[str] = list(self.schema.names)

    @property
    def row_count(self) -> int:
        """Rows of the file."""
        return int(self._file.metadata.num_rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def batches(self, only: Sequence[str] | None = None) -> Iterator[TableBatch]:
        """Read the rows once, of some columns or of all."""
        wanted = list(self.names if only is None else only)
        number = 1
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS, columns=wanted, use_threads=False):
                count = batch.num_rows
                yield TableBatch(batch, np.arange(number, number + count), [], count, count)
                number += count
        except (pa.ArrowException, OSError) as error:
            raise self._damaged() from error
        if number == 1:
            empty = pa.RecordBatch.from_pylist([], pa.schema([self.schema.field(name) for name in wanted]))
            yield TableBatch(empty, np.zeros(0, np.int64), [], 0, 0)

    def _damaged(self) -> FileFormatError:
        return FileFormatError(
            "the Parquet file cannot be read: it is cut off, damaged or encrypted",
            where=Location(self._name),
            hint="ask the sender for the file again",
        )
