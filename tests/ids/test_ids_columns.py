"""What columns bring with them: chunks, slices, types, and bytes that are no text."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from symbolon import ids
from symbolon.columns import borders, column, flags, nulled, strings
from symbolon.ids import (
    IdSpec,
    digest_words,
    encrypt,
    mask,
    match_keys,
    visitor_words,
    word_count,
    words_of_digests,
    words_to_text,
)
from symbolon.ids.aes import decrypt
from symbolon.ids.encodings import decode_hex
from symbolon.records import REJECT_REASONS, Encoding, Kind, Protection

KEY, IV = bytes(range(32)), bytes(range(16))
ENCRYPTED = IdSpec(protection=Protection.AES_CBC, field="text", key=KEY, iv=IV)
NOT_UTF8 = [
    b"\xff",
    b"\xc3",  # cut
    b"a\x80",
    b"\xc0\xaf",  # overlong
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\xf4\x90\x80\x80",  # beyond the last code point
]


def reasons(array: pa.Array, spec: IdSpec) -> list[str]:
    return [REJECT_REASONS[reason] if reason else "" for reason in match_keys(array, spec).reason.tolist()]


def hexed(values: list[bytes]) -> pa.Array:
    return pa.array([value.hex() for value in encrypt(pa.array(values, pa.binary()), KEY, IV).to_pylist()])


@pytest.mark.parametrize("own_iv", [False, True])
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(["", "cut", "hex"])), max_size=12))
def test_borders_of_aes_calls_change_nothing(own_iv, rows):
    iv = None if own_iv else IV
    spec = IdSpec(protection=Protection.AES_CBC, field="exact", key=KEY, iv=iv)
    sealed = encrypt(pa.array([value for value, _ in rows], pa.binary()), KEY, iv).to_pylist()
    harm = {"": lambda text: text, "cut": lambda text: text[:-2], "hex": lambda text: "g" + text[1:]}
    ids = pa.array([harm[kind](value.hex()) for value, (_, kind) in zip(sealed, rows, strict=True)], pa.string())
    whole = match_keys(ids, spec, keep_plaintext=True)
    with patch("symbolon.ids.aes.CHUNK_ROWS", 3):
        parts = match_keys(ids, spec, keep_plaintext=True)
    assert whole.reason.tolist() == parts.reason.tolist()
    assert [word.tolist() for word in whole.words] == [word.tolist() for word in parts.words]
    assert whole.plaintext.to_pylist() == parts.plaintext.to_pylist()


SPECS = [
    IdSpec(field="email"),
    IdSpec(protection=Protection.SHA1),
    IdSpec(kind=Kind.VISITOR),
    ENCRYPTED,
    IdSpec(protection=Protection.AES_CBC, encoding=Encoding.BASE64, key=KEY),
]
MIXED = ["x", "", "1" * 38, "ab" * 20, "AB" * 16, "=" * 4, *hexed([b"a", b"b" * 16]).to_pylist()]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("wanted", [pa.string(), pa.large_string(), pa.large_binary(), pa.string_view()], ids=str)
def test_every_type_of_text_column_is_read_alike(spec, wanted):
    plain = match_keys(pa.array([value.encode() for value in MIXED], pa.binary()), spec)
    values = pa.array(["gone", *MIXED, "gone"]).cast(wanted)[1:-1]
    for form in (values, pa.chunked_array([values[:3], values[3:]])):
        keys = match_keys(form, spec)
        assert keys.reason.tolist() == plain.reason.tolist()
        assert [word.tolist() for word in keys.words] == [word.tolist() for word in plain.words]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_no_rows_are_no_keys(spec):
    bare = pa.Array.from_buffers(pa.binary(), 0, [None, pa.py_buffer(b""), pa.py_buffer(b"")])
    for values in (pa.array([], pa.binary()), pa.array(["x"])[1:], bare):
        keys = match_keys(values, spec, keep_plaintext=True)
        assert len(keys.reason) == 0
        assert {len(word) for word in keys.words} == {0}


def test_what_is_no_text_is_told():
    values = pa.array([*NOT_UTF8, b"good"], pa.binary())
    assert reasons(values, IdSpec(field="text")) == ["bad_encoding"] * len(NOT_UTF8) + [""]
    assert reasons(hexed([*NOT_UTF8, b"good"]), ENCRYPTED) == ["decrypt_failed"] * len(NOT_UTF8) + [""]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_the_digest_of_nothing_is_nobody(algorithm):
    nothing = hashlib.new(algorithm, b"").hexdigest()
    near = nothing[:-1] + ("0" if nothing[-1] != "0" else "1")
    found = reasons(pa.array([nothing, nothing.upper(), near]), IdSpec(protection=Protection(algorithm)))
    assert found == ["malformed_id", "malformed_id", ""]


@pytest.mark.parametrize("data", [b"", bytes(1), bytes(15), bytes(17), bytes(33)])
def test_ciphertext_is_whole_blocks(data):
    assert reasons(pa.array([data.hex()]), ENCRYPTED) == ["decrypt_failed"]


def test_an_iv_alone_holds_no_value():
    spec = IdSpec(protection=Protection.AES_CBC, key=KEY)
    looks_padded = [encrypt(pa.array([bytes(16 - pad)]), KEY, bytes(16))[0].as_py() for pad in (1, 16)]
    values = [bytes(16), bytes(32), *looks_padded]
    assert reasons(pa.array([value.hex() for value in values]), spec) == ["decrypt_failed"] * 4


@given(st.lists(st.text("\\xX0aAfFgG", max_size=8), max_size=20))
def test_only_one_prefix_is_taken_off(texts):
    _, offsets, good = decode_hex(pa.array([text.encode() for text in texts], pa.binary()))
    for text, fine, size in zip(texts, good.tolist(), np.diff(offsets).tolist(), strict=True):
        bare = text[2:] if text[:2] in ("\\x", "\\X", "0x", "0X") else text
        expected = len(bare) % 2 == 0 and set(bare) <= set("0aAfF")
        assert fine == expected
        assert size == (len(bare) // 2 if expected else 0)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
@given(values=st.lists(st.text(max_size=70), min_size=1, max_size=10))
def test_words_are_the_digest_in_big_endian(algorithm, values):
    digests = [hashlib.new(algorithm, value.encode()).digest() for value in values]
    words = digest_words(pa.array(values), algorithm)
    assert len(words) == word_count(algorithm)
    for row, digest in enumerate(digests):
        padded = digest.ljust(8 * len(words), b"\0")
        expected = [int.from_bytes(padded[at : at + 8], "big", signed=True) for at in range(0, len(padded), 8)]
        assert [int(word[row]) for word in words] == expected
    again = words_of_digests(b"".join(digests), algorithm)
    assert all(np.array_equal(one, other) for one, other in zip(words, again, strict=True))
    assert words_to_text(words, algorithm).to_pylist() == [digest.hex() for digest in digests]


@given(st.text(max_size=80))
def test_a_masked_value_shows_its_ends_at_most(value):
    shown = mask(value)
    assert len(shown) <= 9
    assert len(value) >= 16 or shown == "…"


@given(st.lists(st.booleans(), max_size=20), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_arrow_columns_of_numpy_arrays(truths, numbers):
    assert column(np.array(truths, dtype=bool)).equals(pa.array(truths, pa.bool_()))
    assert column(np.array(numbers, dtype=np.int64)[::2]).equals(pa.array(numbers[::2], pa.int64()))


@given(st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=9)), st.booleans()), max_size=20), st.integers(0, 3))
def test_arrow_columns_of_texts(rows, before):
    texts, kept = [text for text, _ in rows], np.array([keep for _, keep in rows], dtype=bool)
    assert strings(texts).equals(pa.array(texts, pa.string()))
    sliced = pa.array(["x"] * before + texts, pa.string())[before:]
    expected = [text if keep else None for text, keep in rows]
    result = nulled(sliced, kept)
    result.validate(full=True)
    assert result.to_pylist() == expected
    truths = pa.array([None] * before + [None if text is None else keep for text, keep in rows], pa.bool_())[before:]
    assert flags(truths).tolist() == [bool(keep and text is not None) for text, keep in rows]


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), max_size=20))
def test_visitor_ids_there_and_back(halves):
    words = tuple(np.array([row[side] for row in halves], dtype=np.int64) for side in (0, 1))
    text = words_to_text(words, "visitor")
    assert text.to_pylist() == [f"{high:019d}{low:019d}" for high, low in halves]
    again, reason = visitor_words(text)
    assert not reason.any()
    assert all(np.array_equal(one, other) for one, other in zip(words, again, strict=True))


def test_reading_ids_needs_no_pandas():
    code = f"""
