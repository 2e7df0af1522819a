"""CSV and TSV: tables of text.

Invariant: a record is judged by its own lines, so where the blocks are cut shows in no result.

Lines without quotation marks, or with all of them in their places, are read by Arrow, a block at a time; the others by
Python's csv module, one by one. A record over several lines has the number of its first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from symbolon.errors import Location
from symbolon.files.blocks import BLOCK_BYTES, MAX_LINE_BYTES, RejectedLine, blocks
from symbolon.files.csvrecords import QUOTE, Records, find_records, read_cells
from symbolon.files.errors import FileFormatError
from symbolon.files.guess import looks_like_id, same_shape
from symbolon.files.tables import TableBatch
from symbolon.files.textlines import BLANK, OK, Lines, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from symbolon.files.lexing import Ints

DELIMITERS = (",", ";", "\t", "|")
#: lines after the first that are looked at to tell whether it is a header
_LOOK = 6


class CsvTable:
    """A CSV or TSV file that is open for reading.

    Args:
        stream: its bytes, unpacked.
        name: its name, for messages.
        delimiter: a character, or None to find out.
        header: whether the first line holds the names; None to find out by its looks.
        size: bytes to read at a time.
        max_line: bytes of the longest record allowed.

    Raises:
        FileFormatError: the first line cannot be read.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        *,
        delimiter: str | None = None,
        header: bool | None = None,
        size: int = BLOCK_BYTES,
        max_line: int = MAX_LINE_BYTES,
    ) -> None:
        self._name, self._max_line = name, max_line
        self._blocks = blocks(stream, size=size, max_line=max_line)
        first = next(self._blocks, None)
        self._lines = None if first is None else lines_of(first, b"", 1, max_line=max_line)
        self.delimiter, self.names, self._body = self._header(delimiter, is_header=header)
        #: whether the names stand in the file; else they are `1`, `2` ...
        self.has_header = self._body > 0

    def _header(self, delimiter: str | None, *, is_header: bool | None) -> tuple[str, list[str], int]:
        """Give the delimiter, the names, and the line where the rows begin (0 = there is no header)."""
        lines = self._lines
        filled = [] if lines is None else np.flatnonzero(lines.state != BLANK)[: _LOOK + 1].tolist()
        if lines is None or not filled:
            return delimiter or ",", [], 0
        line = filled[0]
        if lines.state[line] == OK and lines.text(line).lower().startswith("sep=") and len(lines.text(line)) == 5:
            delimiter, line = lines.text(line)[4], line + 1  # spreadsheets write their delimiter there
            filled = [place for place in filled if place >= line] or [line]
            line = filled[0]
        if line >= len(lines) or lines.state[line] != OK:
            raise FileFormatError("the first line cannot be read as text", where=Location(self._name, line + 1))
        if delimiter is None:
            delimiter = sniff(lines.text(line))
        cells = read_cells(lines, line, line, delimiter)
        if cells is None:
            raise FileFormatError(
                "the quotation marks of the first line do not match", where=Location(self._name, line + 1)
            )
        cells = [cell.strip() for cell in cells]
        if is_header is None:
            is_header = not self._is_data(cells, filled[1:], delimiter)
        return (delimiter, cells, line + 1) if is_header else (delimiter, [str(n + 1) for n in range(len(cells))], 0)

    def _is_data(self, cells: list[str], following: list[int], delimiter: str) -> bool:
        if any(looks_like_id(cell) for cell in cells):
            return True
        if len(cells) > 1 or self._lines is None:
            return False
        rows = [read_cells(self._lines, line, line, delimiter) for line in following if self._lines.state[line] == OK]
        return same_shape(cells[0], [row[0] for row in rows if row and len(row) == 1])

    def batches(self, only: Sequence[str] | None = None, *, as_binary: bool = False) -> Iterator[TableBatch]:
        """Read the rows once, of some columns or of all, as text or as bytes."""
        wanted = [self.names.index(name) for name in (self.names if only is None else only)]
        kind = pa.binary() if as_binary else pa.string()
        lines = self._lines
        if lines is None:
            yield self._make([pa.array([], kind) for _ in wanted], wanted, np.zeros(0, np.int64), [], 0, 0)
            return
        if self._body:
            lines.state[: self._body] = BLANK
        while True:
            following = next(self._blocks, None)
            records = find_records(lines, self.delimiter, max_line=self._max_line, is_last=following is None)
            stop = len(lines) if records.open_from is None else records.open_from
            yield self._batch(lines, records, stop, wanted, kind)
            if following is None:
                return
            carried = lines.data[lines.start[stop] :] if stop < len(lines) else b""
            lines = lines_of(following, carried, lines.number + stop, max_line=self._max_line)

    def _batch(self, lines: Lines, records: Records, stop: int, wanted: list[int], kind: pa.DataType) -> TableBatch:
        width = len(self.names)
        columns, number, wrong = self._plain(lines, records, wanted, kind)
        odd = {line: cells for line, cells in records.odd.items() if len(cells) == width}
        malformed = sorted({*wrong, *records.malformed, *(records.odd.keys() - odd.keys())})
        if odd:
            extra = [_encoded([cells[column] for cells in odd.values()], kind) for column in wanted]
            number = np.concatenate([number, np.fromiter(odd, np.int64, len(odd))])
            order = np.argsort(number, kind="stable")
            number = number[order]
            columns = [
                pa.concat_arrays([column, more]).take(pa.array(order))
                for column, more in zip(columns, extra, strict=True)
            ]
        inside = np.zeros(len(lines), np.bool_)
        inside[list(records.inside)] = True
        inside[stop:] = True
        rejected = [entry for entry in lines.broken() if not inside[entry.line - lines.number]]
        rejected += [lines.rejected(line, "malformed_line") for line in malformed]
        rejected.sort(key=lambda entry: entry.line)
        nonblank = int(np.count_nonzero((lines.state != BLANK) & ~inside))
        return self._make(columns, wanted, number + lines.number, rejected, stop, nonblank)

    def _make(
        self,
        columns: list[pa.Array],
        wanted: list[int],
        number: Ints,
        rejected: list[RejectedLine],
        line_count: int,
        nonblank: int,
    ) -> TableBatch:
        names = [self.names[column] for column in wanted]
        return TableBatch(pa.record_batch(columns, names=names), number, rejected, line_count, nonblank)

    def _plain(
        self, lines: Lines, records: Records, wanted: list[int], kind: pa.DataType
    ) -> tuple[list[pa.Array], Ints, list[int]]:
        """Read the plain lines of a block with Arrow: columns, line of each row, lines with a wrong number of cells."""
        number = np.flatnonzero(records.plain)
        if not len(number):
            return [pa.array([], kind) for _ in wanted], number, []
        wrong: list[int] = []

        def skip(row: pacsv.InvalidRow) -> str:
            wrong.append(row.number - 1)
            return "skip"

        text = lines.pick(records.plain)
        names = [f"c{column}" for column in range(len(self.names))]
        table = pacsv.read_csv(
            pa.BufferReader(text),
            pacsv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            pacsv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if QUOTE in lines.data else False,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            pacsv.ConvertOptions(
                check_utf8=False,  # done before, line by line
                column_types=dict.fromkeys(names, kind),
                include_columns=[names[column] for column in wanted],
                strings_can_be_null=False,
            ),
        )
        bad = [int(number[place]) for place in wrong]
        if wrong:
            number = np.delete(number, wrong)
        columns = [_one(table.column(place), kind) for place in range(len(wanted))]
        return columns, number, bad


def sniff(line: str) -> str:
    """Tell what parts the cells of a line: that of `, ; tab |` which stands most often outside quotation marks."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _one(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    chunks = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.array([], kind)


def _encoded(cells: list[str], kind: pa.DataType) -> pa.Array:
    return (
        pa.array([cell.encode() for cell in cells], pa.binary()) if pa.types.is_binary(kind) else pa.array(cells, kind)
    )
