"""How a partner protects IDs before it sends them: digests and AES-CBC over columns.

Invariant: written against `hashlib` and the definition of CBC, not with the room that reads IDs, so that the two check
each other.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16


def digests(values: pa.Array, algorithm: str) -> pa.Array:
    """Give the digest of each value's UTF-8 bytes, in lower-case hexadecimal."""
    new = getattr(hashlib, algorithm)
    return pa.array([new(value.encode()).hexdigest() for value in values.to_pylist()], pa.string())


def pad(value: bytes) -> bytes:
    """Fill up to whole blocks by PKCS#7."""
    missing = BLOCK - len(value) % BLOCK
    return value + bytes([missing]) * missing


def encrypt_blocks(padded: list[bytes], key: bytes, ivs: NDArray[np.uint8]) -> list[bytes]:
    """Encrypt values of whole blocks by AES-CBC: block by block, all values at once."""
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the XOR of CBC is below
    longest = max((len(value) for value in padded), default=0)
    plain = np.frombuffer(b"".join(value.ljust(longest, b"\0") for value in padded), np.uint8).reshape(
        len(padded), longest
    )
    out = np.empty_like(plain)
    before = ivs
    for start in range(0, longest, BLOCK):
        mixed = np.bitwise_xor(plain[:, start : start + BLOCK], before)
        before = np.frombuffer(ecb.update(mixed.tobytes()), np.uint8).reshape(-1, BLOCK)
        out[:, start : start + BLOCK] = before
    return [out[row, : len(value)].tobytes() for row, value in enumerate(padded)]


def encrypt(values: pa.Array, key: bytes, iv: bytes | None, rng: np.random.Generator) -> list[bytes]:
    """Encrypt each value's UTF-8 bytes; without an IV each value gets its own, in front of it."""
    padded = [pad(value.encode()) for value in values.to_pylist()]
    return encrypt_padded(padded, key, iv, rng)


def encrypt_padded(padded: list[bytes], key: bytes, iv: bytes | None, rng: np.random.Generator) -> list[bytes]:
    """Encrypt values that are whole blocks already (also wrongly padded ones, for hostile lines)."""
    if iv is not None:
        return encrypt_blocks(padded, key, np.tile(np.frombuffer(iv, np.uint8), (len(padded), 1)))
    ivs = rng.integers(0, 256, (len(padded), BLOCK), dtype=np.uint8)
    return [ivs[row].tobytes() + value for row, value in enumerate(encrypt_blocks(padded, key, ivs))]


def written(values: list[bytes], encoding: str) -> list[str]:
    """Write bytes as hexadecimal or base64."""
    return [value.hex() if encoding == "hex" else base64.b64encode(value).decode() for value in values]
