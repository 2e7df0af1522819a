"""Fixed width: tables of text whose columns have their places on the line, and nothing between them.

Invariant: a line is judged by itself. A place is counted in signs (Unicode code points), not in bytes; a line that ends
before a place leaves its cell empty.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.files.blocks import BLOCK_BYTES, MAX_LINE_BYTES, blocks, open_bytes
from symbolon.files.lexing import spans
from symbolon.files.tables import TableBatch
from symbolon.files.textlines import BLANK, OK, lines_of
from symbolon.later import pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from symbolon.files.textlines import Lines


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands on a line."""

    name: str
    #: its first sign, from 1
    start: int
    #: signs
    width: int


class FixedWidthTable:
    """A file of fixed width that is open for reading.

    Args:
        stream: its bytes, unpacked.
        places: the columns; they may leave signs out, and lie over each other.
        header: whether the first line holds names; they are not looked at.
        size: bytes to read at a time.
        max_line: bytes of the longest line allowed.
    """

    def __init__(
        self,
        stream: BinaryIO,
        places: Sequence[Place],
        *,
        header: bool = False,
        size: int = BLOCK_BYTES,
        max_line: int = MAX_LINE_BYTES,
    ) -> None:
        self._places = {place.name: place for place in places}
        self._blocks = blocks(stream, size=size, max_line=max_line)
        self._max_line = max_line
        self.has_header = header

    @property
    def names(self) -> list[str]:
        """The columns, in order."""
        return list(self._places)

    def batches(self, only: Sequence[str] | None = None) -> Iterator[TableBatch]:
        """Read the rows once, of some columns or of all, as text; blanks stay."""
        places = [self._places[name] for name in (self.names if only is None else only)]
        number, is_first, told = 1, self.has_header, False
        for block in self._blocks:
            lines = lines_of(block, b"", number, max_line=self._max_line)
            number += len(lines)
            if is_first:  # it is the first that is not blank
                filled = np.flatnonzero(lines.state != BLANK)[:1]
                lines.state[filled] = BLANK
                is_first = not len(filled)
            yield _cut(lines, places)
            told = True
        if not told:
            yield TableBatch(_cells([pa.nulls(0, pa.string())] * len(places), places), np.zeros(0, np.int64), [], 0, 0)


@contextmanager
def open_fixed_width(
    source: Path | BinaryIO, places: Sequence[Place], *, name: str | None = None, header: bool = False
) -> Iterator[FixedWidthTable]:
    """Open a file of fixed width, also a packed one; it is closed at the end of the block.

    Raises:
        InputError: it is no readable file of text.
    """
    with open_bytes(source, name=name) as stream:
        yield FixedWidthTable(stream, places, header=header)


def _cut(lines: Lines, places: Sequence[Place]) -> TableBatch:
    number = np.flatnonzero(lines.state == OK)
    text = spans(lines.data, lines.start[number], lines.end[number]).cast(pa.string())
    columns = [pc.utf8_slice_codeunits(text, one.start - 1, one.start - 1 + one.width) for one in places]
    nonblank = int(np.count_nonzero(lines.state != BLANK))
    return TableBatch(_cells(columns, places), number + lines.number, lines.broken(), len(lines), nonblank)


def _cells(columns: list[pa.Array], places: Sequence[Place]) -> pa.RecordBatch:
    return pa.record_batch(columns, names=[place.name for place in places])
