"""AES-CBC of many short values as few AES calls.

To decrypt, all blocks of a chunk go through OpenSSL in ECB at once, are XORed in NumPy with the ciphertext block before
(the IV before the first of a value), and the PKCS#7 padding is checked for all values together. To encrypt, the first
blocks of all values go together, then the second ones, and so on.

CBC is not authenticated: about one value in 256 passes the padding check under a wrong key, so whoever uses the result
must check it as text too.

Source: AES in CBC mode with PKCS#7 padding and keys of 128, 192 or 256 bits is the only encryption of Adobe Campaign's
shared data sources.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from symbolon.ids.columns import binary, borders, keep_rows, offsets_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: bytes of a block, and of an IV
BLOCK = 16
#: values of one AES call: their blocks stay in the processor's cache
CHUNK_ROWS = 32_768

#: plaintext one after the other, its n + 1 borders, and which values opened (the others are empty)
Opened = tuple["NDArray[np.uint8]", "NDArray[np.int64]", "NDArray[np.bool_]"]


def decrypt(data: NDArray[np.uint8], offsets: NDArray[np.int64], key: bytes, iv: bytes | None) -> Opened:
    """Decrypt values that stand one after the other.

    Args:
        data: all ciphertexts.
        offsets: the n + 1 borders of the values in `data`.
        key: AES key of 16, 24 or 32 bytes.
        iv: the IV of all values; None = the first block of each is its IV.
    """
    count = len(offsets) - 1
    parts: list[NDArray[np.uint8]] = []
    lengths = np.zeros(count, dtype=np.int64)
    opened = np.zeros(count, dtype=bool)
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - CBC is put together from it
    for start in range(0, count, CHUNK_ROWS):
        rows = slice(start, min(start + CHUNK_ROWS, count))
        inside = offsets[rows.start : rows.stop + 1]
        piece, lengths[rows], opened[rows] = _decrypt_chunk(
            data[inside[0] : inside[-1]], inside - inside[0], cipher, iv
        )
        parts.append(piece)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint8), offsets_of(lengths), opened


def _decrypt_chunk(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], cipher: Cipher[modes.ECB], iv: bytes | None
) -> Opened:
    """Decrypt one chunk; give plaintext, lengths and which values opened."""
    skipped = BLOCK if iv is None else 0
    sizes = np.diff(offsets)
    fits = (sizes % BLOCK == 0) & (sizes >= BLOCK + skipped)
    lengths, opened = np.zeros(len(sizes), dtype=np.int64), np.zeros(len(sizes), dtype=bool)
    kept = sizes[fits]
    if not len(kept):
        return np.empty(0, dtype=np.uint8), lengths, opened
    sealed = np.ascontiguousarray(keep_rows(data, offsets, fits))
    blocks = sealed.reshape(-1, BLOCK)
    ends = np.cumsum(kept) // BLOCK
    firsts = ends - kept // BLOCK
    plain = np.frombuffer(bytearray(cipher.decryptor().update(sealed.data)), dtype=np.uint8).reshape(-1, BLOCK)
    before = np.empty_like(blocks)
    before[1:] = blocks[:-1]
    before[firsts] = 0 if iv is None else np.frombuffer(iv, dtype=np.uint8)
    plain ^= before
    last = plain[ends - 1]
    pad = last[:, -1].astype(np.int64)
    padding = np.arange(BLOCK) >= (BLOCK - pad)[:, None]
    valid = (pad >= 1) & (pad <= BLOCK) & ((last == pad[:, None]) | ~padding).all(axis=1)
    content = np.where(valid, kept - skipped - pad, 0)
    spans = np.stack([np.full(len(kept), skipped), content, kept - skipped - content], axis=1).reshape(-1)
    inside = np.repeat(np.tile(np.array([False, True, False]), len(kept)), spans)
    lengths[fits], opened[fits] = content, valid
    return plain.reshape(-1)[inside], lengths, opened


def encrypt(values: pa.Array, key: bytes, iv: bytes | None) -> pa.Array:
    """Encrypt text or bytes.

    Args:
        values: string or binary, without nulls.
        key: AES key of 16, 24 or 32 bytes.
        iv: the IV of all values; None = a random one for each, which then stands in front of it.

    Returns:
        binary: the ciphertexts.
    """
    flat, offsets = borders(values.cast(pa.binary()))
    sizes = np.diff(offsets)
    count = len(sizes)
    blocks = sizes // BLOCK + 1
    padded = blocks * BLOCK
    target = offsets_of(padded)
    pad = (padded - sizes).astype(np.uint8)
    plain = np.repeat(pad, padded)
    content = np.repeat(np.tile(np.array([True, False]), count), np.stack([sizes, padded - sizes], axis=1).reshape(-1))
    plain[content] = flat
    table = plain.reshape(-1, BLOCK)
    start = target[:-1] // BLOCK
    if iv is None:
        ivs = np.frombuffer(os.urandom(BLOCK * count), dtype=np.uint8).reshape(-1, BLOCK)
    else:
        ivs = np.broadcast_to(np.frombuffer(iv, dtype=np.uint8), (count, BLOCK))
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - CBC is put together from it
    previous = ivs.copy()
    for number in range(int(blocks.max(initial=0))):
        rows = np.flatnonzero(blocks > number)
        mixed = table[start[rows] + number] ^ previous[rows]
        sealed = np.frombuffer(cipher.encryptor().update(np.ascontiguousarray(mixed).data), dtype=np.uint8)
        previous[rows] = table[start[rows] + number] = sealed.reshape(-1, BLOCK)
    if iv is not None:
        return binary(table.reshape(-1), target)
    out = np.empty((len(table) + count, BLOCK), dtype=np.uint8)
    places = start + np.arange(count)
    front = np.zeros(len(out), dtype=bool)
    front[places] = True
    out[front], out[~front] = ivs, table
    return binary(out.reshape(-1), target + BLOCK * np.arange(count + 1))
