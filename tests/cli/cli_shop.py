"""A small project for the command line's tests: a few people, one source of each kind, and deliveries."""

from __future__ import annotations

import csv
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import symbolon
from symbolon.records import Channel, DataSource, Kind, Protection

KEY = "0123456789ABCDEF0123456789ABCDEF"
IV = "0123456789ABCDEFFEDCBA9876543210"
#: planted where no output may show them
CANARY = "canary.bird@example.net"
PEOPLE = [
    ("C1", "johndoe@example.com"),
    ("C2", "hayden.smith@example.com"),
    ("C3", "Mixed@Example.com"),
    ("C4", 'quo"ted,name@example.com'),
    *[(f"C{10 + n}", f"person{n}@example.com") for n in range(20)],
]
VISITOR = "00000000000000000010000000000000000007"
SEGMENT_FILE = "S3_46390_14016_full_1486140844000.sync"
LATER_FILE = "S3_46390_14016_full_1486227244000.sync"
ENCRYPTED_FILE = "S3_46390_20311_full_1486140844000.sync"

RECEIPT_KEYS = [
    "audience", "version", "lines", "other_segments", "received", "accepted", "matched", "unmatched",
    "unmatched_reasons", "removals", "withheld", "ambiguous", "members", "added", "removed", "rejected", "warnings",
    "seconds",
]  # fmt: skip


@dataclass
class Result:
    """What one command did."""

    code: int
    out: str
    err: str


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def encrypt(value: str, key: str = KEY) -> str:
    padder = padding.PKCS7(128).padder()
    data = padder.update(value.encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(bytes.fromhex(IV))).encryptor()
    return (sealer.update(data) + sealer.finalize()).hex()


def lines(folder: Path, name: str, *texts: str) -> Path:
    path = folder / name
    data = "".join(f"{text}\n" for text in texts).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def deliveries(folder: Path) -> None:
    """Two segments of hashes, a day later a part of them, encrypted addresses, and a list of customer numbers."""
    folder.mkdir()
    known = [sha256(email.strip().lower()) for _, email in PEOPLE]
    lines(
        folder,
        SEGMENT_FILE,
        *[f"{one} 24" for one in known[:6]],
        f"{known[0]} 24",
        "tooshort 24",
        "not-a-row",
        f"{'0' * 64} 24",
        *[f"{one} 26" for one in known[6:9]],
    )
    lines(folder, LATER_FILE, *[f"{one} 24" for one in known[2:8]])
    lines(folder, ENCRYPTED_FILE, *[f"{encrypt(email)} 310" for _, email in PEOPLE[:3]], f"{encrypt(CANARY)} 310")
    lines(folder, "visits.csv", "number,shop", "C1,Leeds", "C10,Nantes", "C99,Leeds")
    lines(folder, "people.csv", "external_id,email", "C50,new@example.com", ",no.key@example.com")


def write_people(folder: Path) -> tuple[Path, Path]:
    people, links = folder / "profiles.csv", folder / "links.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("external_id", "email"), *PEOPLE])
    lines(folder, "links.csv", "visitor_id,external_id,last_seen", f"{VISITOR},C2,2026-01-01T00:00:00Z")
    return people, links


def make_shop(folder: Path) -> Path:
    """Make the project with its sources; give its folder."""
    people, links = write_people(folder)
    deliveries(folder / "in")
    with symbolon.init(folder / "shop") as project:
        project.profiles.import_file(people)
        project.profiles.link_file(links)
        add = project.sources.add
        add(DataSource(name="crm-email", key="email", protection=Protection.SHA256))
        add(DataSource(name="web", kind=Kind.VISITOR))
        add(DataSource(name="numbers", key="external_id"))
        aes = DataSource(name="lounge", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL)
        add(aes, key=bytes.fromhex(KEY), iv=bytes.fromhex(IV))
    return folder
