"""Rows of people as a result: looked at as Arrow or pandas, or written to a file, batch by batch.

Invariant: nothing is fetched before it is asked for, and writing never holds more than a batch.
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from symbolon.later import pc, pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

#: formats that rows can be written in
Format = Literal["csv", "ndjson", "parquet"]


class Rows:
    """A table of people, not yet fetched.

    Args:
        schema: names and types of the columns.
        read: gives the record batches, anew at each call.
    """

    def __init__(self, schema: pa.Schema, read: Callable[[], Iterable[pa.RecordBatch]]) -> None:
        self.schema = schema
        self._read = read

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.schema.names)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows batch by batch."""
        yield from self._read()

    def to_arrow(self) -> pa.Table:
        """Fetch all rows as an Arrow table; DuckDB reads it as it stands: `duckdb.sql("from members")`."""
        return pa.Table.from_batches(list(self._read()), schema=self.schema)

    def to_pandas(self) -> pd.DataFrame:
        """Fetch all rows as a pandas data frame."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def count(self) -> int:
        """Count the rows."""
        return sum(batch.num_rows for batch in self._read())

    def write(self, target: str | IO[bytes], fmt: Format = "csv") -> int:
        """Write the rows with a header (CSV), one object a line (NDJSON), or as Parquet; give their number."""
        sink = pa.OSFile(target, "wb") if isinstance(target, str) else target
        try:
            return _WRITERS[fmt](self, sink)
        finally:
            if isinstance(target, str):
                sink.close()


def _write_csv(rows: Rows, sink: IO[bytes]) -> int:
    header = io.StringIO()
    quotes: Literal[0, 1] = csv.QUOTE_ALL if any("\r" in name for name in rows.columns) else csv.QUOTE_MINIMAL
    csv.writer(header, lineterminator="\n", quoting=quotes).writerow(rows.columns)
    sink.write(header.getvalue().encode())
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    count = 0
    for batch in rows.batches():
        shown = _texts(batch)
        if _holds(shown, '[",\r\n]'):  # Arrow quotes every text or none; few batches have one that needs it
            text = io.StringIO()
            # csv forgets to quote a lone carriage return
            quoting: Literal[0, 1] = csv.QUOTE_ALL if _holds(shown, "\r") else csv.QUOTE_MINIMAL
            cells = zip(*(column.to_pylist() for column in shown.columns), strict=True)
            csv.writer(text, lineterminator="\n", quoting=quoting).writerows(cells)
            sink.write(text.getvalue().encode())
        else:
            buffer = pa.BufferOutputStream()
            pa_csv.write_csv(shown, buffer, options)
            sink.write(buffer.getvalue())
        count += batch.num_rows
    return count


def _holds(batch: pa.RecordBatch, pattern: str) -> bool:
    texts = [column for column in batch.columns if pa.types.is_string(column.type)]
    return any(pc.any(pc.match_substring_regex(text, pattern=pattern)).as_py() for text in texts)


def _write_ndjson(rows: Rows, sink: IO[bytes]) -> int:
    import msgspec  # noqa: PLC0415

    encoder = msgspec.json.Encoder()
    count = 0
    for batch in rows.batches():
        sink.write(encoder.encode_lines(batch.to_pylist()))
        count += batch.num_rows
    return count


def _write_parquet(rows: Rows, sink: IO[bytes]) -> int:
    count = 0
    with pq.ParquetWriter(sink, rows.schema, compression="zstd") as writer:
        for batch in rows.batches():
            writer.write_batch(batch)
            count += batch.num_rows
    return count


_WRITERS = {"csv": _write_csv, "ndjson": _write_ndjson, "parquet": _write_parquet}


def _texts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Write moments and booleans as a reader of CSV expects them."""
    columns = []
    for column in batch.columns:
        if pa.types.is_timestamp(column.type):
            seconds = column.cast(pa.timestamp("s", column.type.tz), safe=False)
            columns.append(pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%SZ"))
        elif pa.types.is_string(column.type):
            columns.append(column)
        else:
            columns.append(column.cast(pa.string()))
    return pa.record_batch(columns, names=batch.schema.names)
