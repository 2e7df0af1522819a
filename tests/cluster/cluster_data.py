"""What the cluster imports: people and three deliveries, with the values that two engines may read differently."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from symbolon.demo.delivery import Segments, body, file_bytes
from symbolon.demo.hostile import Shape
from symbolon.demo.protect import digests, encrypt, written

KEY, IV = "0123456789ABCDEF0123456789ABCDEF", "0123456789ABCDEFFEDCBA9876543210"
#: begin or end in v and f (letters of `\v` and `\f`), blanks of all kinds, capitals outside of ASCII, nothing, twice
_AWKWARD = [
    "fovea.f@vf.example", "vvv@fff.example", "f@v.example", "very.fov@example.com", "V.F@EXAMPLE.COM",
    " blank@example.com ", "\ttab@example.com\t", "return@example.com\r", "feed\f@example.com", "\vline@example.com",
    "İstanbul@example.com", "istanbul@example.com", "straße@example.com", "STRASSE@example.com", "ÅNGSTRÖM@example.com",
    "e\u0301@example.com", "é@example.com", "\u00a0nbsp@example.com", "ﬁ@example.com", "ΣΊΣΥΦΟΣ@example.com",
    "", "twice@example.com", "twice@example.com", "Twice@Example.com", "o'hara@example.com", 'quo"ted@example.com',
    "back\\slash@example.com", "per%cent@example.com", "semi;colon@example.com", "dollar$1@example.com",
]  # fmt: skip
_SENT = Segments((b"24", b"24,31"), (b"31",))


@dataclass(frozen=True)
class Deliveries:
    """Files to import, in order: people, two days of hashes, encrypted addresses."""

    people: Path
    first: Path
    later: Path
    sealed: Path


def make_deliveries(folder: Path, rows: int) -> Deliveries:
    """Write `rows` people, deliveries of `rows` hashes of which four fifths are known, and half as many encrypted."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(rows)
    emails = [f"person{number}@example.com" for number in range(rows - len(_AWKWARD))] + _AWKWARD
    people = folder / "people.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("external_id", "email"))
        out.writerows((f"C{number}", email) for number, email in enumerate(emails))
    distinct = [*dict.fromkeys(email.strip().lower() for email in emails if email)]
    start = rows // 5
    ids = distinct[start:] + [f"stranger{number}@example.org" for number in range(start)]
    hashed = Shape("hash", b" ", nothing=digests(pa.array([""]), "sha256")[0].as_py().encode())
    first = digests(pa.array(ids), "sha256")
    later = digests(pa.array(distinct[: 4 * start] + ids[-start:]), "sha256")
    sealed = Shape("aes", b" ", key=bytes.fromhex(KEY), iv=bytes.fromhex(IV), is_address=True)
    addresses = pa.array([value for value in ids[::2] if value.isascii() and " " not in value])
    blocks = written(encrypt(addresses, sealed.key, sealed.iv, rng), "hex")
    return Deliveries(
        people,
        _write(folder / "S3_1_14016_full_1486140844000.sync", first, hashed, rng),
        _write(folder / "S3_1_14016_full_1486227244000.sync", later, hashed, rng),
        _write(folder / "S3_1_20311_full_1486140844000.sync", pa.array(blocks), sealed, rng),
    )


def _write(path: Path, ids: pa.Array, shape: Shape, rng: np.random.Generator) -> Path:
    nobody = pa.array([], pa.string())
    lines, _ = body(ids, nobody, nobody, _SENT, shape, rng)
    path.write_bytes(file_bytes(lines))
    return path
