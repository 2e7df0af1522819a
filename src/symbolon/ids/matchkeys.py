"""From IDs as they stand on the wire to match keys, or to the reason why not. Columns in, columns out.

Invariant: the match key of a hashed ID is the ID; a plain or decrypted ID is normalised and digested here, on the node
that reads the file, so that no engine ever sees an address or a key. The digest of nothing is neither made nor
accepted.

Source of the checks: visitor IDs have 38 digits, and each half is a positive 63-bit number; hashes are lower-case
hexadecimal (upper case is accepted); AES-CBC is not authenticated, so a decrypted value must also be strict UTF-8 and,
where it is to be an address, a valid one.
"""

from __future__ import annotations

import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.columns import as_type, borders, flags, keep_rows, nulled, texts
from symbolon.ids import aes
from symbolon.ids.digesting import normal_digests
from symbolon.ids.encodings import HEX, decode, rows_outside
from symbolon.ids.normalise import normalise, valid_address
from symbolon.ids.words import HALF_DIGITS, SIZES, Words, words_of_digests
from symbolon.later import pc
from symbolon.records import REJECT_REASONS, Encoding, Kind, Protection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbolon.ids.spec import IdSpec

_MALFORMED = REJECT_REASONS.index("malformed_id")
_BAD_ENCODING = REJECT_REASONS.index("bad_encoding")
_DECRYPT_FAILED = REJECT_REASONS.index("decrypt_failed")
_INVALID_ADDRESS = REJECT_REASONS.index("invalid_address")
_LARGEST_HALF = np.uint64(9223372036854775807)
_POWERS = 10 ** np.arange(HALF_DIGITS - 1, -1, -1, dtype=np.uint64)
_MATCH_ALGORITHM = "sha256"
#: the scheme that changes nothing an address needs, by its names
_HOUSE = ("adobe", "adobe@1")


@dataclass(frozen=True, slots=True, repr=False)
class MatchKeys:
    """The match keys of n IDs."""

    #: one int64 array of n for each word; 0 where an ID was rejected
    words: Words
    #: int8 array of n: an index of REJECT_REASONS; 0 = accepted
    reason: NDArray[np.int8]
    #: decrypted, normalised addresses (null where rejected), if they were asked for
    plaintext: pa.Array | None = None


def match_keys(raw: pa.Array, spec: IdSpec, *, keep_plaintext: bool = False) -> MatchKeys:
    """Turn IDs into match keys.

    Args:
        raw: binary (or string) without nulls: the IDs as they stand on the wire.
        spec: how they are read.
        keep_plaintext: give the decrypted addresses too (encrypted sources only).
    """
    raw = as_type(raw, pa.binary())
    if spec.kind is Kind.VISITOR:
        words, reason = visitor_words(raw)
        return MatchKeys(words, reason)
    if spec.protection.is_hash:
        if spec.encoding is Encoding.BASE64:
            return _hashed_base64(raw, spec.protection.value)
        return _hashed(raw, spec.protection.value)
    if spec.protection is Protection.PLAIN:
        return _plain(raw, spec)
    return _encrypted(raw, spec, keep_plaintext=keep_plaintext)


def visitor_words(raw: pa.Array) -> tuple[Words, NDArray[np.int8]]:
    """Read visitor IDs: words and reasons, as in `MatchKeys`."""
    raw = as_type(raw, pa.binary())
    rows, table = _of_length(raw, 2 * HALF_DIGITS)
    digits = table - np.uint8(ord("0"))
    good: NDArray[np.bool_] = np.all(digits <= 9, axis=1)
    halves = [
        (digits[:, part].astype(np.uint64) @ _POWERS) for part in (slice(0, HALF_DIGITS), slice(HALF_DIGITS, None))
    ]
    for half in halves:
        good &= half <= _LARGEST_HALF
    return _placed(len(raw), rows, [half.astype(np.int64) for half in halves], good)


def _hashed(raw: pa.Array, algorithm: str) -> MatchKeys:
    rows, table = _of_length(raw, SIZES[algorithm] * 2)
    good: NDArray[np.bool_] = np.ones(len(table), dtype=np.bool_)
    try:
        digests = binascii.unhexlify(np.ascontiguousarray(table).data)
    except binascii.Error:
        width = table.shape[1]
        good = ~rows_outside(table.reshape(-1), np.arange(0, table.size + 1, width), HEX)
        table = table.copy()
        table[~good] = ord("0")
        digests = binascii.unhexlify(table.data)
    words = words_of_digests(digests, algorithm)
    good &= ~_of_nothing(words, algorithm)
    placed, reason = _placed(len(raw), rows, list(words), good)
    return MatchKeys(placed, reason)


