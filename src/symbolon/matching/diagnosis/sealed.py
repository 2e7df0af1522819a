"""IDs that may be encrypted: tried with every key of the project, with every place and mistake of the IV and padding.

Invariant: keys live in `Secret`, which shows nothing; what comes out names the data source whose key it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from symbolon.matching.diagnosis.readings import cleaned, decoded, text_of
from symbolon.matching.diagnosis.sample import Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from symbolon.matching.diagnosis.readings import Reader
    from symbolon.matching.diagnosis.sample import Sample

_BLOCK = 16
_KEY_SIZES = (16, 24, 32)
_WRITINGS = ("hex", "base64", "base64_of_hex", "hex_of_hex")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A key of a data source; shows nothing."""

    source: str
    version: int
    key: bytes
    #: the IV of the source; None = in front of each value
    iv: bytes | None


def open_all(
    sample: Sample, own: str, secrets: Sequence[Secret], reader: Reader, *, least: int, in_time: Callable[[], bool]
) -> list[str]:
    """Try all keys on all IDs; what opens goes into `reader`.

    Args:
        sample: the IDs.
        own: name of the data source they came by; its key is tried in more ways.
        secrets: all keys of the project.
        reader: takes what opened.
        least: an attempt that opens fewer IDs is forgotten.
        in_time: whether there is time for another attempt.

    Returns:
        The names of the data sources whose keys were not tried for lack of time.
    """
    sealed = [
        (number, writing, data, value != raw)
        for number, raw in enumerate(sample.ids)
        for value in [cleaned(raw)]
        for writing, data in decoded(value)
        if writing in _WRITINGS and len(data) >= _BLOCK and len(data) % _BLOCK == 0
    ]
    if len({number for number, *_ in sealed}) < least:
        return []
    late: list[str] = []
    for secret in sorted(secrets, key=lambda one: (one.source != own, one.source, -one.version)):
        for key, seal, iv in _attempts(secret, secrets, own=own):
            if not in_time():
                late.append(secret.source)
                break
            opened = list(_opened(sealed, key, seal, iv))
            if len({number for number, *_ in opened}) >= least:
                for number, writing, data, wrapped, how in opened:
                    reader.take(number, data, writing, wrapped=wrapped, seal=how)
    return sorted(set(late))


def _attempts(secret: Secret, others: Sequence[Secret], *, own: str) -> Iterator[tuple[bytes, Seal, bytes | None]]:
    """Give key, name and IV (None = in front) of each way to use one key."""
    name, version = secret.source, secret.version
    if secret.iv is not None:
        yield secret.key, Seal(name, version, "fixed"), secret.iv
    yield secret.key, Seal(name, version, "prefixed"), None
    yield secret.key, Seal(name, version, "zero"), bytes(_BLOCK)
    yield secret.key, Seal(name, version, "none", mode="ecb"), b""
    if name != own:
        return
    for other in others:
        if other.iv not in (None, secret.iv):
            yield secret.key, Seal(name, version, other.source), other.iv
    if 2 * len(secret.key) in _KEY_SIZES:
        for text in (secret.key.hex(), secret.key.hex().upper()):
            iv = "prefixed" if secret.iv is None else "fixed"
            yield text.encode(), Seal(name, version, iv, as_text=True), secret.iv


def _opened(
    sealed: Sequence[tuple[int, str, bytes, bool]], key: bytes, seal: Seal, iv: bytes | None
) -> Iterator[tuple[int, str, bytes, bool, Seal]]:
    # all blocks in one call of ECB; CBC is put together from it
    flat = b"".join(data for _, _, data, _ in sealed)
    plain = Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(flat)  # noqa: S305
    start = 0
    for number, writing, data, wrapped in sealed:
        block = plain[start : start + len(data)]
        start += len(data)
        if seal.mode == "ecb":
            text = block
        elif iv is None:
            text = _xor(block, bytes(_BLOCK) + data)[_BLOCK:]
        else:
            text = _xor(block, iv + data)
        found = _unpadded(text)
        if found is not None:
            value, padding = found
            how = seal if padding == "pkcs7" else Seal(seal.source, seal.version, seal.iv, seal.mode, padding)
            yield number, writing, value, wrapped, how


def _xor(left: bytes, right: bytes) -> bytes:
    size = len(left)
    return (int.from_bytes(left) ^ int.from_bytes(right[:size])).to_bytes(size)


def _unpadded(data: bytes) -> tuple[bytes, str] | None:
    """Take the padding off; None where no text comes out."""
    if not data:
        return None
    pad = data[-1]
    if 1 <= pad <= _BLOCK and data.endswith(bytes([pad]) * pad):
        value, padding = data[:-pad], "pkcs7"
    else:
        value, padding = data.rstrip(b"\x00 "), "none"
    return (value, padding) if text_of(value) is not None else None
