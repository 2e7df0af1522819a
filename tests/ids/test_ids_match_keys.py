"""Match keys of every protection compared with one value at a time: hashlib, base64 and the cryptography package."""

from __future__ import annotations

import base64
import hashlib
import re

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from symbolon.ids import IdSpec, encrypt, match_keys, normalise, rule, words_to_text
from symbolon.records import REJECT_REASONS, Encoding, Kind, Protection

HASHES = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
KEYS = {bits: bytes(range(bits // 8)) for bits in (128, 192, 256)}
IV = bytes(range(200, 216))
K128 = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
DOC_IV = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def read(values: list[bytes], spec: IdSpec, *, sliced: bool = False, **options):
    """Give for each value its match key as hexadecimal (or digits), or the reason why not; and the plaintexts."""
    array = pa.array([b"before", *values, b"after"], pa.binary())[1:-1] if sliced else pa.array(values, pa.binary())
    keys = match_keys(array, spec, **options)
    algorithm = "visitor" if spec.kind is Kind.VISITOR else spec.protection.match_algorithm
    text = words_to_text(keys.words, algorithm).to_pylist() if values else []
    assert all(word.dtype == np.int64 and len(word) == len(values) for word in keys.words)
    return [
        REJECT_REASONS[reason] if reason else key for key, reason in zip(text, keys.reason.tolist(), strict=True)
    ], keys.plaintext


def expect_hashed(value: bytes, algorithm: str) -> str:
    text = value.decode("latin-1").lower()
    if not re.fullmatch(f"[0-9a-f]{{{HASHES[algorithm]}}}", text, re.ASCII):
        return "malformed_id"
    return "malformed_id" if text == hashlib.new(algorithm, b"").hexdigest() else text


def expect_decrypted(value: bytes, spec: IdSpec) -> str:
    try:
        if spec.encoding is Encoding.HEX:
            text = value.decode("ascii")
            text = text[2:] if text[:2].lower() in ("\\x", "0x") else text
            if not re.fullmatch("[0-9a-fA-F]*", text):
                return "bad_encoding"
            data = bytes.fromhex(text)
        elif len(value) % 4:  # Python is laxer: it takes whole groups with padding behind them
            return "bad_encoding"
        else:
            data = base64.b64decode(value, validate=True)
    except ValueError:
        return "bad_encoding"
    iv, data = (data[:16], data[16:]) if spec.iv is None else (spec.iv, data)
    if not data or len(data) % 16:
        return "decrypt_failed"
    opener = Cipher(algorithms.AES(spec.key), modes.CBC(iv)).decryptor()
    unpad = padding.PKCS7(128).unpadder()
    try:
        plain = (unpad.update(opener.update(data) + opener.finalize()) + unpad.finalize()).decode()
    except ValueError:
        return "decrypt_failed"
    plain = plain.strip()
    return hashlib.sha256(plain.encode()).hexdigest() if plain else "decrypt_failed"


def seal(value: bytes, key: bytes, iv: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    data = padder.update(value) + padder.finalize()
    sealer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return sealer.update(data) + sealer.finalize()


@pytest.mark.parametrize("algorithm", HASHES)
@given(data=st.data(), sliced=st.booleans())
def test_hashed_ids_are_their_own_key(algorithm, data, sliced):
    good = st.binary(max_size=12).map(lambda value: hashlib.new(algorithm, value).hexdigest().encode())
    cut, other = good.map(lambda value: value[:-1]), good.map(lambda value: b"g" + value[1:])
    broken = st.one_of(cut, other, st.binary(max_size=9))
    values = data.draw(st.lists(st.one_of(good, good.map(bytes.upper), broken), max_size=30))
    spec = IdSpec(protection=Protection(algorithm), field="email")
    assert read(values, spec, sliced=sliced)[0] == [expect_hashed(value, algorithm) for value in values]


@pytest.mark.parametrize("bits", KEYS)
@pytest.mark.parametrize("iv", [IV, None], ids=["one-iv", "iv-in-front"])
@pytest.mark.parametrize("encoding", Encoding)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), sliced=st.booleans())
def test_encrypted_ids_equal_the_plain_loop(bits, iv, encoding, data, sliced):
    spec = IdSpec(protection=Protection.AES_CBC, field="text", encoding=encoding, key=KEYS[bits], iv=iv)

    def write(raw: bytes) -> bytes:
        return base64.b64encode(raw) if encoding is Encoding.BASE64 else raw.hex().encode()

    def sealed(value: bytes, own: bytes, key: bytes) -> bytes:
        return write((b"" if iv else own) + seal(value, key, iv or own))

    owns, keys = st.binary(min_size=16, max_size=16), st.sampled_from([KEYS[bits]] * 4 + [bytes(bits // 8)])
    good = st.builds(sealed, st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40)), owns, keys)
    broken = st.one_of(
        good.map(lambda value: b"\\x" + value),
        good.map(lambda value: b"0X" + value),
        good.map(bytes.upper),
        good.map(lambda value: value[:-3]),
        good.map(lambda value: value[:5] + b"=" + value[6:]),
        st.binary(max_size=50).map(write),
        st.binary(max_size=20),
    )
    values = data.draw(st.lists(st.one_of(good, good, broken), max_size=20))
    assert read(values, spec, sliced=sliced)[0] == [expect_decrypted(value, spec) for value in values]


@given(st.lists(st.one_of(st.text("0123456789", min_size=37, max_size=39), st.text(max_size=38)), max_size=30))
def test_visitor_ids_are_38_digits_of_two_halves(texts):
    def expect(text: str) -> str:
        if not re.fullmatch("[0-9]{38}", text, re.ASCII):
            return "malformed_id"
        return text if max(int(text[:19]), int(text[19:])) <= 9223372036854775807 else "malformed_id"

    values = [text.encode("utf-8", "surrogatepass") for text in texts]
    assert read(values, IdSpec(kind=Kind.VISITOR))[0] == [expect(text) for text in texts]


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("00000000000000000000000000000000000000", True),
        ("92233720368547758079223372036854775807", True),
        ("92233720368547758089223372036854775807", False),
        ("92233720368547758079223372036854775808", False),
        ("99999999999999999999999999999999999999", False),
    ],
)
def test_the_largest_visitor_ids(value, good):
    assert read([value.encode()], IdSpec(kind=Kind.VISITOR))[0] == [value if good else "malformed_id"]


@given(st.lists(st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=20)), max_size=30), st.booleans())
def test_plain_ids_are_normalised_and_digested(values, sliced):
    def expect(value: bytes) -> str:
        try:
            text = value.decode().strip().lower()
        except UnicodeDecodeError:
            return "bad_encoding"
        return hashlib.sha256(text.encode()).hexdigest() if text else "malformed_id"

    spec = IdSpec(protection=Protection.PLAIN, field="email")
    assert read(values, spec, sliced=sliced)[0] == [expect(value) for value in values]


