"""Rows as files that others read: CSV, NDJSON and Parquet, a batch at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.csv as pacsv
from isal import igzip_threaded

from symbolon.errors import InternalError
from symbolon.later import pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Format = Literal["csv", "ndjson", "parquet"]
#: level of compression: as small as zlib's 2, several times quicker
_LEVEL = 1


def write_rows(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    format: Format,  # noqa: A002 - the word of the interface
    gzip: bool = False,
    delimiter: str = ",",
    header: bool = True,
) -> int:
    """Write rows as a file of mode 0600 and give their number.

    Args:
        path: there is no such file yet.
        batches: the rows, of schema `schema`.
        schema: names and types of the columns.
        format: text cells of CSV are in quotation marks, and an empty one is no value; NDJSON leaves nothing out.
        gzip: whether to compress; never for Parquet, which does so itself.
        delimiter: of CSV.
        header: whether the first line of CSV holds the names.
    """
    path.touch(mode=0o600, exist_ok=False)
    count = 0
    with _sink(path, gzip=gzip) as sink:
        write, close = _writer(sink, schema, format, delimiter, header=header)
        for batch in batches:
            write(batch)
            count += batch.num_rows
        close()
    return count


@contextmanager
def _sink(path: Path, *, gzip: bool) -> Iterator[Any]:
    if not gzip:
        with path.open("wb") as file:
            yield file
        return
    with igzip_threaded.open(path, "wb", compresslevel=_LEVEL, threads=1) as file:
        yield file


def _writer(sink: Any, schema: pa.Schema, format: Format, delimiter: str, *, header: bool) -> tuple[Any, Any]:  # noqa: A002
    """Give what writes a batch, and what ends the file."""
    if format == "csv":
        options = pacsv.WriteOptions(include_header=header, delimiter=delimiter)
        csv = pacsv.CSVWriter(sink, schema, write_options=options)
        return csv.write_batch, csv.close
    if format == "parquet":
        parquet = pq.ParquetWriter(sink, schema, compression="zstd", store_schema=False)
        return parquet.write_batch, parquet.close
    if format != "ndjson":
        raise InternalError(f"nothing writes `{format}`")
    encoder = msgspec.json.Encoder()
    return (lambda batch: sink.write(encoder.encode_lines(batch.to_pylist()))), (lambda: None)
