r"""Rows of a segment file: `ID segment,segment[ removed,removed]`, read and written.

    ID            any bytes but blanks, NUL and line ends; what it means is decided elsewhere
    between       a run of spaces and tabs; at the end of a line they are dropped, as is `\r`
    segment       1 to 64 of letters, digits, `_ . : -`; several with commas between, no blanks, none empty
    removed       read in `iter` files; in `full` files it must be well-formed and says nothing

Invariant: each line that is not blank is in exactly one count: it gives an ID for the wanted segment, it names only
other segments, or it is rejected. `parse_rows` depends on nothing but its arguments, and NumPy and Arrow do the work,
so several threads can parse blocks of one file at the same time.

Source: Audience Manager documentation, "Outbound data file contents" (its sample has two spaces between the columns).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.files.blocks import KEPT_BYTES, MAX_LINE_BYTES, Block, RejectedLine
from symbolon.files.lexing import Ints, Lexed, lex, spans
from symbolon.files.tails import Named, Tokens, named, tokens, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: lists of segments repeat from line to line in most files; then each is examined once. Found out with a sample
_SAMPLE = 2048
_REPEATING = 0.25
_OTHER, _ADDS, _REMOVES, _MALFORMED = range(4)


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """What a block says. Arrays of one length n: an entry a line, or a line and segment where all segments are read."""

    #: line in the block, from 0
    lines: Ints
    #: the ID as it stands on the wire (pa.binary)
    ids: pa.Array
    #: whether the line takes the ID out of the segment (`iter` only)
    removed: np.ndarray
    #: the segment, where all are read: pa.DictionaryArray of strings; None where one was wanted
    segment: pa.DictionaryArray | None
    #: physical lines of the block
    line_count: int
    #: of these, not blank
    nonblank: int
    #: readable lines that do not name the wanted segment
    other_segments: int
    #: lines that could not be read, in order
    rejected: list[RejectedLine]


def parse_rows(block: Block, *, mode: str, segment: str | None, max_line: int = MAX_LINE_BYTES) -> SegmentBatch:
    """Read the rows of a block.

    Args:
        block: whole lines.
        mode: `full` or `iter`.
        segment: code of the wanted segment, or None for all of them. In an `iter` file a line that both adds and
            removes it is rejected; with None, one that does so to any segment.
        max_line: bytes of the longest line allowed, without its end.

    Returns:
        IDs by line, counts, and the rejected lines (`malformed_line`, `line_too_long`).
    """
    data = block.data if block.data.endswith(b"\n") else block.data + b"\n" if block.data else b""
    lexed = lex(data, max_line)
    filled = lexed.count > 0
    readable = np.flatnonzero((lexed.count > 1) & (lexed.count < 4) & ~lexed.broken & ~lexed.too_long)
    lists = _Lists.of(lexed, readable)
    is_full = mode == "full"
    if segment is not None:
        outcome = lists.wanted(segment.encode(), is_full=is_full)
        row = np.flatnonzero((outcome == _ADDS) | (outcome == _REMOVES))
        removed = outcome[row] == _REMOVES
        malformed = outcome == _MALFORMED
        other = int(np.count_nonzero(outcome == _OTHER))
        names = None
    else:
        row, removed, malformed, names = lists.every(is_full=is_full)
        other = 0
    is_rejected = filled | lexed.too_long
    is_rejected[readable] = malformed
    rejected = _rejected(lexed, np.flatnonzero(is_rejected), block.cut)
    lines = readable[row]
    return SegmentBatch(
        lines=lines,
        ids=_ids(lexed, lines),
        removed=removed,
        segment=names,
        line_count=len(lexed.line_end),
        nonblank=int(np.count_nonzero(filled | lexed.too_long)) + len(block.cut),
        other_segments=other,
        rejected=rejected,
    )


def render_rows(
    rows: Iterable[tuple[bytes, Sequence[str], Sequence[str]]], *, separator: bytes = b" ", line_end: bytes = b"\n"
) -> bytes:
    """Write rows of (ID, segments, removed segments); reading them gives the same.

    Raises:
        ValueError: a row would not be read again as it is: no ID, a blank in it, no segments, a code that is none.
    """
    lines = []
    for value, added, removed in rows:
        parts = [value, ",".join(added).encode()]
        if removed:
            parts.append(",".join(removed).encode())
        line = separator.join(parts) + line_end
        read = parse_rows(Block(line, 0), mode="full", segment=None)
        if read.rejected or read.line_count != 1 or read.ids[:1].to_pylist() != [value]:
            raise ValueError("a row that the format cannot hold")
        lines.append(line)
    return b"".join(lines)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of segments of a block's readable lines: each one once where they repeat, else as they stand."""

    data: bytes
    octets: np.ndarray
    found: Tokens
    #: line -> list; None = they are the same
    code: Ints | None

    @classmethod
    def of(cls, lexed: Lexed, readable: Ints) -> _Lists:
        """Find the lists of some lines."""
        first, count = lexed.first[readable], lexed.count[readable]
        start, end = lexed.start[first + 1], lexed.end[first + count - 1]
        if _repeat(lexed.data, start[:_SAMPLE], end[:_SAMPLE]):
            encoded = spans(lexed.data, start, end).dictionary_encode()
            # a little block of its own, with one line for each distinct list
            data = b"".join([b"x " + text + b"\n" for text in encoded.dictionary.to_pylist()])
            distinct = lex(data, len(data))
            code = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
            return cls(data, distinct.octets, _tokens(distinct, np.arange(len(distinct.line_end))), code)
        return cls(lexed.data, lexed.octets, _tokens(lexed, readable), None)

    def wanted(self, segment: bytes, *, is_full: bool) -> np.ndarray:
        """Say for each line what it does to one segment."""
        outcome = wanted(self.octets, self.found, segment, is_full=is_full)
        return outcome if self.code is None else outcome[self.code]

    def every(self, *, is_full: bool) -> tuple[Ints, np.ndarray, np.ndarray, pa.DictionaryArray]:
        """Give (line, removed, segment) for each segment a line names, and which lines are malformed."""
        every: Named = named(self.data, self.found, is_full=is_full)
        row, code, removed, malformed = every.owner, every.code, every.removed, every.malformed
        if self.code is not None:
            # each line gets the entries of its list
            size = np.bincount(row, minlength=len(malformed))
            begin = np.cumsum(size) - size
            sizes = size[self.code]
            line = np.repeat(np.arange(len(self.code)), sizes)
            entry = np.arange(len(line)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + begin[self.code[line]]
            row, code, removed, malformed = line, code[entry], removed[entry], malformed[self.code]
        # only names that occur: one that stands in malformed lines alone is no segment of the file
        used, index = np.unique(code, return_inverse=True)
        names = every.names.take(pa.array(used)).cast(pa.string())
        return row, removed, malformed, pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), names)


