"""Importing an audience with a dict and hashlib: what the real one is compared with.

One line at a time, one value at a time, no columns: slow and plain on purpose.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HASHES = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
LARGEST_HALF = 9223372036854775807


@dataclass(frozen=True)
class Person:
    number: int
    external_id: str
    email: str
    phone: str = ""
    do_not_share: bool = False
    visitors: tuple[str, ...] = ()


#: the people of the reference: P1 to P3, two who share an address, one who opted out, and two with one browser
PEOPLE = [
    Person(1, "C1", "johndoe@example.com", "+33612345678", visitors=("59767559181262060060278870901087098252",)),
    Person(2, "C2", "hayden.smith@example.com", "+33612345679", visitors=("00000000000000000010000000000000000007",)),
    Person(3, "C3", "Mixed@Example.com"),
    Person(4, "C4", "shared@example.org"),
    Person(5, "C5", " Shared@example.org"),
    Person(6, "C6", "private@example.net", do_not_share=True),
    Person(7, "C7", "İpek.Ünal@example.com"),
    Person(8, "C8", ""),
    *[Person(10 + n, f"C{10 + n}", f"person{n}@example.com", f"+3361200{n:04d}") for n in range(60)],
]


@dataclass
class Source:
    kind: str = "declared"
    key: str = "email"
    protection: str = "sha256"
    channel: str = "other"
    encoding: str = "hex"
    aes_key: bytes = b""
    iv: bytes | None = None
    on_ambiguous: str = "all"


@dataclass
class State:
    """An audience between two imports: every accepted ID with the profiles it gave members of."""

    ids: dict[bytes, frozenset[int]] = field(default_factory=dict)

    @property
    def members(self) -> set[int]:
        return {number for numbers in self.ids.values() for number in numbers}


@dataclass
class Expected:
    lines: int = 0
    other_segments: int = 0
    received: int = 0
    accepted: int = 0
    matched: int = 0
    unmatched: int = 0
    removals: int = 0
    withheld: int = 0
    ambiguous: int = 0
    rejected: Counter = field(default_factory=Counter)
    rejected_lines: list[tuple[int, str]] = field(default_factory=list)
    state: State = field(default_factory=State)


def normal(person: Person, key: str) -> str:
    if key == "email":
        return person.email.strip().lower()
    return getattr(person, key).strip()


class Reject(Exception):
    pass


def match_key(raw: bytes, source: Source) -> bytes:
    """Give the digest that is compared; raises Reject(reason)."""
    if source.kind == "visitor":
        text = raw.decode("latin-1")
        if not re.fullmatch("[0-9]{38}", text) or int(text[:19]) > LARGEST_HALF or int(text[19:]) > LARGEST_HALF:
            raise Reject("malformed_id")
        return raw
    if source.protection in HASHES:
        text = raw.decode("latin-1").lower()
        if not re.fullmatch(f"[0-9a-f]{{{HASHES[source.protection]}}}", text):
            raise Reject("malformed_id")
        if text == hashlib.new(source.protection, b"").hexdigest():
            raise Reject("malformed_id")
        return bytes.fromhex(text)
    value = decode(raw, "bad_encoding") if source.protection == "plain" else decrypt(raw, source)
    value = value.strip().lower() if source.key == "email" else value.strip()
    if not value:
        raise Reject("malformed_id" if source.protection == "plain" else "decrypt_failed")
    if source.protection == "aes-cbc" and source.channel == "email" and not address(value):
        raise Reject("invalid_address")
    return hashlib.sha256(value.encode()).digest()


def address(value: str) -> bool:
    """Plain enough for the values that the tests make: letters and digits around one @ and a dot."""
    return re.fullmatch(r"[\w.+\u0307-]+@[\w-]+(\.[\w-]+)+", value) is not None


def decode(raw: bytes, reason: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Reject(reason) from error


def decrypt(raw: bytes, source: Source) -> str:
    try:
        if source.encoding == "hex":
            text = raw.decode("ascii")
            if text[:2] in ("\\x", "0x", "0X", "\\X"):
                text = text[2:]
            if not re.fullmatch("[0-9a-fA-F]*", text):
                raise Reject("bad_encoding")
            data = bytes.fromhex(text)
        elif len(raw) % 4:  # Python is laxer: it takes whole groups with padding behind them
            raise Reject("bad_encoding")
        else:
            data = base64.b64decode(raw, validate=True)
    except ValueError as error:
        raise Reject("bad_encoding") from error
    iv = source.iv
    if iv is None:
        iv, data = data[:16], data[16:]
    if not data or len(data) % 16 or len(iv) != 16:
        raise Reject("decrypt_failed")
    try:
        opened = Cipher(algorithms.AES(source.aes_key), modes.CBC(iv)).decryptor()
        padded = opened.update(data) + opened.finalize()
        unpad = padding.PKCS7(128).unpadder()
        return (unpad.update(padded) + unpad.finalize()).decode("utf-8")
    except ValueError as error:
        raise Reject("decrypt_failed") from error


def imported(  # noqa: C901, PLR0912, PLR0915 - one plain pass reads best in one piece
    people: list[Person], source: Source, lines: list[bytes], *, mode: str, segment: str, before: State | None = None
) -> Expected:
    """Import one file line by line."""
    holders: dict[bytes, list[Person]] = {}
    for person in people:
        if source.kind == "visitor":
            for visitor in person.visitors:
                holders.setdefault(visitor.encode(), []).append(person)
            continue
        value = normal(person, source.key)
        if value:
            algorithm = source.protection if source.protection in HASHES else "sha256"
            holders.setdefault(hashlib.new(algorithm, value.encode()).digest(), []).append(person)
    expected = Expected()
    state = State(dict(before.ids) if before and mode == "iter" else {})
    seen: set[bytes] = set()

    def reject(number: int, reason: str) -> None:
        expected.received += 1
        expected.rejected[reason] += 1
        expected.rejected_lines.append((number, reason))

    for number, line in enumerate(lines, start=1):
        text = line.rstrip(b"\r").rstrip(b" \t")
        if not text.strip(b" \t"):
            continue
        expected.lines += 1
        fields = [part for part in re.split(rb"[ \t]+", text) if part]
        if b"\0" in text or not 2 <= len(fields) <= 3 or text[:1] in b" \t":
            reject(number, "malformed_line")
            continue
        added, removed = fields[1].split(b","), fields[2].split(b",") if len(fields) == 3 else []
        wanted_in, wanted_out = segment.encode() in added, segment.encode() in removed and mode == "iter"
        if wanted_in and wanted_out:
            reject(number, "malformed_line")
            continue
        if not wanted_in and not wanted_out:
            expected.other_segments += 1
            continue
        try:
            key = match_key(fields[0], source)
        except Reject as error:
            reject(number, str(error))
            continue
        if key in seen:
            reject(number, "duplicate_id")
            continue
        seen.add(key)
        expected.received += 1
        expected.accepted += 1
        if wanted_out:
            expected.removals += 1
            state.ids.pop(key, None)
            continue
        found = holders.get(key, [])
        ambiguous = len(found) > 1
        expected.ambiguous += ambiguous
        if ambiguous and source.on_ambiguous == "reject":
            found = []
        if not found:
            expected.unmatched += 1
            state.ids[key] = frozenset()
            continue
        expected.matched += 1
        expected.withheld += any(person.do_not_share for person in found)
        state.ids[key] = frozenset(person.number for person in found if not person.do_not_share)
    expected.state = state
    return expected
