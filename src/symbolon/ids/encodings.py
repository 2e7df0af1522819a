r"""Hexadecimal and base64, whole columns at a time.

Invariant: a value that is not written as it should be is told apart, never half-decoded. The same as `bytes.fromhex`
without its spaces (and with an optional `\\x` or `0x` in front), and as `base64.b64decode(..., validate=True)`.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon.ids.columns import bad_rows, borders, keep_rows, offsets_of
from symbolon.records import Encoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEX = np.zeros(256, dtype=bool)
_HEX[list(b"0123456789abcdefABCDEF")] = True
_OTHER, _PAD = 255, 254
_BASE64 = np.full(256, _OTHER, dtype=np.uint8)
_BASE64[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = np.arange(64, dtype=np.uint8)
_BASE64[ord("=")] = _PAD

#: decoded bytes one after the other, their n + 1 borders, and which values could be decoded (the others are empty)
Decoded = tuple["NDArray[np.uint8]", "NDArray[np.int64]", "NDArray[np.bool_]"]


def decode(values: pa.Array, encoding: Encoding) -> Decoded:
    """Decode a binary column of encoded values."""
    return decode_hex(values) if encoding is Encoding.HEX else decode_base64(values)


def decode_hex(values: pa.Array) -> Decoded:
    r"""Decode hexadecimal of either case, with or without `\\x` or `0x` in front."""
    flat, offsets = borders(_without_prefix(values))
    sizes = np.diff(offsets)
    even = sizes % 2 == 0
    good = even if _HEX[flat].all() else even & ~bad_rows(~_HEX[flat], offsets)
    raw = binascii.unhexlify(np.ascontiguousarray(keep_rows(flat, offsets, good)).data)
    return np.frombuffer(raw, dtype=np.uint8), offsets_of(np.where(good, sizes // 2, 0)), good


def decode_base64(values: pa.Array) -> Decoded:
    """Decode base64 of the standard alphabet, padded."""
    flat, offsets = borders(values)
    sizes = np.diff(offsets)
    codes = _BASE64[flat]
    good = sizes % 4 == 0
    good &= ~bad_rows(codes == _OTHER, offsets)
    # padding: at most two, and only as the last characters of a value
    pads = _counts(codes == _PAD, offsets)
    last = np.zeros(len(sizes), dtype=np.int64)
    some = np.flatnonzero(good & (sizes > 0))
    ends = offsets[1:][some]
    one = codes[ends - 1] == _PAD
    last[some] = one.astype(np.int64) + (one & (codes[ends - 2] == _PAD))
    good &= pads == last
    kept = keep_rows(codes, offsets, good)
    groups = np.where(kept == _PAD, 0, kept).astype(np.uint8).reshape(-1, 4)
    out = np.empty((len(groups), 3), dtype=np.uint8)
    out[:, 0] = (groups[:, 0] << 2) | (groups[:, 1] >> 4)
    out[:, 1] = (groups[:, 1] << 4) | (groups[:, 2] >> 2)
    out[:, 2] = (groups[:, 2] << 6) | groups[:, 3]
    lengths = np.where(good, sizes // 4 * 3 - last, 0)
    inside = np.repeat(
        np.tile(np.array([True, False]), len(sizes)),
        np.stack([lengths, np.where(good, last, 0)], axis=1).reshape(-1),
    )
    return out.reshape(-1)[inside], offsets_of(lengths), good


def _counts(bad: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the marked bytes of each value."""
    counts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(bad, dtype=np.int64)])
    found: NDArray[np.int64] = counts[offsets[1:]] - counts[offsets[:-1]]
    return found


def _without_prefix(values: pa.Array) -> pa.Array:
    prefixed = pc.match_substring_regex(values, pattern=r"^(?:\\x|\\X|0x|0X)")
    if not pc.any(prefixed).as_py():
        return values
    return pc.if_else(prefixed, pc.binary_replace_slice(values, 0, 2, b""), values)
