"""Match keys as signed 64-bit words: from digests and visitor IDs, and back to text.

Invariant: the words of a digest are its bytes, read big-endian as int64, padded with zero bytes to whole words; the
words of a visitor ID are its two halves of 19 digits. Both are lossless in Parquet and join several times faster than
text.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.columns import as_type, binary, nulled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: bytes of each digest
SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
#: the "algorithm" of visitor IDs
VISITOR = "visitor"
#: digits of half a visitor ID
HALF_DIGITS = 19
_WORD_BYTES = 8
_POWERS = 10 ** np.arange(HALF_DIGITS - 1, -1, -1, dtype=np.uint64)

Words = tuple["NDArray[np.int64]", ...]


def word_count(algorithm: str) -> int:
    """Give the number of words of a match key: 2 for a visitor ID, the digest's size in words otherwise."""
    return 2 if algorithm == VISITOR else -(-SIZES[algorithm] // _WORD_BYTES)


def words_of_digests(raw: bytes | bytearray | memoryview | NDArray[np.uint8], algorithm: str) -> Words:
    """Read digests that stand one after the other: n * size bytes in, one array of n for each word out."""
    size = SIZES[algorithm]
    table = np.frombuffer(raw, dtype=np.uint8).reshape(-1, size)
    if size % _WORD_BYTES:
        padded = np.zeros((len(table), word_count(algorithm) * _WORD_BYTES), dtype=np.uint8)
        padded[:, :size] = table
        table = padded
    big = np.ascontiguousarray(table).view(">i8")
    return tuple(big[:, index].astype(np.int64) for index in range(big.shape[1]))


def digest_words(values: pa.Array, algorithm: str) -> Words:
    """Digest text as UTF-8, or bytes as they are.

    Args:
        values: string or binary; a null gives zeros, and is the caller's to leave out.
        algorithm: a name of `SIZES`.
    """
    digest = getattr(hashlib, algorithm)
    nothing = bytes(SIZES[algorithm])
    data = as_type(values, pa.binary()).to_pylist()
    return words_of_digests(b"".join([nothing if one is None else digest(one).digest() for one in data]), algorithm)


def words_to_text(words: Sequence[NDArray[np.int64]], algorithm: str) -> pa.Array:
    """Give match keys as people and wires see them: 38 digits, or lower-case hexadecimal."""
    if algorithm == VISITOR:
        halves = [word.astype(np.uint64)[:, None] // _POWERS % np.uint64(10) for word in words]
        table = np.concatenate(halves, axis=1).astype(np.uint8) + np.uint8(ord("0"))
    else:
        shape = len(words[0]), len(words)
        big = np.empty(shape, dtype=">i8")
        for place, word in enumerate(words):
            big[:, place] = word
        digits_of = binascii.hexlify(big.view(np.uint8).data)
        table = np.frombuffer(digits_of, dtype=np.uint8).reshape(shape[0], shape[1] * _WORD_BYTES * 2)
        table = table[:, : SIZES[algorithm] * 2]
    count, digits = table.shape
    text = binary(table.reshape(-1), np.arange(count + 1, dtype=np.int64) * digits)
    return nulled(text, np.ones(count, dtype=np.bool_))
