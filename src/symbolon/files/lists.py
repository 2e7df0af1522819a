"""Simple lists and tables in CSV, TSV, NDJSON and Parquet: the format found out, the right column taken.

Invariant: a column is taken only when there is no doubt: it was named, or there is one.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import pyarrow as pa

from symbolon.errors import Location
from symbolon.files.blocks import BLOCK_BYTES, MAX_LINE_BYTES, check_regular, open_bytes
from symbolon.files.csvfiles import CsvTable
from symbolon.files.errors import ColumnNeeded, ColumnsError, FileEmpty, FileFormatError, OpenError
from symbolon.files.jsonfiles import JsonTable
from symbolon.files.kinds import HEAD_BYTES, is_parquet
from symbolon.files.parquetfiles import ParquetTable
from symbolon.files.tables import ListBatch, TableBatch
from symbolon.later import pc

if TYPE_CHECKING:
    from collections.abc import Iterator

Format = Literal["csv", "tsv", "ndjson", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "tsv", "ndjson", "parquet")
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: columns that a message names
_SHOWN = 12

AnyTable = CsvTable | JsonTable | ParquetTable


def read_list(
    source: Path | BinaryIO,
    *,
    column: str | None = None,
    format: str | None = None,  # noqa: A002 - the word of the interface
    name: str | None = None,
    size: int = BLOCK_BYTES,
    max_line: int = MAX_LINE_BYTES,
) -> Iterator[ListBatch]:
    """Read the IDs of a simple list.

    Args:
        source: a path, or a binary stream.
        column: the column that holds the IDs; without it a single column is taken. Where a file has no header, its
            columns are named `1`, `2` ...
        format: `csv`, `tsv`, `ndjson` or `parquet`; by default found out from the name, then from the content.
        name: what to call the source in messages.
        size: bytes to read at a time.
        max_line: bytes of the longest line allowed.

    Returns:
        Batches in the order of the file; at least one.

    Raises:
        ColumnNeeded: there are several columns and none was named, or the one named is not there.
        InputError: it is no readable file of its format (see `open_bytes`).
    """
    with open_table(source, format=format, name=name, size=size, max_line=max_line) as table:
        chosen = _choose(table, column, _shown(source, name))
        batches = table.batches([chosen], as_binary=True) if isinstance(table, CsvTable) else table.batches([chosen])
        for batch in batches:
            ids = _as_ids(batch.table.column(0), chosen, _shown(source, name))
            yield ListBatch(batch.lines, ids, batch.rejected, batch.line_count, batch.nonblank)


def read_table(
    source: Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002
    name: str | None = None,
    size: int = BLOCK_BYTES,
    max_line: int = MAX_LINE_BYTES,
) -> Iterator[TableBatch]:
    """Read all columns of a table; CSV and TSV need a header.

    Returns:
        Batches in the order of the file; at least one, so that the columns are known. An NDJSON column may change its
        type from batch to batch, or join later.

    Raises:
        ColumnsError: a column has no name, or two have the same.
        InputError: it is no readable file of its format (see `open_bytes`).
    """
    with open_table(source, format=format, name=name, header=True, size=size, max_line=max_line) as table:
        where = Location(_shown(source, name), 1)
        if not all(table.names):
            place = table.names.index("") + 1
            raise ColumnsError(f"column {place} of {len(table.names)} has no name", where=where)
        twice = sorted({column for column in table.names if table.names.count(column) > 1})
        if twice:
            raise ColumnsError(f"several columns have the same name: {_quoted(twice)}", where=where)
        yield from table.batches()


@contextmanager
def open_table(
    source: Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002
    name: str | None = None,
    header: bool | None = None,
    size: int = BLOCK_BYTES,
    max_line: int = MAX_LINE_BYTES,
) -> Iterator[AnyTable]:
    """Open a list or a table in whatever format it has; the file is closed at the end of the block.

    Raises:
        OpenError: there is no such format.
        InputError: it is no readable file of its format.
    """
    shown = _shown(source, name)
    known = _format(source, format, name)
    if known == "parquet":
        parquet = ParquetTable(source, shown)
        try:
            yield parquet
        finally:
            parquet.close()
        return
    with open_bytes(source, name=name) as stream:
        if known is None:
            known = "ndjson" if _begins_with_object(stream) else "csv"
        if known == "ndjson":
            yield JsonTable(stream, shown, size=size, max_line=max_line)
            return
        delimiter = "\t" if known == "tsv" else None
        table = CsvTable(stream, shown, delimiter=delimiter, header=header, size=size, max_line=max_line)
        if not table.names:
            raise FileEmpty("the file holds only blank lines", where=Location(shown))
        yield table


def _format(source: Path | BinaryIO, given: str | None, name: str | None) -> Format | None:
    """Tell the format from the option, the first bytes, or the name; None = only the content can tell."""
    if given is not None and given not in FORMATS:
        raise OpenError(f"there is no format `{given}`", hint=f"known: {', '.join(FORMATS)}")
    if isinstance(source, Path):
        if not check_regular(source, name).st_size:
            raise FileEmpty("the file is empty", where=Location(_shown(source, name)))
        with open_plain(source) as file:
            if is_parquet(file.read(HEAD_BYTES)):
                return "parquet"
    elif source.seekable():
        place = source.tell()
        head = source.read(HEAD_BYTES)
        source.seek(place)
        if is_parquet(head):
            return "parquet"
    by_name = _by_ending(name or str(source if isinstance(source, Path) else getattr(source, "name", "")))
    known = next((known for known in FORMATS if known == given), None) or by_name
    if known == "parquet":
        raise FileFormatError(
            "the file is no Parquet file", where=Location(_shown(source, name)), hint="check its format with --format"
        )
    return known


def open_plain(path: Path) -> BinaryIO:
    """Open without unpacking; the faults are those of `open_bytes`."""
    try:
        return path.open("rb")
    except OSError:
        return open_bytes(path)  # which words the fault


def _by_ending(name: str) -> Format | None:
    bare = name.lower().removesuffix(".gz")
    return next((known for ending, known in _ENDINGS.items() if bare.endswith(ending)), None)


def _begins_with_object(stream: BinaryIO) -> bool:
    head: bytes = getattr(stream, "head", b"")
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _choose(table: AnyTable, column: str | None, shown: str) -> str:
    """Give the column to read."""
    where = Location(shown)
    names = table.names
    if column is None:
        if len(names) == 1:
            return names[0]
        if not names:
            raise ColumnNeeded("the file has no columns", where=where, hint="`symbolon file inspect FILE` shows it")
        raise ColumnNeeded(
            f"the list has {len(names)} columns and none was chosen: {_named(table)}",
            where=where,
            hint="name the one that holds the IDs with --column"
            + ("" if table.has_header else "; the first is `--column 1`"),
            details=_details(table),
        )
    exact = [name for name in names if name == column]
    alike = exact or [name for name in names if name.strip().lower() == column.strip().lower()]
    if len(alike) == 1:
        return alike[0]
    if len(alike) > 1:
        raise ColumnNeeded(f"{len(alike)} columns are named `{column}`", where=where, hint="rename all but one of them")
    raise ColumnNeeded(
        f"there is no column `{column}`; the list has {_named(table)}",
        where=where,
        hint="choose one of them with --column" if table.has_header else "without a header columns are numbered from 1",
        details=_details(table),
    )


def _named(table: AnyTable) -> str:
    if not table.has_header:
        return f"{len(table.names)} columns and no header"
    return _quoted(table.names)


def _details(table: AnyTable) -> dict[str, object]:
    return {"columns": list(table.names)}


def _quoted(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"`{name[:64]}`" for name in names[:_SHOWN]) + more


def _as_ids(values: pa.Array, column: str, shown: str) -> pa.Array:
    """Give the IDs as bytes; nothing is an empty ID, which is for others to reject."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_integer(kind):
        values = values.cast(pa.string())
    elif pa.types.is_null(kind):
        values = pa.nulls(len(values), pa.string())
    elif not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary_view(kind)
    ):
        raise FileFormatError(
            f"column `{column}` holds {kind}; IDs are text, bytes or whole numbers", where=Location(shown)
        )
    values = values.cast(pa.binary())
    return pc.fill_null(values, b"") if values.null_count else values


def _shown(source: Path | BinaryIO, name: str | None) -> str:
    return name or (str(source) if isinstance(source, Path) else str(getattr(source, "name", "-")))
