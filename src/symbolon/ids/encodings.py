r"""Hexadecimal and base64, whole columns at a time.

Invariant: a value that is not written as it should be is told apart, never half-decoded. The same as `bytes.fromhex`
without its spaces (and with an optional `\\x` or `0x` in front), and as `base64.b64decode(..., validate=True)`.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

import numpy as np

from symbolon.columns import borders, cut, keep_rows, marks, offsets_of
from symbolon.records import Encoding

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

#: the digits of hexadecimal, either case
HEX = b"0123456789abcdefABCDEF"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_PAD = ord("=")

#: decoded bytes one after the other, their n + 1 borders, and which values could be decoded (the others are empty)
Decoded = tuple["NDArray[np.uint8]", "NDArray[np.int64]", "NDArray[np.bool_]"]


def decode(values: pa.Array, encoding: Encoding) -> Decoded:
    """Decode a binary column of encoded values."""
    return decode_hex(values) if encoding is Encoding.HEX else decode_base64(values)


def decode_hex(values: pa.Array) -> Decoded:
    r"""Decode hexadecimal of either case, with or without `\\x` or `0x` in front."""
    flat, offsets = _without_prefix(*borders(values))
    sizes = np.diff(offsets)
    good = sizes % 2 == 0
    try:
        raw = binascii.unhexlify(np.ascontiguousarray(keep_rows(flat, offsets, good)).data)
    except binascii.Error:
        good &= ~rows_outside(flat, offsets, HEX)
        raw = binascii.unhexlify(np.ascontiguousarray(keep_rows(flat, offsets, good)).data)
    return np.frombuffer(raw, dtype=np.uint8), offsets_of(np.where(good, sizes // 2, 0)), good


def decode_base64(values: pa.Array) -> Decoded:
    """Decode base64 of the standard alphabet, padded."""
    flat, offsets = borders(values)
    sizes = np.diff(offsets)
    good = (sizes % 4 == 0) & ~rows_outside(flat, offsets, _BASE64)
    # padding: at most two, and only as the last characters of a value
    last = np.zeros(len(sizes), dtype=np.int64)
    some = np.flatnonzero(good & (sizes > 0))
    ends = offsets[1:][some]
    one = flat[ends - 1] == _PAD
    last[some] = one.astype(np.int64) + (one & (flat[ends - 2] == _PAD))
    good &= marks(flat == _PAD, offsets) == last
    # as all values have whole groups, the column is decoded as one, and what the padding stood for is cut off
    groups = np.where(good, sizes // 4 * 3, 0)
    lengths = groups - np.where(good, last, 0)
    kept = keep_rows(flat, offsets, good).tobytes().replace(b"=", b"A")
    raw = np.frombuffer(binascii.a2b_base64(kept), dtype=np.uint8)
    return *borders(cut(raw, offsets_of(groups)[:-1], lengths)), good


def rows_outside(flat: NDArray[np.uint8], offsets: NDArray[np.int64], alphabet: bytes) -> NDArray[np.bool_]:
    """Say which values hold a byte outside of `alphabet`."""
    data = flat.tobytes()
    if not data.translate(None, alphabet):
        return np.zeros(len(offsets) - 1, dtype=bool)
    table = bytes(byte not in alphabet for byte in range(256))
    return marks(np.frombuffer(data.translate(table), dtype=bool), offsets) > 0


def _without_prefix(flat: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    sizes = np.diff(offsets)
    some = np.flatnonzero(sizes >= 2)
    first, second = flat[offsets[some]], flat[offsets[some] + 1]
    has = ((second | 0x20) == ord("x")) & ((first == ord("\\")) | (first == ord("0")))
    if not has.any():
        return flat, offsets
    skipped = np.zeros(len(sizes), dtype=np.int64)
    skipped[some[has]] = 2
    return borders(cut(flat, offsets[:-1] + skipped, sizes - skipped))