VECTORS = [
    (K128, "johndoe@example.com", "a4e70c52b4ca4a338d6d0ea25986355284f6ea47bb275506e61fa25b4ec4d365"),
    (K128 + K128[:8], "johndoe@example.com", "a7b57cd8c8fe115454a4b7a989341facd6e42a09383650c0aecd75948f4fda10"),
    (K128 + K128, "johndoe@example.com", "94b091893c7343e5add46c62b5871204a09ba12596695dcd1768ad0afd944278"),
    (K128, "+33612345678", "9349d1cff9c611053ee84e747a7cafdb"),
    (K128 + K128, "+33612345678", "2338d53c32faeda2a99071884d0bccc5"),
    (K128, "0123456789abcdef", "4be0abea5b81322da246420948251732a7ec68a3351dd49f15874a567ebbe1c8"),
    (K128, "", "937cc519b9191393b4c92e4cf00ab729"),
]


@pytest.mark.parametrize(("key", "plain", "sealed"), VECTORS)
def test_openssl_made_the_same_ciphertext(key, plain, sealed):
    assert encrypt(pa.array([plain, plain]), key, DOC_IV).to_pylist() == [bytes.fromhex(sealed)] * 2
    spec = IdSpec(protection=Protection.AES_CBC, field="text", key=key, iv=DOC_IV)
    forms = [prefix + sealed.encode() for prefix in (b"", b"\\x", b"0x")] + [sealed.upper().encode()]
    expected = hashlib.sha256(plain.encode()).hexdigest() if plain else "decrypt_failed"
    keys, plaintext = read(forms, spec, keep_plaintext=True)
    assert keys == [expected] * 4
    assert plaintext.to_pylist() == [plain or None] * 4


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("md5", "fd876f8cd6a58277fc664d47ea10ad19"),
        ("sha1", "afb80b714d7f9139dda0889ec723f26394e06651"),
        ("sha256", "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149"),
        (
            "sha384",
            "18aa19782f675ebf399ef778a16aa73960e34cd8b939437382e487ed057bad3b64d5f31f12b6cc987bcb9d7b996263a3",
        ),
        (
            "sha512",
            (
                "a637db09375e04918753afb79c3d4bbdabe2add07fe41dbf8e245aa50942e851"
                "5e8d450ee2ee960076410157a6c6053840a5e92817d5b4f3a213aeef1dfbe5d6"
            ),
        ),
    ],
)
def test_printed_digests_of_an_address(algorithm, digest):
    assert hashlib.new(algorithm, b"johndoe@example.com").hexdigest() == digest
    assert read([digest.encode()], IdSpec(protection=Protection(algorithm), field="email"))[0] == [digest]


