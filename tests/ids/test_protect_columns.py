"""Values as IDs of a data source: published vectors, and the plain loop of `cryptography` row by row."""

from __future__ import annotations

import base64
import hashlib

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from symbolon.ids import IdSpec, encoded, match_keys, normalise, protect, wire_text
from symbolon.records import Encoding, Kind, Protection

K128 = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
KEYS = {16: K128, 24: K128 + K128[:8], 32: K128 + K128}
IV = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
HASHES = [Protection.MD5, Protection.SHA1, Protection.SHA256, Protection.SHA384, Protection.SHA512]


def encrypted(text: str, key: bytes, iv: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(text.encode()) + padder.finalize()) + encryptor.finalize()


def decrypted(data: bytes, key: bytes, iv: bytes) -> str:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return (unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()).decode()


def written(raw: bytes, encoding: Encoding) -> str:
    return raw.hex() if encoding is Encoding.HEX else base64.b64encode(raw).decode()


def spec(protection: Protection = Protection.AES_CBC, **facts) -> IdSpec:
    facts.setdefault("field", "text")
    if protection is Protection.AES_CBC:
        facts = {"key": K128, "iv": IV} | facts
    return IdSpec(protection=protection, **facts)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (16, "a4e70c52b4ca4a338d6d0ea25986355284f6ea47bb275506e61fa25b4ec4d365"),
        (24, "a7b57cd8c8fe115454a4b7a989341facd6e42a09383650c0aecd75948f4fda10"),
        (32, "94b091893c7343e5add46c62b5871204a09ba12596695dcd1768ad0afd944278"),
    ],
)
def test_the_reference_values_of_aes(size, expected):
    made = protect(pa.array([" JohnDoe@Example.com "]), spec(field="email", key=KEYS[size]))
    assert made.to_pylist() == [expected]


def test_the_reference_value_of_a_telephone_number():
    made = protect(pa.array(["+33612345678"]), spec(field="phone", is_address=True))
    assert made.to_pylist() == ["9349d1cff9c611053ee84e747a7cafdb"]


def test_the_reference_digest():
    made = protect(pa.array([" JohnDoe@Example.com ", None, "", "  "]), spec(Protection.SHA256, field="email"))
    assert made.to_pylist() == ["55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149", None, None, None]


@given(
    values=st.lists(st.one_of(st.none(), st.text(max_size=70))),
    size=st.sampled_from([16, 24, 32]),
    encoding=st.sampled_from(list(Encoding)),
)
def test_one_iv_gives_what_the_plain_loop_gives(values, size, encoding):
    one = spec(key=KEYS[size], encoding=encoding)
    column = pa.array(values, pa.string())
    normal = normalise(column, "adobe", "text").to_pylist()
    expected = [None if text is None else written(encrypted(text, KEYS[size], IV), encoding) for text in normal]
    assert protect(column, one).to_pylist() == expected


@given(values=st.lists(st.text(max_size=70), max_size=8), encoding=st.sampled_from(list(Encoding)))
def test_an_iv_in_front_opens_again(values, encoding):
    column = pa.array(values, pa.string())
    made = protect(column, spec(iv=None, encoding=encoding)).to_pylist()
    normal = normalise(column, "adobe", "text").to_pylist()
    for text, cell in zip(normal, made, strict=True):
        if text is None:
            assert cell is None
            continue
        raw = bytes.fromhex(cell) if encoding is Encoding.HEX else base64.b64decode(cell, validate=True)
        assert decrypted(raw[16:], K128, raw[:16]) == text


def test_an_iv_in_front_is_another_each_time():
    made = protect(pa.array(["same"] * 50), spec(iv=None)).to_pylist()
    assert len(set(made)) == 50


@given(
    values=st.lists(st.text(max_size=40)), algorithm=st.sampled_from(HASHES), encoding=st.sampled_from(list(Encoding))
)
def test_digests_are_those_of_hashlib(values, algorithm, encoding):
    column = pa.array(values, pa.string())
    normal = normalise(column, "adobe", "text").to_pylist()
    expected = [
        None if text is None else written(hashlib.new(algorithm.value, text.encode()).digest(), encoding)
        for text in normal
    ]
    assert protect(column, spec(algorithm, encoding=encoding)).to_pylist() == expected


@given(
    values=st.lists(st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}\.com", fullmatch=True), min_size=1),
    protection=st.sampled_from([*HASHES, Protection.AES_CBC, Protection.PLAIN]),
    encoding=st.sampled_from(list(Encoding)),
    prefixed=st.booleans(),
)
def test_what_is_written_is_read_again_as_the_same_key(values, protection, encoding, prefixed):
    facts = {"iv": None} if prefixed and protection is Protection.AES_CBC else {}
    one = spec(protection, field="email", encoding=encoding, **facts)
    read = match_keys(protect(pa.array(values), one), one)
    plain = match_keys(pa.array(values), spec(Protection.PLAIN, field="email"))
    assert not read.reason.any()
    if not protection.is_hash:
        assert all((a == b).all() for a, b in zip(read.words, plain.words, strict=True))
    else:
        hashed = [hashlib.new(protection.value, value.encode()).hexdigest() for value in values]
        assert wire_text(read.words, protection.value).to_pylist() == hashed


def test_a_digest_in_the_place_of_an_address_is_not_encrypted_and_not_hashed_again():
    digest = hashlib.sha256(b"johndoe@example.com").hexdigest()
    column = pa.array([digest])
    assert protect(column, spec(field="email")).to_pylist() == [None]
    assert protect(column, spec(Protection.PLAIN, field="email")).to_pylist() == [None]
    assert protect(column, spec(Protection.SHA256, field="email")).to_pylist() == [digest]


def test_what_is_no_address_is_not_encrypted_for_a_channel():
    made = protect(pa.array(["nobody", "a@b.cd"]), spec(field="email", is_address=True))
    assert made.is_valid().to_pylist() == [False, True]


def test_visitor_ids_stay_as_they_are():
    assert protect(pa.array(["1" * 38]), IdSpec(kind=Kind.VISITOR)).to_pylist() == ["1" * 38]


@given(values=st.lists(st.binary(max_size=40)), encoding=st.sampled_from(list(Encoding)), start=st.integers(0, 3))
def test_encoding_of_any_bytes_also_of_a_slice(values, encoding, start):
    column = pa.array(values, pa.binary()).slice(start)
    assert encoded(column, encoding).to_pylist() == [written(value, encoding) for value in values[start:]]


def test_more_values_than_fit_one_call():
    values = [f"person{number}" for number in range(70_000)]
    made = protect(pa.array(values), spec()).to_pylist()
    for place in (0, 32_767, 32_768, 65_535, 65_536, 69_999):
        assert made[place] == encrypted(values[place], K128, IV).hex()


def test_nothing_in_nothing_out():
    empty = pa.array([], pa.string())
    for protection in (*HASHES, Protection.AES_CBC, Protection.PLAIN):
        for encoding in Encoding:
            assert protect(empty, spec(protection, encoding=encoding)).to_pylist() == []