import sys, numpy as np
from symbolon.ids import *
from symbolon.columns import binary, strings
from symbolon.records import *
def read(text, spec):
    flat = np.frombuffer(text, dtype=np.uint8)
    assert not match_keys(binary(flat, np.array([0, len(flat)])), spec, keep_plaintext=True).reason.any()
key, iv = {KEY!r}, {IV!r}
read({hexed([b"jane@example.com"])[0].as_py().encode()!r},
     IdSpec(protection=Protection.AES_CBC, key=key, iv=iv, field="email", is_address=True))
read(b"ab" * 32, IdSpec(protection=Protection.SHA256))
read(b"1" * 38, IdSpec(kind=Kind.VISITOR))
read("é@x.de".encode(), IdSpec(field="email"))
words_to_text(digest_words(normalise(strings(["a", None]), "adobe", "email"), "md5"), "md5").to_pylist()
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def raw_blocks() -> list[bytes]:
    """Last blocks of every shape: one byte all over, right padding, and padding with one wrong byte anywhere."""
    found = [bytes([byte]) * 16 for byte in range(256)]
    found += [b"x" * 15 + bytes([byte]) for byte in range(256)]
    for pad in range(1, 17):
        right = b"y" * (16 - pad) + bytes([pad]) * pad
        found.append(right)
        found += [right[:at] + b"\x7f" + right[at + 1 :] for at in range(16)]
    return found


@pytest.mark.parametrize("front", [b"", b"a whole block...", b"\x80" * 16], ids=["one-block", "two-blocks", "no-text"])
@pytest.mark.parametrize("own_iv", [False, True])
def test_padding_is_checked_to_the_byte(front, own_iv):
    def expect(block: bytes) -> bytes | None:
        unpadder = padding.PKCS7(128).unpadder()
        try:
            return unpadder.update(front + block) + unpadder.finalize()
        except ValueError:
            return None

    blocks = raw_blocks()
    sealed = []
    for block in blocks:
        sealer = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
        sealed.append((IV if own_iv else b"") + sealer.update(front + block))
    data, offsets = borders(pa.array(sealed, pa.binary()))
    plain, opened = decrypt(data, offsets, KEY, None if own_iv else IV)
    got = [value if fine else None for value, fine in zip(plain.to_pylist(), opened.tolist(), strict=True)]
    assert got == [expect(block) for block in blocks]


def test_no_keys_are_no_texts():
    for algorithm in ("visitor", "md5", "sha1", "sha512"):
        nothing = [np.zeros(0, dtype=np.int64)] * ids.word_count(algorithm)
        assert ids.words_to_text(nothing, algorithm).to_pylist() == []
