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

from symbolon.columns import as_type, binary, borders, cut, keep_rows, offsets_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from numpy.typing import NDArray

#: bytes of a block, and of an IV
BLOCK = 16
#: values of one AES call: their blocks stay in the processor's cache
CHUNK_ROWS = 32_768

#: a block moved as a whole
_WHOLE = np.dtype("V16")
#: for each value of the last byte: the bytes of a last block that are padding, and what they must be
_IS_PADDING = np.array([[255 * (place >= BLOCK - pad) for place in range(BLOCK)] for pad in range(256)], dtype=np.uint8)
_PADDING = (_IS_PADDING & np.arange(256, dtype=np.uint8)[:, None]).view(np.uint64)
_MASK = _IS_PADDING.view(np.uint64)


def decrypt(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], key: bytes, iv: bytes | None
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Decrypt values that stand one after the other.

    Args:
        data: all ciphertexts.
        offsets: the n + 1 borders of the values in `data`.
        key: AES key of 16, 24 or 32 bytes.
        iv: the IV of all values; None = the first block of each is its IV.

    Returns:
        binary: the plaintexts, empty where a value did not open; and which values opened.
    """
    count = len(offsets) - 1
    parts = []
    opened = np.zeros(count, dtype=bool)
    cipher = _ecb(key)
    for start in range(0, count, CHUNK_ROWS):
        inside = offsets[start : start + CHUNK_ROWS + 1]
        part, fine = _decrypt_chunk(data[inside[0] : inside[-1]], inside - inside[0], cipher, iv)
        opened[start : start + len(fine)] = fine
        parts.append(part)
    return pa.concat_arrays(parts) if parts else binary(data[:0], offsets), opened


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - heavy

    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - CBC is put together from it


def _decrypt_chunk(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], cipher: Cipher[modes.ECB], iv: bytes | None
) -> tuple[pa.Array, NDArray[np.bool_]]:
    skipped = BLOCK if iv is None else 0
    sizes = np.diff(offsets)
    fits = (sizes % BLOCK == 0) & (sizes >= BLOCK + skipped)
    kept = np.where(fits, sizes, 0)
    sealed = np.ascontiguousarray(keep_rows(data, offsets, fits))
    ends = np.cumsum(kept)
    starts = ends - kept
    before = np.empty(len(sealed) // BLOCK, dtype=_WHOLE)
    before[1:] = sealed.view(_WHOLE)[:-1]
    before[starts[fits] // BLOCK] = np.frombuffer(bytes(BLOCK) if iv is None else iv, dtype=_WHOLE)
    plain = np.frombuffer(cipher.decryptor().update(sealed.data), dtype=np.uint64) ^ before.view(np.uint64)
    last = plain.view(_WHOLE)[ends[fits] // BLOCK - 1].view(np.uint64).reshape(-1, 2)
    pad = last.view(np.uint8)[:, -1]
    wrong = (last & _MASK[pad]) ^ _PADDING[pad]
    opened = fits.copy()
    opened[fits] = (pad >= 1) & (pad <= BLOCK) & ((wrong[:, 0] | wrong[:, 1]) == 0)
    removed = np.zeros_like(sizes)
    removed[fits] = pad
    lengths = np.where(opened, kept - skipped - removed, 0)
    return cut(plain.view(np.uint8), starts + skipped * opened, lengths), opened


def encrypt(values: pa.Array, key: bytes, iv: bytes | None) -> pa.Array:
    """Encrypt text or bytes.

    Args:
        values: string or binary, without nulls.
        key: AES key of 16, 24 or 32 bytes.
        iv: the IV of all values; None = a random one for each, which then stands in front of it.

    Returns:
        binary: the ciphertexts.
    """
    flat, offsets = borders(as_type(values, pa.binary()))
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
    cipher = _ecb(key)
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
