"""Lines of inbound files: `ID<TAB>d_sid=24`, a column of IDs in, bytes out.

Invariant: nothing is written that a reader of the format could take for something else: an ID that cannot stand on a
line is told apart before (`writable`), not escaped.

Source: Audience Manager documentation, "Inbound data file contents" (`d_sid=` adds a trait, `d_unsid=` takes one away
and means nothing in `.overwrite`, `ic=` is a signal; one TAB; IDs without `:` and `%3A`), "Amazon S3 name requirements"
(lines of at most 102,400 bytes; at most 5 GB, at best 1 GB, at most 3 GB as gzip; an empty file is invalid).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.columns import as_type, borders, column, flags, offsets_of
from symbolon.files.blocks import MAX_LINE_BYTES
from symbolon.later import pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: what an ID of an inbound file may not hold: the separator, ends of lines, nothing at all in front of a blank
_FORBIDDEN = "[\\x00-\\x1f:\x7f\\x{85}\\x{2028}\\x{2029}]|%3[Aa]|^ | \\z"
GB = 1_000_000_000

#: lines one after the other, and their borders
Lines = tuple["NDArray[np.uint8]", "NDArray[np.int64]"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large one file may become; what comes beyond goes into the next part."""

    #: bytes of a file that is not compressed: optimal 1 GB, at most 5 GB
    plain: int = 1 * GB
    #: bytes of a gzip file: optimal 300 MB, at most 3 GB
    gzip: int = 300_000_000


def writable(values: pa.Array, item: str = "") -> NDArray[np.bool_]:
    """Say which IDs can stand on a line of an inbound file; null and the empty text can't.

    Args:
        values: string.
        item: what follows the TAB, for the length of the line.
    """
    there = flags(values.is_valid())
    sizes = np.diff(borders(pc.fill_null(values, "") if not there.all() else values)[1])
    good = there & (sizes > 0) & (sizes + len(item) + 2 <= MAX_LINE_BYTES)
    found: NDArray[np.bool_] = good & ~flags(pc.match_substring_regex(values, pattern=_FORBIDDEN))
    return found


def item_of(segment: str, *, removes: bool = False, signal: bool = False) -> str:
    """Give what stands behind the TAB: `d_sid=24`, `d_unsid=24` or `ic=24`."""
    return f"{'d_unsid' if removes else 'ic' if signal else 'd_sid'}={segment}"


def lines(ids: pa.Array, item: str) -> Lines:
    """Give the lines of IDs that all have the same item."""
    return appended(ids, f"\t{item}\n".encode())


def appended(values: pa.Array, end: bytes) -> Lines:
    """Give values with the same end each, one after the other, and their borders."""
    flat, offsets = borders(as_type(values, pa.binary()))
    tail = np.frombuffer(end, dtype=np.uint8)
    count = len(offsets) - 1
    sizes = np.diff(offsets)
    if count and (sizes == sizes[0]).all():  # digests, visitor IDs: a table
        size = int(sizes[0])
        table = np.empty((count, size + len(tail)), dtype=np.uint8)
        table[:, :size] = flat.reshape(count, size)
        table[:, size:] = tail
        return table.reshape(-1), np.arange(count + 1, dtype=np.int64) * (size + len(tail))
    target = offsets_of(sizes + len(tail))
    out = np.empty(int(target[-1]), dtype=np.uint8)
    is_tail = np.zeros(len(out), dtype=np.bool_)
    places = ((target[1:] - len(tail))[:, None] + np.arange(len(tail))).reshape(-1)
    is_tail[places] = True
    out[places] = np.tile(tail, count)
    out[~is_tail] = flat
    return out, target


def csv_lines(ids: pa.Array, change: str) -> Lines:
    """Give rows of a CSV file: the ID, quoted where it has to be, and what becomes of it."""
    odd = flags(pc.match_substring_regex(ids, pattern='[",\r\n]'))
    if odd.any():
        doubled = pc.replace_substring(ids, pattern='"', replacement='""')
        quoted = pc.binary_join_element_wise('"', doubled, '"', "")
        ids = pc.if_else(column(odd), quoted, ids)
    return appended(ids, f",{change}\n".encode())
