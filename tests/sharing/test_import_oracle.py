"""Imports compared with a dict and hashlib: every protection, full and incremental files, hostile lines."""

from __future__ import annotations

import base64
import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sharing_oracle import HASHES, PEOPLE, Source, State, imported

import symbolon
import symbolon.errors
from symbolon.records import Channel, DataSource, Encoding, Kind, OnAmbiguous, Protection

KEYS = {16: bytes(range(16)), 24: bytes(range(24)), 32: bytes(range(32))}
IV = bytes(range(100, 116))

SOURCES = {
    "visitor": Source(kind="visitor", key="", protection="plain"),
    "plain-number": Source(key="external_id", protection="plain"),
    "plain-email": Source(protection="plain", on_ambiguous="reject"),
    **{name: Source(protection=name) for name in HASHES},
    "sha256-reject": Source(protection="sha256", on_ambiguous="reject"),
    "aes-128": Source(protection="aes-cbc", channel="email", aes_key=KEYS[16], iv=IV),
    "aes-192-prefixed": Source(protection="aes-cbc", channel="email", aes_key=KEYS[24], encoding="base64"),
    "aes-256-by-key": Source(protection="aes-cbc", key="external_id", aes_key=KEYS[32], iv=IV),
}


def protect(value: str, source: Source, iv: bytes) -> bytes:
    """Write a value as the sender of `source` would."""
    if source.protection in HASHES:
        return hashlib.new(source.protection, value.encode()).hexdigest().encode()
    if source.protection == "plain":
        return value.encode()
    padder = padding.PKCS7(128).padder()
    data = padder.update(value.encode()) + padder.finalize()
    sealer = Cipher(algorithms.AES(source.aes_key), modes.CBC(source.iv or iv)).encryptor()
    data = (b"" if source.iv else iv) + sealer.update(data) + sealer.finalize()
    return base64.b64encode(data) if source.encoding == "base64" else data.hex().encode()


def values(source: Source) -> st.SearchStrategy[bytes]:
    """Give IDs as they may stand in a file of this source: known, unknown, and broken in every way."""
    if source.kind == "visitor":
        known = [visitor.encode() for person in PEOPLE for visitor in person.visitors]
        digits = st.text("0123456789", min_size=36, max_size=39).map(str.encode)
        return st.one_of(st.sampled_from(known), digits, st.sampled_from([b"1" * 38, b"9" * 38, b"x" * 38]))
    field = [getattr(person, source.key) for person in PEOPLE if getattr(person, source.key)]
    normal = [value.strip().lower() if source.key == "email" else value.strip() for value in field]
    iv = st.binary(min_size=16, max_size=16)
    inside = st.one_of(
        st.sampled_from(normal), st.sampled_from(["nobody@example.com", "", "no address", " Person3@Example.com "])
    )
    good = st.builds(lambda value, iv: protect(value, source, iv), inside, iv)
    good = good.filter(lambda value: value and not set(value) & set(b" \t\n\r"))
    broken = st.one_of(
        good.map(bytes.upper),
        good.map(lambda value: b"\\x" + value),
        good.map(lambda value: b"0x" + value),
        good.map(lambda value: value[:-2]),
        good.map(lambda value: value[:7] + b"\xff" + value[7:]),
        good.map(lambda value: value + b"=" * (-len(value) % 3)),
        st.binary(min_size=1, max_size=40).filter(lambda value: not set(value) & set(b" \t\n\r\0\xef")),
    )
    return st.one_of(good, good, good, broken)


def lines(source: Source) -> st.SearchStrategy[list[bytes]]:
    """Give lines of a segment file, some of them odd."""
    tails = st.sampled_from([b"24", b"24,26", b"26", b"26,24,27", b"24 25", b"26 24", b"25 24,26", b"24 24", b"24 1 2"])
    separator = st.sampled_from([b" ", b"\t", b"  "])
    row = st.builds(lambda i, s, t: i + s + t.replace(b" ", s), values(source), separator, tails)
    odd = st.sampled_from([b"", b"   ", b"alone", b"a\0b 24"])
    end = st.sampled_from([b"", b"", b"\r", b" "])
    line = st.builds(lambda row, end: row + end, st.one_of(row, row, row, row, row, odd), end)
    return st.lists(line, min_size=1, max_size=40).filter(lambda found: any(one.strip() for one in found))


