"""From values to IDs as they stand on the wire: the way of `matchkeys` backwards. Columns in, columns out.

Invariant: an ID that is made here and read again by `match_keys` with the same spec has the match key that the kept
digests of the profiles have. The digest of nothing is never made.

Source: hashes are lower-case hexadecimal without a salt, of the normalised value; AES in CBC mode with PKCS#7 padding,
written as the data source says, one IV for all values or a random one in front of each.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.columns import as_type, binary, borders, column, flags, nulled, offsets_of
from symbolon.ids import aes
from symbolon.ids.digesting import normal_digests
from symbolon.ids.normalise import normalise, valid_address
from symbolon.ids.recognise import ADDRESSES, ready_digests
from symbolon.ids.words import SIZES, VISITOR, words_to_text
from symbolon.records import Encoding, Kind, Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbolon.ids.spec import IdSpec

_PAD = ord("=")


def protect(values: pa.Array, spec: IdSpec) -> pa.Array:
    """Give values as IDs of a data source.

    Args:
        values: string; null is no value.
        spec: how the IDs of the source are read, and so written.

    Returns:
        string: the IDs; null where a value has no normalised form, where an encrypted one is to be an address and is
        none, and where a value that is to be written in the clear or encrypted is a digest already.
    """
    if spec.kind is Kind.VISITOR:
        return as_type(values, pa.string())
    if spec.protection.is_hash:
        algorithm = spec.protection.value
        _, words, there = normal_digests(values, spec.scheme, spec.field, spec.region, algorithm)
        return nulled(wire_text(words, algorithm, spec.encoding), there)
    normal = normalise(values, spec.scheme, spec.field, spec.region)
    kept = flags(normal.is_valid())
    if spec.field in ADDRESSES:
        kept &= ~ready_digests(values, spec.field, spec.protection.match_algorithm)[0]
    if spec.is_address:
        kept &= flags(valid_address(normal, spec.field))
    if spec.protection is Protection.PLAIN:
        return nulled(normal, kept)
    return _spread(_encrypted(normal.filter(column(kept)), spec), kept)


def wire_text(words: Sequence[NDArray[np.int64]], algorithm: str, encoding: Encoding = Encoding.HEX) -> pa.Array:
    """Give match keys that are IDs themselves as they stand on the wire: 38 digits, hexadecimal, or base64."""
    if algorithm == VISITOR or encoding is Encoding.HEX:
        return words_to_text(words, algorithm)
    size = SIZES[algorithm]
    whole = np.stack(words, axis=1).astype(">i8")
    table = whole.view(np.uint8).reshape(len(whole), whole.shape[1] * whole.itemsize)[:, :size]
    text = _base64(np.ascontiguousarray(table))
    return _string(text.reshape(-1), np.arange(len(text) + 1, dtype=np.int64) * text.shape[1])


def encoded(values: pa.Array, encoding: Encoding) -> pa.Array:
    """Write bytes as text: lower-case hexadecimal, or base64 of the standard alphabet, padded.

    Args:
        values: binary, without nulls.
        encoding: which of the two.
    """
    flat, offsets = borders(values)
    if encoding is Encoding.HEX:
        return _string(np.frombuffer(binascii.hexlify(np.ascontiguousarray(flat).data), dtype=np.uint8), 2 * offsets)
    sizes = np.diff(offsets)
    target = offsets_of((sizes + 2) // 3 * 4)
    out = np.empty(int(target[-1]), dtype=np.uint8)
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        if not size:
            continue
        text = _base64(flat[offsets[rows][:, None] + np.arange(size)])
        out[target[rows][:, None] + np.arange(text.shape[1])] = text
    return _string(out, target)


def _base64(table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode rows of one length: padded with zeros to whole groups, the column is encoded as one."""
    count, size = table.shape
    missing = -size % 3
    whole = np.zeros((count, size + missing), dtype=np.uint8)
    whole[:, :size] = table
    text = (
        np.frombuffer(binascii.b2a_base64(whole.tobytes(), newline=False), dtype=np.uint8)
        .reshape(count, (size + missing) // 3 * 4)
        .copy()
    )
    if missing:
        text[:, -missing:] = _PAD
    return text


def _encrypted(values: pa.Array, spec: IdSpec) -> pa.Array:
    parts = [
        encoded(aes.encrypt(values.slice(start, aes.CHUNK_ROWS), spec.key, spec.iv), spec.encoding)
        for start in range(0, len(values), aes.CHUNK_ROWS)
    ]
    return pa.concat_arrays(parts) if parts else _string(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))


def _spread(values: pa.Array, there: NDArray[np.bool_]) -> pa.Array:
    """Put values into their places; null everywhere else."""
    if there.all():
        return values
    numbers = np.cumsum(there, dtype=np.int32) - np.int32(1)
    bits = pa.py_buffer(np.packbits(there, bitorder="little"))
    return values.take(pa.Array.from_buffers(pa.int32(), len(there), [bits, pa.py_buffer(numbers)]))


def _string(flat: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    return nulled(binary(flat, offsets), np.ones(len(offsets) - 1, dtype=np.bool_))
