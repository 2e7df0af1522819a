"""The ways an ID can be read without a key: as a digest, as a plain value, as a visitor ID, in every common writing.

A sample has at most a thousand IDs, so these are loops over values; whole files never come here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from symbolon.matching.diagnosis.sample import Candidates, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from symbolon.matching.diagnosis.sample import Sample, Seal

#: bytes of a digest -> its algorithm
ALGORITHMS = {16: "md5", 20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
#: what stands around a value by mistake
_AROUND = b" \t\r\n\"'\x00\xef\xbb\xbf\xa0"
_HEX = re.compile(rb"(?:0x|\\x)?((?:[0-9a-fA-F]{2})+)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")
_DIGITS = re.compile(rb"[0-9]+")
_VISITOR_DIGITS = 38
#: fewer digits than this are a customer number, not a visitor ID without its leading zeros
_LEAST_DIGITS = 30
_LARGEST_HALF = 9223372036854775807
#: what senders hash when they have no value
_NOTHING = ("", " ", "null", "NULL", "None", "none", "nil", "undefined", "nan", "NaN", "N/A", "n/a", "-", "0")


def cleaned(raw: bytes) -> bytes:
    """Give an ID without what stands around it by mistake."""
    return raw.strip(_AROUND)


def decoded(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the name of each writing that `value` can be in, with the bytes it stands for."""
    yield "text", value
    if found := _HEX.fullmatch(value):
        data = binascii.unhexlify(found[1])
        yield "hex", data
        yield from _within("hex_of_hex", data)
    elif _BASE64.fullmatch(value):  # every hexadecimal of whole groups would be base64 as well
        raw = _unbase64(value)
        if raw is not None:
            yield "base64", raw
            yield from _within("base64_of_hex", raw)
    if b"%" in value:
        yield "percent", unquote_to_bytes(value)


def _within(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Look for hexadecimal inside of what was decoded."""
    if (found := _HEX.fullmatch(data)) and len(found[1]) // 2 in ALGORITHMS:
        yield name, binascii.unhexlify(found[1])


def _unbase64(value: bytes) -> bytes | None:
    standard = value.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if len(standard) % 4 == 1:
        return None
    return base64.b64decode(standard + b"=" * (-len(standard) % 4))


def text_of(data: bytes) -> str | None:
    """Give bytes as the text a person could have typed; None where they are none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text.strip() and text.strip().isprintable() else None


class Reader:
    """Collects what the IDs of a sample can be.

    `plain` takes every plain value that is found: normalising it is another matter (`forms`).
    """

    def __init__(self) -> None:
        self._found: dict[tuple[Reading, str], Candidates] = {}
        #: reading -> the plain values, with the number of the ID
        self.plain: dict[Reading, list[tuple[int, str]]] = {}
        #: numbers of the IDs that are digests of nothing
        self.nothing: set[int] = set()

    def digests(self) -> list[Candidates]:
        """Give what is compared as it is: digests and visitor IDs."""
        return list(self._found.values())

    def read(self, sample: Sample) -> None:
        """Read every ID in every way that needs no key."""
        for number, raw in enumerate(sample.ids):
            value = cleaned(raw)
            for writing, data in decoded(value):
                self.take(number, data, writing, wrapped=value != raw)

    def give_way(self, opened: Reader) -> None:
        """Take over what was decrypted; an ID that a key opens is not also a digest or anything else."""
        numbers = {number for values in opened.plain.values() for number, _ in values}
        for candidates in self._found.values():
            candidates.drop(numbers)
        for reading, values in self.plain.items():
            self.plain[reading] = [one for one in values if one[0] not in numbers]
        self._found.update(opened._found)
        self.plain.update(opened.plain)

    def take(self, number: int, data: bytes, writing: str, *, wrapped: bool, seal: Seal | None = None) -> None:
        """Note what one decoded (or decrypted) value can be."""
        if writing != "text" and seal is None and len(data) in ALGORITHMS:
            algorithm = ALGORITHMS[len(data)]
            if data in nothing(algorithm):
                self.nothing.add(number)
            else:
                self._add(Reading("digest", writing, wrapped=wrapped), algorithm, number, data)
        if seal is not None and (found := _HEX.fullmatch(data)) and len(found[1]) // 2 in ALGORITHMS:
            digest = binascii.unhexlify(found[1])
            self._add(Reading("digest", writing, wrapped=wrapped, seal=seal), ALGORITHMS[len(digest)], number, digest)
        if writing not in ("hex_of_hex", "base64_of_hex") or seal is not None:
            self._take_text(number, data, Reading("plain", writing, wrapped=wrapped, seal=seal))

    def _take_text(self, number: int, data: bytes, reading: Reading) -> None:
        if _DIGITS.fullmatch(data):
            key = data.rjust(_VISITOR_DIGITS, b"0")
            if len(data) >= _LEAST_DIGITS and len(key) == _VISITOR_DIGITS and is_visitor(key):
                visitor = Reading(
                    "visitor", reading.writing, wrapped=reading.wrapped, zeros=key != data, seal=reading.seal
                )
                self._add(visitor, "visitor", number, key)
        text = text_of(data)
        if text is not None:
            self.plain.setdefault(reading, []).append((number, text))

    def _add(self, reading: Reading, algorithm: str, number: int, key: bytes) -> None:
        found = self._found.setdefault((reading, algorithm), Candidates(reading, algorithm))
        found.add(number, key)


def is_visitor(key: bytes) -> bool:
    """Tell whether 38 digits are two halves that fit their words."""
    return int(key[:19]) <= _LARGEST_HALF and int(key[19:]) <= _LARGEST_HALF


def nothing(algorithm: str) -> frozenset[bytes]:
    """Give the digests of what stands for no value."""
    found = _NOTHINGS.get(algorithm)
    if found is None:
        found = frozenset(hashlib.new(algorithm, text.encode()).digest() for text in _NOTHING)
        _NOTHINGS[algorithm] = found
    return found


_NOTHINGS: dict[str, frozenset[bytes]] = {}


def worth(candidates: Iterable[Candidates], least: int) -> list[Candidates]:
    """Give the readings of enough IDs to be evidence, the most frequent first."""
    return sorted((one for one in candidates if one.size >= least), key=lambda one: -one.size)