def readable(line: bytes) -> bool:
    """Whether the line is UTF-8: others are malformed lines, which the oracle does not know."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


WHOLE = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example is a whole project: shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", SOURCES)
@settings(WHOLE, max_examples=5)
@given(data=st.data())
def test_an_import_equals_the_oracle(name, people_folder, data):
    _import_twice(name, people_folder, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
@settings(WHOLE, max_examples=50)
@given(data=st.data())
def test_many_imports_equal_the_oracle(name, people_folder, data):
    _import_twice(name, people_folder, data)


def _import_twice(name: str, people_folder: Path, data: st.DataObject) -> None:
    source = SOURCES[name]
    # the first line is plain: a file that begins like a picture or a document is refused whole
    full = [b"first 99", *filter(readable, data.draw(lines(source)))]
    delta = [b"first 99", *filter(readable, data.draw(lines(source)))]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(people_folder, folder / "project")
        with symbolon.open(folder / "project") as project:
            project.sources.add(
                DataSource(
                    name="s",
                    kind=Kind(source.kind),
                    key=source.key,
                    protection=Protection(source.protection),
                    channel=Channel(source.channel),
                    encoding=Encoding(source.encoding),
                    iv_prefixed=source.protection == "aes-cbc" and source.iv is None,
                    on_ambiguous=OnAmbiguous(source.on_ambiguous),
                ),
                key=source.aes_key or None,
                iv=source.iv,
            )
            state = State()
            for mode, stamp, content in (("full", 1486140844000, full), ("iter", 1486140844001, delta)):
                path = folder / f"S3_1_2_{mode}_{stamp}.sync"
                path.write_bytes(b"\n".join(content) + b"\n")
                state = _compare(project, path, source, content, mode, state)


def _compare(project, path: Path, source: Source, content: list[bytes], mode: str, before: State) -> State:
    expected = imported(PEOPLE, source, content, mode=mode, segment="24", before=before)
    undecryptable = expected.rejected["decrypt_failed"] + expected.rejected["invalid_address"]
    tried = undecryptable + expected.accepted + expected.rejected["duplicate_id"]
    if source.protection == "aes-cbc" and undecryptable and undecryptable >= 0.99 * tried:
        with pytest.raises(symbolon.errors.SecretError):
            project.audiences.import_file(path, source="s", segment="24", name="a")
        return before
    receipt = project.audiences.import_file(path, source="s", segment="24", name="a", force=True)
    assert receipt.faults() == []
    got = {name: getattr(receipt, name) for name in ("lines", "other_segments", "received", "accepted", "matched",
           "unmatched", "removals", "withheld", "ambiguous", "rejected", "members")}  # fmt: skip
    want = {name: getattr(expected, name) for name in got if name not in ("rejected", "members")}
    want |= {
        "rejected": {k: v for k, v in sorted(expected.rejected.items()) if v},
        "members": len(expected.state.members),
    }
    assert got == want
    by_number = {person.number: person.external_id for person in PEOPLE}
    members = project.audiences.members("a", columns=["external_id"]).to_arrow()["external_id"].to_pylist()
    assert members == sorted(by_number[number] for number in expected.state.members)
    rejects = project.audiences.rejects("a").to_arrow().select(["line", "reason"]).to_pylist()
    assert sorted((row["line"], row["reason"]) for row in rejects) == sorted(expected.rejected_lines)
    old = before.members if mode == "iter" or before.ids else set()
    assert receipt.added == len(expected.state.members - old)
    assert receipt.removed == len(old - expected.state.members)
    return expected.state
