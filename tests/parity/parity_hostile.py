# ruff: noqa: RUF001 - letters that look like others are the point
"""People, links and files made to part two engines: letters one takes for blanks, line ends, NUL, odd case, nulls."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

#: texts on which engines and their pattern languages differ
TEXTS = [
    "fovea.f", "vv", "f", "v", "\vv\f", "\t x", "x\t", "line\r\nend", "end\n", "\n", "\r", "nul\0inside", "\0", "İpek",
    "ıI", "STRASSE", "straße", "ß", "ẞ", "éÉ", "e\u0301", "\u212a", "ſ", "Σίσυφος", "ς", "", " ", "   ", "\u00a0",
    "\u200b", "\ufeff", "it's", '"q"', "back\\slash", "\\n", "%", "_", "$", "^", "a$b", "null", "NULL", "None", "-1",
    "007", "1e3", "😀", "e" * 300, "\u2028", "\x7f", "\x1f", "~", "!", "a\u0000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]  # fmt: skip
KEY, IV = bytes(range(32)), bytes(range(16))
PLACES = ["", "@example.com", "@EXAMPLE.com ", " @v.f"]
ALPHABET = "vf \t\n\r\v\f\0aA@.+İıßſΣς\u00a0\u2028'\"\\%_$^é0"


def emails() -> list[str | None]:
    """Every odd text as an address, in several spellings; equal ones after trimming and lower-casing among them."""
    return [None, *[text + place for text in TEXTS for place in PLACES]]


def some_texts(count: int, seed: int) -> list[str | None]:
    """Give texts of hostile signs by chance."""
    chance = random.Random(seed)
    return [
        None if not chance.randrange(20) else "".join(chance.choices(ALPHABET, k=chance.randrange(12)))
        for _ in range(count)
    ]


def people() -> pa.Table:
    """Profiles: addresses shared by several, telephone numbers in every spelling, some who opted out."""
    addresses = emails()
    count = len(addresses)
    phones = [
        "+33612345678",
        " +33612345678 ",
        "06 12 34 56 78",
        "+1 (234) 567-8901",
        "",
        None,
        "call",
        "+33612345678\n",
    ]
    return pa.table(
        {
            "external_id": [f"C{number:04d}" for number in range(count)],
            "email": addresses,
            "mobile_phone": [phones[number % len(phones)] for number in range(count)],
            "first_name": [TEXTS[number % len(TEXTS)] for number in range(count)],
            "do_not_share": [number % 11 == 0 if number % 3 else None for number in range(count)],
            "birth_date": [dt.date(1582, 10, 4) + dt.timedelta(days=700 * number) for number in range(count)],
            "tier": [TEXTS[(number * 7) % len(TEXTS)] for number in range(count)],
        }
    )


def changed() -> pa.Table:
    """The same people again, a third of them changed, some new, some twice, and a key that only looks like another."""
    table = people()
    rows = table.slice(0, table.num_rows // 3).to_pylist()
    for row in rows:
        row["email"] = (row["email"] or "") + "v"
        row["do_not_share"] = not row["do_not_share"]
    rows += [{"external_id": f"N{number}", "email": f"new{number}@example.com"} for number in range(30)]
    rows += [{"external_id": "N1", "email": "again@example.com"}, {"external_id": "C0001 ", "email": "x@example.com"}]
    return pa.Table.from_pylist(rows, schema=table.schema)


def by_email() -> pa.Table:
    """A file whose key is the address: loosely compared, so one row may be about several profiles."""
    rows = [{"email": f" {address}" if address else address, "first_name": "Új"} for address in emails()[::2]]
    return pa.Table.from_pylist([*rows, {"email": "fresh@example.com", "first_name": "f"}])


def links() -> pa.Table:
    """Browsers of people: several people on one, several on one person, one moment twice, an unknown person."""
    return pa.Table.from_pylist(
        [
            {
                "visitor_id": f"{number % 90:038d}",
                "external_id": f"C{number % 70:04d}" if number % 13 else "nobody",
                "last_seen": dt.datetime(2026, 1, 1 + number % 3, tzinfo=dt.UTC),
            }
            for number in range(120)
        ]
    )


def later_links() -> pa.Table:
    """Browsers that went over to other people."""
    seen = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    return pa.Table.from_pylist(
        [
            {"visitor_id": f"{number:038d}", "external_id": f"C{number + 30:04d}", "last_seen": seen}
            for number in range(0, 90, 2)
        ]
    )


def write(folder: Path, name: str, table: pa.Table) -> Path:
    """Write a table as Parquet."""
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    return path


def segment_file(folder: Path, name: str, ids: list[bytes], removed: tuple[bytes, ...] = ()) -> Path:
    """Write a segment file: every third ID names another segment only, some lines are broken, one ID stands twice."""
    lines = [one + (b" 26" if number % 7 == 3 else b"\t24,26") for number, one in enumerate(ids)]
    lines += [one + b" 26 24" for one in removed]
    lines += [b"alone", b"a\0b 24", b"zz 24", b"", ids[0] + b" 24", ids[0].upper() + b" 24", b"unknown@example.com 24"]
    path = folder / name
    path.write_bytes(b"first 99\n" + b"\r\n".join(lines) + b"\n")
    return path


def wire(protection: str) -> list[bytes]:
    """The addresses as a sender would write them, and some that nobody has."""
    values = [(address or "").strip(" ").lower() for address in emails()] + ["nobody@example.com", "v@f.f"]
    return list(dict.fromkeys(protect(value, protection) for value in values if value.strip()))


def protect(value: str, protection: str) -> bytes:
    """Write one value as it is on the wire."""
    if protection == "plain":
        fits = not set(value) & set(" \t\n\r\v\f\0\ufeff")
        return value.encode() if fits else b"plain" + value.encode().hex().encode()
    if protection == "aes-cbc":
        padder = padding.PKCS7(128).padder()
        data = padder.update(value.encode()) + padder.finalize()
        sealer = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
        return (sealer.update(data) + sealer.finalize()).hex().encode()
    return hashlib.new(protection, value.encode()).hexdigest().encode()
