"""Arrow binary columns as NumPy sees them: the bytes, and where each value begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def borders(values: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the bytes of a binary column without nulls, and the n + 1 borders of its values in them."""
    offsets = np.frombuffer(values.buffers()[1], dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    data = values.buffers()[2]
    if data is None or not len(values):
        return np.empty(0, dtype=np.uint8), np.zeros(len(values) + 1, dtype=np.int64)
    flat = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return flat, offsets.astype(np.int64) - offsets[0]


def binary(flat: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    """Make a binary column of bytes and borders."""
    data = pa.py_buffer(np.ascontiguousarray(flat))
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int32)), data])


def offsets_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the n + 1 borders of values with these lengths."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def bad_rows(bad: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which values hold at least one bad byte."""
    counts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(bad, dtype=np.int64)])
    return counts[offsets[1:]] > counts[offsets[:-1]]


def keep_rows(flat: NDArray[np.uint8], offsets: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give the bytes of some of the values, one after the other."""
    return flat if kept.all() else flat[np.repeat(kept, np.diff(offsets))]


def texts(values: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Read bytes as strict UTF-8: the texts (null where they are none), and which ones are text."""
    text = pa.Array.from_buffers(pa.string(), len(values), values.buffers(), offset=values.offset)
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        found = [_text(value) for value in values.to_pylist()]
        return pa.array(found, pa.string()), np.array([one is not None for one in found], dtype=bool)
    return text, np.ones(len(values), dtype=bool)


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
