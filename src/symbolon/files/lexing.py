"""Where lines and tokens begin and end, found with columns instead of loops.

Invariant: every position is an index into one block's bytes, and each line of the block appears exactly once.

Blanks (space, tab) part tokens; blanks and carriage returns at the end of a line belong to its end. Only bytes up to
the space are looked at one by one, two or three of them a line, so the cost follows the number of lines, not of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

NUL, TAB, NEWLINE, RETURN, SPACE = 0, 9, 10, 13, 32

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Lexed:
    """The lines and tokens of a block."""

    #: the block, ending with a line end
    data: bytes
    #: the same as numbers
    octets: Bytes
    #: a line is `octets[line_start:line_end]`, without its `\\n`
    line_start: Ints
    line_end: Ints
    #: number of a line's first token, and how many it has
    first: Ints
    count: Ints
    #: a token is `octets[start:end]`
    start: Ints
    end: Ints
    #: lines that begin with a blank, hold a NUL, or are not UTF-8
    broken: Bools
    #: lines of more bytes than allowed
    too_long: Bools


def lex(data: bytes, max_line: int) -> Lexed:
    """Find lines and tokens.

    Args:
        data: whole lines, the last one ended too.
        max_line: bytes of the longest line allowed, without its end.
    """
    octets: Bytes = np.frombuffer(data, np.uint8)
    low = np.flatnonzero(octets <= SPACE)
    byte = octets[low]
    newline = byte == NEWLINE
    edge = newline | (byte == SPACE) | (byte == TAB)
    if (byte == RETURN).any():
        edge |= _ends_a_line(low, byte, newline)
    edges, edge_newline = (low, newline) if edge.all() else (low[edge], newline[edge])
    ends_line = np.flatnonzero(edge_newline)
    line_end = edges[ends_line]
    line_start = shifted(line_end)
    start = shifted(edges)
    token = edges > start
    done = np.cumsum(token)[ends_line]
    count = np.diff(done, prepend=0)
    first = done - count
    start, end = start[token], edges[token]
    broken = np.zeros(len(line_end), np.bool_)
    filled = count > 0
    broken[filled] = start[first[filled]] != line_start[filled]
    if (byte == NUL).any():
        broken[np.searchsorted(line_end, low[byte == NUL])] = True
    if not data.isascii():
        broken[not_utf8(data, octets, line_start, line_end)] = True
    length = line_end - line_start
    too_long = length > max_line
    if too_long.any():
        too_long &= length - (octets[line_end - 1] == RETURN) > max_line
    return Lexed(data, octets, line_start, line_end, first, count, start, end, broken, too_long)


def spans(data: bytes, start: Ints, end: Ints) -> pa.Array:
    """Copy the pieces `data[start:end]` into a column of bytes; they are in order and do not overlap."""
    if not len(start):
        return pa.nulls(0, pa.binary())
    # one column of pieces and the gaps between them needs no copy; every other element of it is a piece
    offsets = np.empty(2 * len(start), np.int32)
    offsets[0::2] = start
    offsets[1::2] = end
    both = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    places = np.arange(0, len(offsets) - 1, 2, dtype=np.int32)  # from buffers: `pa.array` would load pandas
    return both.take(pa.Array.from_buffers(pa.int32(), len(places), [None, pa.py_buffer(places)]))


def shifted(ends: Ints) -> Ints:
    """Give where each piece begins: behind the end before it."""
    starts = np.empty_like(ends)
    if len(ends):
        starts[0] = 0
        np.add(ends[:-1], 1, out=starts[1:])
    return starts


def _ends_a_line(low: Ints, byte: Bytes, newline: Bools) -> Bools:
    """Say which blanks and carriage returns are followed by nothing but their like up to the line's end."""
    follows = np.zeros(len(low), np.bool_)
    follows[:-1] = (np.diff(low) == 1) & ((byte[:-1] == RETURN) | (byte[:-1] == SPACE) | (byte[:-1] == TAB))
    # the first element from here on that does not lead on to its neighbour
    stop = np.where(follows, len(low), np.arange(len(low)))
    stop = np.minimum.accumulate(stop[::-1])[::-1]
    ends: Bools = follows & newline[np.minimum(stop, len(low) - 1)]
    return ends


def not_utf8(data: bytes, octets: Bytes, line_start: Ints, line_end: Ints) -> list[int]:
    """Give the lines that are not UTF-8; only where the block is not are lines tried one by one."""
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return []
    bad = []
    for line in np.unique(np.searchsorted(line_end, np.flatnonzero(octets > 127))).tolist():
        try:
            data[line_start[line] : line_end[line]].decode()
        except UnicodeDecodeError:
            bad.append(line)
    return bad
