"""Values that are digests already: recognised with evidence, taken as they are, never hashed again."""

from __future__ import annotations

import base64
import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.ids import IdSpec, match_keys, normal_digests, recognise, words_to_text
from symbolon.ids.words import SIZES
from symbolon.records import REJECT_REASONS, Encoding, Protection

ADDRESS = "user@example.com"
NOTHING = {name: hashlib.new(name, b"").digest() for name in SIZES}


@pytest.mark.parametrize("algorithm", SIZES)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_digests_are_recognised(algorithm, encoding):
    raw = hashlib.new(algorithm, ADDRESS.encode()).digest()
    written = raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()
    found = recognise(f" {written}\n", "email")
    assert (found.algorithm, found.encoding, found.confidence, found.raw) == (algorithm, encoding, "certain", raw)
    assert str(len(written)) in found.evidence
    assert recognise(written, "text").confidence == "possible"


@pytest.mark.parametrize(
    "value", ["", ADDRESS, "+33612345678", "x" * 64, "a" * 63, "a" * 65, "0Z" * 32, "1" * 43 + "=" * 2, "YWJj"]
)
def test_other_values_are_not(value):
    assert recognise(value, "email") is None


def texts() -> st.SearchStrategy[str]:
    raw = st.builds(lambda name, value: hashlib.new(name, value).digest(), st.sampled_from(list(SIZES)), st.binary())
    written = st.one_of(
        raw.map(bytes.hex), raw.map(lambda one: one.hex().upper()), raw.map(lambda one: base64.b64encode(one).decode())
    )
    return st.one_of(
        written, st.just(NOTHING["sha256"].hex()), st.emails(), st.text(max_size=70), st.text("0123456789", max_size=70)
    )


@given(
    st.lists(st.none() | texts(), max_size=8), st.sampled_from(["email", "phone", "text"]), st.sampled_from(list(SIZES))
)
def test_columns_equal_one_at_a_time(values, field, algorithm):
    normal, words, there = normal_digests(pa.array(values, pa.string()), "adobe", field, "", algorithm)
    digests = words_to_text(words, algorithm).to_pylist()
    from symbolon.ids import rule

    for index, value in enumerate(values):
        known = recognise(value, field) if value is not None and field != "text" else None
        plain = None if value is None or known else rule("adobe", field).plain(value, "")
        if known and known.algorithm == algorithm and known.raw != NOTHING[algorithm]:
            expected = known.raw.hex()
        else:
            expected = hashlib.new(algorithm, plain.encode()).hexdigest() if plain else None
        assert normal[index].as_py() == plain
        assert bool(there[index]) == (expected is not None)
        assert expected is None or digests[index] == expected


def test_plain_sources_do_not_hash_twice():
    digest = hashlib.sha256(ADDRESS.encode()).hexdigest()
    other = hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    nothing = hashlib.sha256(b"").hexdigest()
    raw = pa.array([ADDRESS, digest, digest.upper(), other, nothing], pa.binary())
    keys = match_keys(raw, IdSpec(field="email"))
    reasons = [REJECT_REASONS[reason] for reason in keys.reason]
    assert reasons == ["", "", "", "malformed_id", "malformed_id"]
    assert words_to_text(keys.words, "sha256").to_pylist()[:3] == [digest] * 3
    # a customer number may look like a digest: it is a value like any other
    assert not match_keys(raw, IdSpec(field="text")).reason.any()


@pytest.mark.parametrize("algorithm", SIZES)
def test_hashed_sources_may_be_in_base64(algorithm):
    raw = hashlib.new(algorithm, ADDRESS.encode()).digest()
    good = base64.b64encode(raw)
    values = [good, raw.hex().encode(), good[:-4], good[:-1] + b"\xff", base64.b64encode(NOTHING[algorithm]), b"", good]
    spec = IdSpec(protection=Protection(algorithm), encoding=Encoding.BASE64)
    keys = match_keys(pa.array(values, pa.binary()), spec)
    assert [REJECT_REASONS[reason] for reason in keys.reason] == ["", *["malformed_id"] * 5, ""]
    found = words_to_text(keys.words, algorithm).to_pylist()
    assert (found[0], found[6]) == (raw.hex(), raw.hex())
    wrong = match_keys(pa.array([good], pa.binary()), IdSpec(protection=Protection(algorithm)))
    assert REJECT_REASONS[wrong.reason[0]] == "malformed_id"
