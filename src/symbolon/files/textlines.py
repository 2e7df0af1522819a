"""The physical lines of a list: which are blank, broken or too long, whatever the format of the list.

Invariant: a line is judged by its own bytes, and its number is its place in the file, from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from symbolon.files.blocks import KEPT_BYTES, Block, RejectedLine
from symbolon.files.lexing import NEWLINE, RETURN, Bools, Bytes, Ints, not_utf8, shifted, spans

if TYPE_CHECKING:
    import pyarrow as pa

OK, BLANK, MALFORMED, TOO_LONG, BAD_ENCODING = range(5)
_REASONS = ("", "", "malformed_line", "line_too_long", "bad_encoding")


@dataclass(slots=True)
class Lines:
    """Some physical lines of a file."""

    data: bytes = field(repr=False)
    octets: Bytes = field(repr=False)
    start: Ints
    #: without the line end, `\\r\\n` or `\\n`
    end: Ints
    #: OK, BLANK, MALFORMED (holds a NUL), TOO_LONG or BAD_ENCODING
    state: np.ndarray
    #: number of the first line, from 1
    number: int
    #: first bytes of lines that were taken out while reading, by line
    cut: dict[int, bytes] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.start)

    def text(self, line: int) -> str:
        """Give one line, which is UTF-8."""
        return self.data[self.start[line] : self.end[line]].decode()

    def rejected(self, line: int, reason: str) -> RejectedLine:
        """Make the record of a line that cannot be read."""
        start, end = int(self.start[line]), int(self.end[line])
        raw = self.cut.get(line, self.data[start : min(end, start + KEPT_BYTES)])
        return RejectedLine(self.number + line, reason, raw)

    def broken(self) -> list[RejectedLine]:
        """Make the records of all lines that are broken by themselves."""
        return [self.rejected(line, _REASONS[self.state[line]]) for line in np.flatnonzero(self.state > BLANK).tolist()]

    def pick(self, chosen: Bools) -> bytes | pa.Buffer:
        """Give the chosen lines as one text."""
        if chosen.all() and self.data:
            return self.data
        picked = spans(self.data, self.start[chosen], self._behind()[chosen])
        size = picked.buffers()[2]
        return size if size is not None else b""

    def _behind(self) -> Ints:
        """Give where the next line begins."""
        behind = np.empty_like(self.start)
        behind[:-1] = self.start[1:]
        behind[-1:] = len(self.data)
        return behind


def lines_of(block: Block, carried: bytes, number: int, *, max_line: int, blanks: bytes = b" \t\r") -> Lines:
    """Look at the lines of a block.

    Args:
        block: whole lines.
        carried: whole lines that the block before left over; they come first.
        number: number of the first line.
        max_line: bytes of the longest line allowed, without its end.
        blanks: bytes of which a blank line consists.
    """
    data = carried + block.data if carried else block.data
    if data and not data.endswith(b"\n"):
        data += b"\n"
    octets: Bytes = np.frombuffer(data, np.uint8)
    end = np.flatnonzero(octets == NEWLINE)
    start = shifted(end)
    has_return = np.zeros(len(end), np.bool_)
    filled = end > start
    has_return[filled] = octets[end[filled] - 1] == RETURN
    end = end - has_return
    state = np.zeros(len(end), np.int8)
    state[_blank(octets, start, end, blanks)] = BLANK
    if not data.isascii():
        state[not_utf8(data, octets, start, end)] = BAD_ENCODING
    if b"\0" in data:
        state[np.searchsorted(end, np.flatnonzero(octets == 0))] = MALFORMED
    state[end - start > max_line] = TOO_LONG
    offset = carried.count(b"\n")
    cut = {offset + line: raw for line, raw in block.cut}
    for line in cut:
        state[line] = TOO_LONG
    return Lines(data, octets, start, end, state, number, cut)


def _blank(octets: Bytes, start: Ints, end: Ints, blanks: bytes) -> Bools:
    blank: Bools = end == start
    # only a line that begins with a blank can consist of them
    suspects = ~blank
    suspects[suspects] = np.isin(octets[start[suspects]], np.frombuffer(blanks, np.uint8))
    for line in np.flatnonzero(suspects).tolist():
        blank[line] = not octets[start[line] : end[line]].tobytes().strip(blanks)
    return blank
