"""Rows on their way from Python to the engine: quick, plain Parquet files in a staging directory.

Invariant: memory holds at most one row group, whatever the number of rows. The files are read once or twice and
removed, so nothing is compressed, no statistics are kept, and dictionaries are built of flags only.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from symbolon.lake.errors import disk_errors
from symbolon.lake.locks import make_private
from symbolon.lake.written import WrittenFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

#: a row group is written at this many rows, or at this many bytes
ROW_GROUP_ROWS = 122_880
ROW_GROUP_BYTES = 64 << 20


class ParquetStaging:
    """Writes record batches into one file of a directory. Not for several threads at once."""

    def __init__(self, directory: Path, schema: pa.Schema, *, name: str = "staged") -> None:
        make_private(directory)
        self._path = directory / f"{name}.parquet"
        self._schema = schema
        self._sink: Any = None
        self._writer: Any = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        #: rows written so far
        self.rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; `batch` has the schema given.

        Raises:
            DiskFull: there is no space for it.
        """
        if not batch.num_rows:
            return
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> list[WrittenFile]:
        """Finish the file and give it; an empty list if no row was written. May be called twice."""
        self._flush()
        if self._writer is None:
            return [] if not self.rows else [self._written()]
        with self._giving_up():
            self._writer.close()
            self._sink.close()
        self._writer = None
        return [self._written()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _written(self) -> WrittenFile:
        return WrittenFile(self._path, self.rows, self._path.stat().st_size)

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Let go of the file if writing fails: while it is open, its space is not free again."""
        try:
            with disk_errors("a staged file"):
                yield
        except BaseException:
            if self._sink is not None:
                with suppress(OSError):
                    self._sink.close()
            raise

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - heavy
        import pyarrow.parquet as pq  # noqa: PLC0415

        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting, schema=self._schema)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        with self._giving_up():
            if self._writer is None:
                self._path.touch(mode=0o600, exist_ok=False)
                self._sink = pa.OSFile(str(self._path), "wb")
                self._writer = pq.ParquetWriter(
                    self._sink,
                    self._schema,
                    compression="none",
                    use_dictionary=[field.name for field in self._schema if field.type == pa.int8()],
                    write_statistics=False,
                    store_schema=False,
                )
            self._writer.write_table(table, row_group_size=2 * ROW_GROUP_ROWS)