@given(st.lists(st.binary(max_size=70), max_size=40), st.sampled_from(list(KEYS.values())), st.booleans())
def test_encrypting_equals_the_plain_loop(values, key, own):
    sealed = encrypt(pa.array(values, pa.binary()), key, None if own else IV).to_pylist()
    for value, got in zip(values, sealed, strict=True):
        iv, body = (got[:16], got[16:]) if own else (IV, got)
        assert body == seal(value, key, iv)


def test_a_decrypted_address_must_be_one():
    spec = IdSpec(protection=Protection.AES_CBC, field="email", key=K128, iv=DOC_IV, is_address=True)
    plain = [" JohnDoe@Example.com ", "no address", "a@b", "a@@b.com", "a b@c.de", "x@y.z", "", "a@b.com, c@d.com"]
    values = [value.hex().encode() for value in encrypt(pa.array(plain), K128, DOC_IV).to_pylist()]
    keys, text = read(values, spec, keep_plaintext=True)
    bad = "invalid_address"
    found = [key if len(key) < 20 else "good" for key in keys]
    assert found == ["good", bad, bad, bad, bad, "good", "decrypt_failed", bad]
    assert text.to_pylist() == ["johndoe@example.com", *[None] * 4, "x@y.z", None, None]


def test_a_decrypted_number_must_be_one():
    spec = IdSpec(protection=Protection.AES_CBC, field="phone", key=K128, iv=DOC_IV, is_address=True, region="FR")
    values = encrypt(pa.array(["+33612345678", "06 12 34 56 78", "hello", " "]), K128, DOC_IV).to_pylist()
    keys, text = read([value.hex().encode() for value in values], spec, keep_plaintext=True)
    assert keys[2:] == ["invalid_address", "decrypt_failed"]
    assert text.to_pylist() == ["+33612345678", "+33612345678", None, None]


@pytest.mark.parametrize("field", ["email", "phone", "text", "exact"])
def test_published_vectors_of_the_scheme(field):
    entry = rule("adobe", field)
    for raw, region, normal, digest in entry.golden:
        assert normalise(pa.array([raw]), "adobe", field, region).to_pylist() == [normal]
        assert hashlib.sha256(normal.encode()).hexdigest() == digest
    negative = pa.array(list(entry.negative), pa.string())
    assert normalise(negative, "adobe", field).to_pylist() == [None] * len(negative)


ODD = ["İpek@x.com", " ß@x.de\t", "ΑΣ@x.gr", "\u00a0a@b.c", "v@f.vf", "\x0ba@b.c\x0c", "+33612345678"]


@pytest.mark.parametrize("field", ["email", "phone", "text", "exact"])
@given(data=st.data())
def test_columns_are_normalised_as_single_values(field, data):
    entry = rule("adobe", field)
    digits = st.text("+0123456789 ()-", max_size=17)
    value = st.one_of(st.none(), st.text(max_size=20), digits, st.sampled_from(ODD))
    values = data.draw(st.lists(value, max_size=20))
    expected = [None if value is None else entry.plain(value, "FR") for value in values]
    assert normalise(pa.array(values, pa.string()), "adobe", field, "FR").to_pylist() == expected


def test_a_spec_shows_no_key():
    spec = IdSpec(protection=Protection.AES_CBC, key=b"sixteen bytes!!!", iv=b"another sixteen!")
    assert "sixteen" not in repr(spec) + str(spec) + f"{spec!r:>200}"
    assert "sixteen" not in str(list(spec.__rich_repr__()))
    assert "sixteen" not in pretty_repr(spec)