def _hashed_base64(raw: pa.Array, algorithm: str) -> MatchKeys:
    flat, offsets, good = decode(raw, Encoding.BASE64)
    good &= np.diff(offsets) == SIZES[algorithm]
    words = words_of_digests(keep_rows(flat, offsets, good), algorithm)
    placed, reason = _placed(len(raw), np.flatnonzero(good), list(words), ~_of_nothing(words, algorithm))
    return MatchKeys(placed, reason)


def _of_nothing(words: Words, algorithm: str) -> NDArray[np.bool_]:
    """Say which digests are those of the empty text."""
    nothing = words_of_digests(hashlib.new(algorithm, b"").digest(), algorithm)
    found: NDArray[np.bool_] = np.zeros(len(words[0]), dtype=np.bool_)
    suspects = np.flatnonzero(words[0] == nothing[0][0])
    same = [word[suspects] == empty[0] for word, empty in zip(words, nothing, strict=True)]
    found[suspects[np.all(same, axis=0)]] = True
    return found


def _plain(raw: pa.Array, spec: IdSpec) -> MatchKeys:
    text, is_text = texts(raw)
    reason = np.where(is_text, 0, _BAD_ENCODING).astype(np.int8)
    _, words = _digested(text, reason, spec, empty=_MALFORMED)
    return MatchKeys(words, reason)


def _encrypted(raw: pa.Array, spec: IdSpec, *, keep_plaintext: bool) -> MatchKeys:
    sealed, offsets, decoded = decode(raw, spec.encoding)
    reason = np.where(decoded, 0, _BAD_ENCODING).astype(np.int8)
    plain, opened = aes.decrypt(sealed, offsets, spec.key, spec.iv)
    text, is_text = texts(plain)
    reason[(reason == 0) & ~(opened & is_text)] = _DECRYPT_FAILED
    normal, words = _digested(text, reason, spec, empty=_DECRYPT_FAILED)
    # a party's form is for comparing: the address that a message goes to keeps its dots, its `+` and its country code
    own = normal if spec.scheme in _HOUSE else normalise(text, _HOUSE[0], spec.field, spec.region)
    if spec.is_address:
        valid = flags(valid_address(own, spec.field))
        reason[(reason == 0) & ~valid] = _INVALID_ADDRESS
        words = _zeroed(words, reason)
    if not keep_plaintext:
        return MatchKeys(words, reason)
    return MatchKeys(words, reason, nulled(own, (reason == 0) & flags(own.is_valid())))


def _digested(text: pa.Array, reason: NDArray[np.int8], spec: IdSpec, *, empty: int) -> tuple[pa.Array, Words]:
    """Normalise and digest what was accepted so far; what has no normalised form gets the reason `empty`."""
    normal, words, there = normal_digests(text, spec.scheme, spec.field, spec.region, _MATCH_ALGORITHM)
    if spec.is_address and spec.field == "phone":
        reason[(reason == 0) & ~there & _not_blank(text)] = _INVALID_ADDRESS
    reason[(reason == 0) & ~there] = empty
    return normal, _zeroed(words, reason)


def _not_blank(text: pa.Array) -> NDArray[np.bool_]:
    return np.diff(borders(pc.utf8_trim_whitespace(text))[1]) > 0


def _zeroed(words: Words, reason: NDArray[np.int8]) -> Words:
    return words if not reason.any() else tuple(np.where(reason == 0, word, 0) for word in words)


def _of_length(raw: pa.Array, size: int) -> tuple[NDArray[np.intp] | None, NDArray[np.uint8]]:
    """Give the rows of the IDs that have the right length (None = all), and their bytes as a table."""
    flat, offsets = borders(raw)
    fits = np.diff(offsets) == size
    if fits.all():
        return None, flat.reshape(-1, size)
    return np.flatnonzero(fits), keep_rows(flat, offsets, fits).reshape(-1, size)


def _placed(
    count: int, rows: NDArray[np.intp] | None, words: list[NDArray[np.int64]], good: NDArray[np.bool_]
) -> tuple[Words, NDArray[np.int8]]:
    """Put the words of some rows in their place; every other row is malformed."""
    if rows is None and good.all():
        return tuple(words), np.zeros(count, dtype=np.int8)
    places = np.flatnonzero(good) if rows is None else rows[good]
    reason = np.full(count, _MALFORMED, dtype=np.int8)
    reason[places] = 0
    placed = []
    for word in words:
        full = np.zeros(count, dtype=np.int64)
        full[places] = word[good]
        placed.append(full)
    return tuple(placed), reason