def _repeat(data: bytes, start: Ints, end: Ints) -> bool:
    return len(start) > 0 and len(spans(data, start, end).unique()) <= 1 + _REPEATING * len(start)


def _tokens(lexed: Lexed, lines: Ints) -> Tokens:
    first, count = lexed.first[lines], lexed.count[lines]
    end = lexed.end[first + count - 1]
    # lines of two columns have no second list: it would begin at the end
    second = np.where(count == 3, lexed.start[first + count - 1], end)
    return tokens(lexed.data, lexed.start[first + 1], end, second)


def _ids(lexed: Lexed, lines: Ints) -> pa.Array:
    """Copy the IDs of ascending lines; a line may stand there several times."""
    if len(lines) > 1 and (lines[1:] == lines[:-1]).any():
        once, back = np.unique(lines, return_inverse=True)
        return _ids(lexed, once).take(pa.array(back))
    first = lexed.first[lines]
    return spans(lexed.data, lexed.start[first], lexed.end[first])


def _rejected(lexed: Lexed, lines: Ints, cut: Sequence[tuple[int, bytes]]) -> list[RejectedLine]:
    found = [RejectedLine(line, "line_too_long", raw) for line, raw in cut]
    for line in lines.tolist():
        start, end = int(lexed.line_start[line]), int(lexed.line_end[line])
        raw = lexed.data[start : min(end, start + KEPT_BYTES)]
        reason = "line_too_long" if lexed.too_long[line] else "malformed_line"
        found.append(RejectedLine(line, reason, raw if end - start > KEPT_BYTES else raw.rstrip(b"\r")))
    return sorted(found, key=lambda entry: entry.line) if cut else found
