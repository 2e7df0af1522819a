"""Arrow binary columns as NumPy sees them: the bytes, and where each value begins and ends.

Invariant: whatever stands before, behind or between the values of a column (it may be a slice) is never looked at.

Arrow's own ways between NumPy, Python and its columns (`pa.array`, `to_numpy`, scalars among the arguments of a kernel)
import pandas when they are first used, which takes most of a second. These here do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def as_type(values: pa.Array | pa.ChunkedArray, wanted: pa.DataType) -> pa.Array:
    """Give a column as one array of the wanted type, whatever of text or bytes it was: large, a view, a dictionary."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return whole.cast(wanted)


def borders(values: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the bytes of a binary column without nulls, and the n + 1 borders of its values in them."""
    _, raw_offsets, data = values.buffers()
    if data is None or not len(values):
        return np.empty(0, dtype=np.uint8), np.zeros(len(values) + 1, dtype=np.int64)
    offsets = np.frombuffer(raw_offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    flat = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return flat, offsets.astype(np.int64) - offsets[0]


def binary(flat: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    """Make a binary column of bytes and borders."""
    data = pa.py_buffer(np.ascontiguousarray(flat))
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int32)), data])


def cut(flat: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> pa.Array:
    """Cut values out of bytes, as a binary column; they stand in order and do not overlap.

    Values and the gaps behind them make one column of 2n, of which every second element is taken: copying by Arrow is
    several times faster than a mask of the bytes.
    """
    edges = np.empty(2 * len(starts) + 1, dtype=np.int64)
    edges[:-1:2], edges[1::2], edges[-1] = starts, starts + lengths, len(flat)
    return binary(flat, edges).take(column(np.arange(0, 2 * len(starts), 2, dtype=np.int32)))


def empty_table(schema: pa.Schema) -> pa.Table:
    """Make a table without rows; the one that a schema makes itself would load pandas."""
    return pa.Table.from_batches([], schema=schema)


def column(values: NDArray[Any]) -> pa.Array:
    """Make an Arrow column of integers or booleans."""
    kind = pa.from_numpy_dtype(values.dtype)
    flat = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(flat)])


def flags(values: pa.Array) -> NDArray[np.bool_]:
    """Read a column of booleans; null is false."""
    validity, data = values.buffers()
    found = _bits(data, values)
    return found if validity is None else found & _bits(validity, values)


def strings(values: Sequence[str | None]) -> pa.Array:
    """Make a column of strings."""
    raw = [b"" if value is None else value.encode() for value in values]
    lengths = np.fromiter(map(len, raw), dtype=np.int64, count=len(raw))
    data = binary(np.frombuffer(b"".join(raw), dtype=np.uint8), offsets_of(lengths))
    there = np.fromiter((value is not None for value in values), dtype=np.bool_, count=len(values))
    return nulled(data, there)


def nulled(values: pa.Array, kept: NDArray[np.bool_]) -> pa.Array:
    """Give a column of strings (or of bytes that are UTF-8) with nulls where it is not to be kept."""
    validity, offsets, data = values.buffers()
    if validity is not None:
        kept = kept & _bits(validity, values)
    if kept.all():
        bits = None
    else:
        before = np.zeros(values.offset, dtype=np.bool_)
        bits = pa.py_buffer(np.packbits(np.concatenate([before, kept]), bitorder="little"))
    data = pa.py_buffer(b"") if data is None else data
    return pa.Array.from_buffers(pa.string(), len(values), [bits, offsets, data], offset=values.offset)


def _bits(buffer: pa.Buffer, values: pa.Array) -> NDArray[np.bool_]:
    if not len(values):
        return np.zeros(0, dtype=np.bool_)
    bits = np.unpackbits(np.frombuffer(buffer, dtype=np.uint8), count=values.offset + len(values), bitorder="little")
    return bits[values.offset :].view(np.bool_)


def offsets_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the n + 1 borders of values with these lengths."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def marks(marked: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the marked bytes of each value."""
    return np.diff(np.searchsorted(np.flatnonzero(marked), offsets))


def keep_rows(flat: NDArray[np.uint8], offsets: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give the bytes of some of the values, one after the other."""
    return flat if kept.all() else borders(binary(flat, offsets).filter(column(kept)))[0]


def texts(values: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Read bytes as strict UTF-8: the texts (null where they are none), and which ones are text."""
    everything = np.ones(len(values), dtype=np.bool_)
    try:
        text = nulled(values, everything)
        text.validate(full=True)
    except pa.ArrowInvalid:
        found = [_text(value) for value in values.to_pylist()]
        return strings(found), np.array([one is not None for one in found], dtype=bool)
    return text, everything


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
