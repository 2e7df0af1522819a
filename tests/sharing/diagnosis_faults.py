"""Planted faults: people, and files with exactly one mistake in them. The documentation's table is made from this."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import symbolon
from symbolon.records import Channel, DataSource, Kind, Protection

KEY, OTHER_KEY, OLD_KEY = (bytes(range(start, start + 16)) for start in (0, 32, 64))
IV, OTHER_IV = bytes(range(100, 116)), bytes(range(200, 216))
COUNT = 400
#: of the people, those a file names; the strangers are no profiles
NAMED, STRANGERS = 300, 30


@dataclass(frozen=True)
class Person:
    external_id: str
    email: str
    phone: str
    visitor: str


def typed(n: int) -> str:
    """An address as somebody typed it."""
    domain = ("gmail.com", "example.com", "Example.ORG")[n % 3]
    return f"Ann.Person{n}@{domain}" + ("  " if n % 5 == 0 else "")


PEOPLE = [
    Person(f"{n:06d}", typed(n), f"+336{12000000 + n}", f"{n * 10**15 + 12345:019d}{n + 7:019d}")
    for n in range(1, COUNT + 1)
]
OUTSIDE = [
    Person(f"9{n:05d}", f"stranger{n}@example.net", f"+336{99000000 + n}", f"{9_000_000 + n:019d}{n:019d}")
    for n in range(STRANGERS)
]


#: data sources of the project, in words
SOURCES = {
    "mail": "SHA-256 of e-mail",
    "mail-plain": "e-mail in clear",
    "sms": "SHA-256 of telephone",
    "sms-plain": "telephone in clear",
    "numbers": "customer number in clear",
    "web": "visitor IDs",
    "sealed": "encrypted e-mail",
}


def write_people(folder: Path) -> tuple[Path, Path]:
    people, links = folder / "profiles.csv", folder / "links.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(["external_id", "email", "mobile_phone"])
        csv.writer(file).writerows([one.external_id, one.email, one.phone] for one in PEOPLE)
    with links.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(["visitor_id", "external_id"])
        csv.writer(file).writerows([one.visitor, one.external_id] for one in PEOPLE)
    return people, links


def make_project(folder: Path) -> Path:
    people, links = write_people(folder)
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(people)
        project.profiles.link_file(links)
        add = project.sources.add
        add(DataSource(name="mail", key="email", protection=Protection.SHA256))
        add(DataSource(name="mail-plain", key="email"))
        add(DataSource(name="sms", key="mobile_phone", protection=Protection.SHA256))
        add(DataSource(name="sms-plain", key="mobile_phone"))
        add(DataSource(name="numbers", key="external_id"))
        add(DataSource(name="web", kind=Kind.VISITOR))
        sealed = DataSource(name="sealed", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL)
        add(sealed, key=OLD_KEY, iv=IV)
        project.sources.edit("sealed", {}, key=KEY, iv=IV)
        other = DataSource(name="partner", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL)
        add(other, key=OTHER_KEY, iv=OTHER_IV)
    (folder / "KEY.hex").write_text(KEY.hex())
    (folder / "OLD_KEY.hex").write_text(OLD_KEY.hex())
    return folder


def email(one: Person) -> str:
    return one.email.strip().lower()


def sha256(value: str | bytes) -> str:
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def digest(algorithm: str, value: str) -> bytes:
    return hashlib.new(algorithm, value.encode()).digest()


def b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def sealed(
    value: str, key: bytes = KEY, iv: bytes = IV, *, prefix: bool = False, mode: str = "cbc", pad: str = "pkcs7"
):
    data = value.encode()
    if pad == "pkcs7":
        padder = padding.PKCS7(128).padder()
        data = padder.update(data) + padder.finalize()
    else:
        data += bytes(-len(data) % 16)
    cipher = Cipher(algorithms.AES(key), modes.ECB() if mode == "ecb" else modes.CBC(iv)).encryptor()  # noqa: S305
    return ((iv if prefix else b"") + cipher.update(data) + cipher.finalize()).hex()


def opened(one: Person) -> str:
    """As data source `sealed` expects it."""
    return sealed(email(one))


def gmail(one: Person) -> str:
    name, _, domain = email(one).partition("@")
    return f"{name.replace('.', '')}@{domain}" if domain == "gmail.com" else f"{name}@{domain}"


@dataclass(frozen=True)
class Fault:
    """One planted fault."""

    #: what is wrong, for the table
    title: str
    #: data source of the import
    source: str
    #: what the sender writes
    write: Callable[[Person], str]
    #: names of the fault, as `--json` gives them
    faults: tuple[str, ...]
    #: what the people's right form is, of every 20th: a file whose values all fail to decrypt is not imported
    right: Callable[[Person], str] | None = None
    #: whether a command mends it
    mends: bool = True
    #: what stands for FILE and HEX in the command
    key_file: str = "KEY.hex"
    iv: str = IV.hex()
    #: a scheme that must be there
    scheme: str = ""


FAULTS = [
    Fault("Hashed without lower-casing", "mail", lambda p: sha256(p.email.strip()), ("case",), mends=False),
    Fault("Hashed in upper case", "mail", lambda p: sha256(email(p).upper()), ("case",), mends=False),
    Fault("Hashed with a line end", "mail", lambda p: sha256(email(p) + "\n"), ("untrimmed",), mends=False),
    Fault("Hashed with a space behind", "mail", lambda p: sha256(email(p) + " "), ("untrimmed",), mends=False),
    Fault("Dots of Gmail addresses taken out", "mail", lambda p: sha256(gmail(p)), ("scheme",), scheme="google"),
    Fault("Telephone numbers without +", "sms", lambda p: sha256(p.phone[1:]), ("no_plus", "scheme"), mends=False),
    Fault("National numbers hashed", "sms", lambda p: sha256("0" + p.phone[3:]), ("national",), mends=False),
    Fault("National numbers in clear", "sms-plain", lambda p: "0" + p.phone[3:], ("national",)),
    Fault("MD5 instead of SHA-256", "mail", lambda p: digest("md5", email(p)).hex(), ("algorithm",)),
    Fault("SHA-512 instead of SHA-256", "mail", lambda p: digest("sha512", email(p)).hex(), ("algorithm",)),
    Fault("Digests as base64", "mail", lambda p: b64(digest("sha256", email(p))), ("base64",), mends=False),
    Fault("Base64 of hexadecimal", "mail", lambda p: b64(sha256(email(p))), ("base64_of_hex",), mends=False),
    Fault("Hashed twice", "mail", lambda p: sha256(sha256(email(p))), ("hashed_twice",), mends=False),
    Fault(
        "Hashed twice, upper case between",
        "mail",
        lambda p: sha256(sha256(email(p)).upper()),
        ("hashed_twice",),
        mends=False,
    ),
    Fault("SHA-256 of MD5", "mail", lambda p: sha256(digest("md5", email(p)).hex()), ("hashed_twice",), mends=False),
    Fault("Hashed as UTF-16", "mail", lambda p: sha256(email(p).encode("utf-16-le")), ("utf16",), mends=False),
    Fault("Plain values to a hashed source", "mail", email, ("plain_in_hashed",)),
    Fault("MD5 digests to a plain source", "mail-plain", lambda p: digest("md5", email(p)).hex(), ("hash_in_plain",)),
    Fault("Visitor IDs to a declared source", "mail", lambda p: p.visitor, ("visitor_as_declared",)),
    Fault("Visitor IDs to a plain source", "numbers", lambda p: p.visitor, ("visitor_as_declared",)),
    Fault("Customer numbers to a visitor source", "web", lambda p: p.external_id, ("declared_as_visitor", "field")),
    Fault("Visitor IDs without leading zeros", "web", lambda p: p.visitor.lstrip("0"), ("leading_zeros",), mends=False),
    Fault(
        "Customer numbers without leading zeros",
        "numbers",
        lambda p: p.external_id.lstrip("0"),
        ("leading_zeros",),
        mends=False,
    ),
    Fault("Telephone numbers hashed as addresses", "mail", lambda p: sha256(p.phone), ("other_field",)),
    Fault("Addresses for customer numbers", "numbers", email, ("other_field",)),
    Fault(
        "Key of another data source",
        "sealed",
        lambda p: sealed(email(p), OTHER_KEY, OTHER_IV),
        ("other_key",),
        right=opened,
    ),
    Fault(
        "IV of another data source",
        "sealed",
        lambda p: sealed(email(p), KEY, OTHER_IV),
        ("other_iv",),
        right=opened,
        iv=OTHER_IV.hex(),
    ),
    Fault(
        "An older version of the key",
        "sealed",
        lambda p: sealed(email(p), OLD_KEY),
        ("old_key",),
        right=opened,
        key_file="OLD_KEY.hex",
    ),
    Fault(
        "IV in front of each value",
        "sealed",
        lambda p: sealed(email(p), iv=bytes(16 * [len(p.email)]), prefix=True),
        ("iv_in_front",),
        right=opened,
    ),
    Fault(
        "An IV of zeros", "sealed", lambda p: sealed(email(p), iv=bytes(16)), ("zero_iv",), right=opened, iv="0" * 32
    ),
    Fault("ECB mode", "sealed", lambda p: sealed(email(p), mode="ecb"), ("ecb",), right=opened, mends=False),
    Fault(
        "Padded with zeros", "sealed", lambda p: sealed(email(p), pad="zeros"), ("padding",), right=opened, mends=False
    ),
    Fault(
        "Key used as text",
        "sealed",
        lambda p: sealed(email(p), KEY.hex().encode()),
        ("key_as_text",),
        right=opened,
        mends=False,
    ),
    Fault(
        "Base64 instead of hexadecimal",
        "sealed",
        lambda p: b64(bytes.fromhex(sealed(email(p)))),
        ("base64",),
        right=opened,
    ),
    Fault("Encrypted IDs to a hashed source", "mail", lambda p: sealed(email(p)), ("encrypted",)),
    Fault("Digests to an encrypted source", "sealed", lambda p: sha256(email(p)), ("not_encrypted",), right=opened),
]


def write_file(path: Path, fault: Fault) -> Path:
    """Write a segment file in which one fault is planted; strangers are among its IDs."""
    everybody = [*PEOPLE[:NAMED], *OUTSIDE]
    with path.open("w", encoding="utf-8") as file:
        for n, one in enumerate(everybody):
            write = fault.right if fault.right is not None and n % 20 == 0 else fault.write
            file.write(f"{write(one)} 24\n")
    return path
