"""The vectors that the parties publish, and those of their programs' tests: every line is computed again here.

The table beside this file has the digest twice where a party's page has it in both encodings; a `…` stands for what a
page leaves out.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from symbolon.ids import IdSpec, match_keys, normalise, rule
from symbolon.records import REJECT_REASONS, Encoding, Protection

#: scheme, field, value, algorithm, hexadecimal, base64, origin
PUBLISHED = [
    line.split("\t")
    for line in Path(__file__).with_name("published_vectors.tsv").read_text("utf-8").splitlines()[1:]
]  # fmt: skip

#: scheme, field, values without a normalised form
REFUSED = [
    ("uid2", "email", ["", " @", "@", "a@", "@b", "@b.com", "+", " ", "+@gmail.com", ".+@gmail.com", "a@ba@z.com"]),
    (
        "uid2",
        "phone",
        [
            *["", "1234567890", "+12345678", "+123456789", "+ 123456789", "+1234567890123456", "+1234567890A"],
            *["+1234567890 ", "+12345+67890", "555-555-5555", "+١٢٣٤٥٦٧٨٩٠"],
        ],
    ),
    ("google", "email", [None, "", "  ", "quinn", " @googlemail.com", " ...@gmail.com", " +A BCD EFG "]),
    ("google@1", "email", [None, "", "  ", "quinn", " @googlemail.com", " ...@gmail.com", " +A BCD EFG "]),
    ("meta", "email", [None, "", "a", "abc", "a@b", "@b.c", ".c", "@"]),
    ("meta@1", "email", [None, "", "a", "abc", "a@b", "@b.c", ".c", "@"]),
    ("meta", "birth_day", ["0", "32", "444", "0a", "-1"]),
    ("meta", "birth_month", ["0", "13", "0a", "-1"]),
    ("meta", "birth_year", ["1", "19999", "-1"]),
]
#: what the operator of Unified ID refuses as a digest: 43 characters of base64; 63, 65 or 66 digits, or a letter
BAD_BASE64 = ["tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVR=="]
BAD_HEX = ["a" * 63, "a" * 65, "a" * 66, "0Z" * 32, "Z0" * 32]
EMPTY = hashlib.sha256(b"").digest()


@pytest.mark.parametrize("line", PUBLISHED, ids=lambda line: f"{line[0]}-{line[1]}-{line[4][:8]}")
def test_what_is_published_is_what_comes_out(line) -> None:
    scheme, field, raw, algorithm, written, coded, _ = line
    normal = normalise(pa.array([raw]), scheme, field)[0].as_py()
    entry = rule(scheme, field)
    digest = hashlib.new(algorithm, normal.encode()).digest()
    before, _, after = written.partition("…")
    assert digest.hex().startswith(before)
    assert digest.hex().endswith(after)
    assert entry.digest(normal, algorithm, "hex") == digest.hex()
    assert coded in ("", entry.digest(normal, algorithm, "base64"))
    # and the way of an import: plain, and hashed in either encoding
    if algorithm == "sha256" and field in ("email", "phone"):
        plain = match_keys(pa.array([raw]), IdSpec(scheme=scheme, field=field))
        for value, encoding in ((digest.hex(), Encoding.HEX), (base64.b64encode(digest).decode(), Encoding.BASE64)):
            hashed = match_keys(pa.array([value]), IdSpec(protection=Protection.SHA256, encoding=encoding))
            assert not plain.reason.any()
            assert not hashed.reason.any()
            assert [word.tolist() for word in hashed.words] == [word.tolist() for word in plain.words]


@pytest.mark.parametrize(("scheme", "field", "values"), REFUSED, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_refused_has_no_form(scheme, field, values) -> None:
    column = pa.array(values, pa.string())
    assert normalise(column, scheme, field).to_pylist() == [None] * len(values)
    if field in ("email", "phone"):
        there = [value for value in values if value is not None]
        assert match_keys(pa.array(there), IdSpec(scheme=scheme, field=field)).reason.all()


def test_digests_that_are_none_are_refused() -> None:
    for values, encoding in ((BAD_HEX, Encoding.HEX), (BAD_BASE64, Encoding.BASE64)):
        keys = match_keys(pa.array(values), IdSpec(protection=Protection.SHA256, encoding=encoding))
        assert {REJECT_REASONS[reason] for reason in keys.reason} == {"malformed_id"}


@pytest.mark.parametrize("scheme", ["adobe", "uid2", "google", "meta", "linkedin", "tiktok", "snap", "liveramp"])
def test_nothing_is_refused_everywhere(scheme) -> None:
    """SHA-256 of the empty text is what connectors send for people without an address."""
    nothing = [EMPTY.hex(), EMPTY.hex().upper(), base64.b64encode(EMPTY).decode(), "", " "]
    for field in ("email", "phone"):
        if scheme != "linkedin" or field == "email":
            assert match_keys(pa.array(nothing), IdSpec(scheme=scheme, field=field)).reason.all()
    hashed = IdSpec(protection=Protection.SHA256)
    assert match_keys(pa.array(nothing), hashed).reason.all()
    coded = IdSpec(protection=Protection.SHA256, encoding=Encoding.BASE64)
    assert match_keys(pa.array(nothing), coded).reason.all()


def test_signs_beyond_ascii_are_digested_as_utf_8() -> None:
    for raw in ("user😀@example.com", "😀@gmail.com"):
        assert normalise(pa.array([raw]), "uid2", "email").to_pylist() == [raw]
        keys = match_keys(pa.array([raw]), IdSpec(scheme="uid2", field="email"))
        digest = hashlib.sha256(raw.encode()).hexdigest()
        hashed = match_keys(pa.array([digest]), IdSpec(protection=Protection.SHA256))
        assert [word.tolist() for word in keys.words] == [word.tolist() for word in hashed.words]
