"""A partner's values and digests: read as they come, compared with every scheme, and told without showing one."""

from __future__ import annotations

import base64
import hashlib
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.errors import UnknownNameError
from symbolon.ids import (
    Vector,
    VectorFileError,
    compare,
    read_vectors,
    recognise,
    rule,
    rules_to_compare,
    scheme_rules,
    schemes,
    trace,
)

RAW = "Jane.Q.Doe+x@gmail.com"


def sha(text: str | bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, text.encode() if isinstance(text, str) else text).hexdigest()


def read(text: str | bytes, **options):
    return read_vectors(io.BytesIO(text.encode() if isinstance(text, str) else text), "partner.csv", **options)


def vector(value: str, digest: str) -> Vector:
    return Vector(1, 1, value, digest)


@pytest.mark.parametrize("entry", [one for name in schemes() for one in scheme_rules(name) if one.hashes])
def test_a_rule_agrees_with_its_own_digests(entry) -> None:
    vectors = [vector(raw, digest) for raw, region, _, digest in entry.golden if not region]
    vectors += [vector(raw, "") for raw in entry.negative]
    for raw, region, normal, _ in entry.golden:
        vectors += [vector(raw, entry.digest(normal, *how)) for how in entry.hashes if not region]
    (verdict,) = compare(vectors, [entry])
    assert verdict.agrees, verdict.disagreements


@pytest.mark.parametrize(
    ("form", "best"),
    [
        ("janeqdoe@gmail.com", ["google@2", "uid2@1"]),
        ("janeqdoe+x@gmail.com", ["google@1"]),
        ("jane.q.doe@gmail.com", ["tiktok@2"]),
        ("jane.q.doex@gmail.com", ["amazon@1"]),
    ],
)
def test_the_scheme_is_found(form, best) -> None:
    rules = rules_to_compare("all", "email")
    assert {one.party for one in rules} == set(schemes())
    verdicts = compare([vector(RAW, sha(form))], rules)
    assert [one.scheme for one in verdicts if one.agrees] == best
    assert [one.agreed for one in verdicts] == sorted((one.agreed for one in verdicts), reverse=True)


NOTHING = "there is no digest"
MISTAKES = [
    (RAW, sha(RAW), "as it is written, not normalised"),
    (RAW, sha("janeqdoe+x@gmail.com"), "what google@1 makes"),
    (RAW, sha("janeqdoe@gmail.com", "md5"), "digested by md5: google takes sha256"),
    ("a@b.c", sha(sha("a@b.c")), "digested twice, first by sha256"),
    ("a@b.c", sha(sha("a@b.c", "md5")), "digested twice, first by md5"),
    ("a@b.c", sha("a@b.c\n"), "a line end was digested"),
    ("a@b.c", sha("a@b.c\r\n"), "CR LF"),
    ("a@b.c", sha("a@b.c".encode("utf-16-le")), "UTF-16"),
    ("a@b.c", sha('"a@b.c"'), "quotation marks"),
    ("a@b.c", sha("salt" + "a@b.c"), "such as a salt"),
    ("a@b.c", sha(""), "digest of nothing"),
    ("", sha(""), "digest of nothing"),
    ("  ", sha("x@y.z"), "nothing but blanks"),
    ("quinn", sha("quinn"), "no normalised form: there is not one `@`"),
    ("a@b.c", "", "no digest, and the value has"),
    ("a@b.c", "a@b.c", "the value itself"),
    ("a@b.c", "a" * 63, "63 characters that are no digest"),
    (sha("a@b.c"), sha("x@b.c"), "a digest already, and this is another one"),
    (sha("a@b.c", "md5"), sha("a@b.c", "md5"), "it is a md5 digest already, and google takes sha256"),
]


@pytest.mark.parametrize(("value", "digest", "words"), MISTAKES, ids=lambda one: one[:20])
def test_mistakes_are_told_in_words(value, digest, words) -> None:
    (verdict,) = compare([vector(value, digest)], [rule("google", "email")])
    assert verdict.agreed == 0
    (wrong,) = verdict.disagreements
    assert words in wrong.reason
    for secret in (value, digest):
        assert len(secret) < 3 or secret not in repr(verdict)


def test_the_encoding_counts() -> None:
    coded = base64.b64encode(bytes.fromhex(sha("a@b.c"))).decode()
    verdicts = compare([vector("a@b.c", coded)], [rule("meta", "email"), rule("uid2", "email")])
    assert [(one.scheme, one.agreed) for one in verdicts] == [("uid2@1", 1), ("meta@2", 0)]
    assert "written in base64: meta takes hex" in verdicts[1].disagreements[0].reason


def test_what_is_a_digest_already_is_taken_as_it_is() -> None:
    digest = sha("a@b.c")
    assert compare([vector(digest.upper(), digest)], [rule("google", "email")])[0].agrees


def test_what_is_not_hashed_is_compared_as_it_is() -> None:
    verdicts = compare([vector("us", "US"), vector("us", "us"), vector("usa", "")], [rule("google", "country")])
    assert (verdicts[0].agreed, verdicts[0].rows) == (2, 3)
    assert "takes this field plain" in verdicts[0].disagreements[0].reason


