"""Records of CSV in physical lines: which lines are records by themselves, and what the others are.

Invariant: one wrong quotation mark costs one line, never the rest of the file: a quoted line break is followed only for
as far as a line may be long.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from symbolon.files.kinds import UTF8_BOM
from symbolon.files.textlines import BLANK, OK, Lines

if TYPE_CHECKING:
    from symbolon.files.lexing import Bools, Ints

QUOTE, RETURN = ord('"'), ord("\r")


@dataclass(slots=True)
class Records:
    """How the lines of a block make records."""

    #: lines that are records by themselves, with every quotation mark in its place
    plain: Bools
    #: other records: first line -> cells
    odd: dict[int, list[str]] = field(default_factory=dict)
    #: first lines of records that cannot be read
    malformed: list[int] = field(default_factory=list)
    #: lines that belong to a record which begins before them
    inside: set[int] = field(default_factory=set)
    #: line where a record begins that goes on behind this block; None = none
    open_from: int | None = None


def read_cells(lines: Lines, first: int, last: int, delimiter: str) -> list[str] | None:
    r"""Read one record from lines of a block; None = it is not closed, or its quotation marks are wrong.

    A line break in a cell is read as `\n`, however the lines end.
    """
    try:
        text = [f"{lines.text(line)}\n" for line in range(first, last)] + [lines.text(last)]
        rows = list(csv.reader(text, delimiter=delimiter, strict=True))
    except (csv.Error, UnicodeDecodeError):
        return None
    return rows[0] if len(rows) == 1 else None


def find_records(lines: Lines, delimiter: str, *, max_line: int, is_last: bool) -> Records:
    """Tell the records in the lines of a block.

    Args:
        lines: the lines.
        delimiter: what parts the cells.
        max_line: bytes of the longest record allowed.
        is_last: whether nothing follows, so that an open record stays open.
    """
    plain: Bools = lines.state == OK
    found = Records(plain)
    quotes = np.flatnonzero(lines.octets == QUOTE) if b'"' in lines.data else np.zeros(0, np.int64)
    per_line = np.zeros(len(lines), np.int64)
    if len(quotes):
        owner = np.searchsorted(lines.end, quotes)
        per_line = np.bincount(owner, minlength=len(lines))
        plain[owner[_misplaced(lines, quotes, owner, per_line, ord(delimiter))]] = False
        plain[per_line % 2 == 1] = False
    if b"\r" in lines.data:
        # Arrow takes a carriage return for a line end wherever it stands
        returns = np.flatnonzero(lines.octets == RETURN)
        owner = np.searchsorted(lines.end, returns, side="right")
        inside = owner < len(lines)
        inside[inside] = returns[inside] >= lines.start[owner[inside]]
        plain[owner[inside]] = False
    if UTF8_BOM in lines.data:
        # Arrow drops a byte order mark wherever its text begins; only the file's own is none of a cell's characters
        filled = lines.end > lines.start
        plain[filled] &= lines.octets[lines.start[filled]] != UTF8_BOM[0]
    _read_odd(lines, found, per_line, delimiter, max_line, is_last=is_last)
    return found


def _misplaced(lines: Lines, quotes: Ints, owner: Ints, per_line: Ints, delimiter: int) -> Bools:
    """Say which quotation marks neither open or close a cell nor stand twice for one."""
    octets = lines.octets
    place = np.arange(len(quotes)) - (np.cumsum(per_line) - per_line)[owner]
    before = octets[np.maximum(quotes - 1, 0)]
    behind = octets[np.minimum(quotes + 1, len(octets) - 1)]
    opens = (quotes == lines.start[owner]) | (before == delimiter) | (before == QUOTE)
    closes = (quotes + 1 == lines.end[owner]) | (behind == delimiter) | (behind == QUOTE)
    misplaced: Bools = ~np.where(place % 2 == 0, opens, closes)
    return misplaced


def _read_odd(lines: Lines, found: Records, per_line: Ints, delimiter: str, max_line: int, *, is_last: bool) -> None:
    """Read the lines that are no plain records, one by one."""
    suspects = np.flatnonzero(~found.plain & (lines.state == OK)).tolist()
    # a quoted line break is closed by the next line with an odd number of quotation marks
    turning = np.flatnonzero(per_line % 2 == 1)
    behind = -1
    for line in suspects:
        if line <= behind:
            continue
        cells = read_cells(lines, line, line, delimiter)
        if cells is not None:
            found.odd[line] = cells
            continue
        if per_line[line] % 2 == 0:
            found.malformed.append(line)
            continue
        later = turning[np.searchsorted(turning, line, side="right") :]
        close = int(later[0]) if len(later) else len(lines) - 1
        whole = (lines.state[line : close + 1] <= BLANK).all()
        fits = whole and lines.end[close] - lines.start[line] <= max_line
        if fits and not len(later) and not is_last:
            found.open_from = line
            found.plain[line:] = False
            found.inside.update(range(line, len(lines)))
            return
        cells = read_cells(lines, line, close, delimiter) if fits and len(later) else None
        if cells is None:
            found.malformed.append(line)
            continue
        found.odd[line] = cells
        found.inside.update(range(line + 1, close + 1))
        found.plain[line + 1 : close + 1] = False
        behind = close