def test_a_scheme_without_the_field_is_told() -> None:
    with pytest.raises(UnknownNameError):
        rules_to_compare("linkedin", "phone")
    with pytest.raises(UnknownNameError):
        rules_to_compare("all", "shoe_size")


HASH = sha("a@b.c")


@pytest.mark.parametrize(
    ("text", "places", "looks_like"),
    [
        (f"email,sha256\na@b.c,{HASH}\n", [(2, 7)], "email"),
        (f"\ufeffsha256;email\r\n{HASH};a@b.c\r\n", [(2, 1)], "email"),
        (f"a@b.c\t{HASH}", [(1, 7)], "email"),
        (f'name,mail,hash\n"Doe, ""J""",a@b.c,{HASH}\n\nx,a@b.c,{HASH}\n', [(2, 20), (4, 9)], "email"),
        (f'"a@b.c\n",{HASH}\na@b.c,{HASH}', [(1, 10), (3, 7)], "email"),
        (f"+33612345678,{HASH}\n+33612345679,{HASH[:-1]}", [(1, 14), (2, 14)], "phone"),
        (f"mobile,h\nx,{HASH}", [(2, 3)], "phone"),
        (f"José,{HASH}", [(1, 6)], ""),
        ("value,digest\nx@y.z,\n", [(2, 7)], "email"),
        ("value,digest\nx@y.z\n,", None, ""),
    ],
)
def test_files_are_read_as_they_come(text, places, looks_like) -> None:
    if places is None:
        with pytest.raises(VectorFileError, match="one column"):
            read(text.rstrip(","))
        return
    found = read(text)
    assert [(one.line, one.column) for one in found.vectors] == places
    assert found.looks_like == looks_like
    assert {one.digest for one in found.vectors} <= {HASH, HASH[:-1], ""}
    assert "a@b.c" not in repr(found)
    assert HASH not in repr(found)


def test_columns_may_be_named() -> None:
    text = f"email,md5,sha256\na@b.c,{sha('a@b.c', 'md5')},{HASH}\n"
    assert len(read(text, digest_column="MD5").vectors[0].digest) == 32
    assert len(read(text, digest_column="3").vectors[0].digest) == 64
    assert read(text, digest_column="3", value_column="2").vectors[0].value == sha("a@b.c", "md5")
    with pytest.raises(VectorFileError, match="no column `nope`") as caught:
        read(text, digest_column="nope")
    assert "`sha256`" in caught.value.hint
    with pytest.raises(VectorFileError, match="one column"):
        read(text, digest_column="3", value_column="sha256")


@pytest.mark.parametrize(
    ("data", "words", "line"),
    [
        (b"", "no lines", None),
        (b"\n\n", "no lines", None),
        (b"email,sha256\n", "nothing below", 1),
        (b"a@b.c\nd@e.f\n", "one column", 1),
        (b"email,sha256\na@b.c,x\n\xff,x\n", "not UTF-8", 3),
        (b"a" * 70_000 + b",b", "more than", 1),
        (b'email,sha256\na@b.c,x\n"a@b.c,x\n' + b"a@b.c,x\n" * 20_000, "never closes", 3),
        (b"email,sha256\n" + b"a" * 70_000 + b",b", "more than", 2),
    ],
)
def test_other_files_are_refused(data, words, line) -> None:
    with pytest.raises(VectorFileError, match=words) as caught:
        read(data)
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_only_so_many_rows_are_read(monkeypatch) -> None:
    monkeypatch.setattr("symbolon.ids.vectors.MOST_ROWS", 3)
    for rows, header in ((3, ""), (4, ""), (3, "email,hash\n"), (4, "email,hash\n")):
        found = read(header + f"a@b.c,{HASH}\n" * rows)
        assert (len(found.vectors), found.more) == (3, rows > 3)


HOSTILE = st.text(st.sampled_from(list("aZ@.+ \t09é-")), max_size=14) | st.just(HASH) | st.just(sha("", "md5"))


@given(HOSTILE, st.sampled_from([one for name in schemes() for one in scheme_rules(name)]))
def test_a_trace_comes_to_what_an_import_makes(value, entry) -> None:
    found = trace(value, f"{entry.party}@{entry.version}", entry.field, "FR")
    assert found.rule is entry
    if recognise(value, entry.field) is None or entry.field not in ("email", "phone"):
        assert found.normal == entry.plain(value, "FR")
        assert bool(found.reason) == (found.normal is None)
        assert [one.text for one in found.digests] == [
            entry.digest(found.normal, *how) for how in entry.hashes if found.normal
        ]
        assert not found.steps or found.steps[-1].value == found.normal
        passed = [value, *[step.value for step in found.steps]]
        assert [step.changed for step in found.steps] == [a != b for a, b in pairwise(passed)]
    else:
        assert found.normal is None
        assert bool(found.reason) != bool(found.digests)
    assert len(value) < 4 or value not in repr(found)
