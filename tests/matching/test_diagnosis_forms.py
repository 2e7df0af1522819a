"""How a sender may have written a value: in Python, by the engine, and as another scheme does."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.errors import UnknownNameError
from symbolon.ids import Rule, normalise
from symbolon.ids.normalise.steps import Step
from symbolon.lake import open_engine
from symbolon.matching.diagnosis import Sample, forms, plain
from symbolon.matching.diagnosis.readings import Reader, decoded, worth
from symbolon.matching.diagnosis.sample import Reading, least_hits
from symbolon.settings import Settings

CODES = ["33", "44", "1"]
VALUES = {
    "email": st.from_regex(r"[ ]?[A-Za-z.+]{1,8}@[a-zA-Z]{1,5}\.com[ ]?", fullmatch=True),
    "phone": st.from_regex(r"\+(33|44|1|49)[0-9]{7,9}", fullmatch=True),
    "text": st.from_regex(r"[ ]?0{0,3}[A-Za-z0-9-]{1,8}[ ]?", fullmatch=True),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = open_engine(Settings(project=tmp_path_factory.mktemp("engine"), threads=1))
    yield engine
    engine.close()


@given(data=st.data(), kind=st.sampled_from(["email", "phone", "text"]))
def test_the_engine_writes_values_as_python_does(engine, data, kind):
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=5))
    base = normalise(pa.array(values), "adobe", kind, "").to_pylist()
    pairs = [(value, one) for value, one in zip(values, base, strict=True) if one is not None]
    if not pairs:
        return
    columns = list(zip(*pairs, strict=True))
    relation = engine.relation(pa.table({"value": pa.array(columns[0]), "base": pa.array(columns[1])}))
    for form in forms.forms(kind, engine.digests, CODES):
        if form.engine is not None:
            made = engine.fetch(relation.select(made=form.engine(relation.value, relation.base)))["made"].to_pylist()
            assert made == [form.make(value, one) for value, one in pairs], form.name


def test_forms_have_names_of_their_own():
    for kind in VALUES:
        names = [form.name for form in forms.forms(kind, {"md5", "sha1", "sha256"}, CODES)]
        assert len(names) == len(set(names))


def test_telephone_codes_and_regions():
    numbers = ["+33612345678", "+33612345679", "+447911123456", "+12125550100", "0612345678", None]
    assert forms.telephone_codes(numbers) == ["33", "44", "1"]
    assert forms.regions(["33"], ["DE", "any"])[:2] == ["DE", "FR"]


def dotless(value: str, region: str) -> str | None:
    return value.strip().lower().replace(".", "") or None


def plusless(value: str, region: str) -> str | None:
    return value.strip().lstrip("+") or None


@pytest.fixture
def other_scheme(monkeypatch):
    """A scheme `dotless` beside those there are: no dots in addresses, no plus in telephone numbers."""
    rules = {
        kind: Rule(
            party="dotless", field=kind, version="1", effective="2026-01-01", source="a test",
            steps=(Step("what the test does", function),), simple="", form="identity",
        )
        for kind, function in (("email", dotless), ("phone", plusless))
    }  # fmt: skip
    there, known = forms.schemes, forms.rule

    def rule(scheme, field):
        if scheme == "dotless" and field not in rules:
            raise UnknownNameError.among("rule", field, list(rules))
        return rules[field] if scheme == "dotless" else known(scheme, field)

    monkeypatch.setattr(forms, "schemes", lambda: [*there(), "dotless"])
    monkeypatch.setattr(forms, "rule", rule)


@pytest.mark.usefixtures("other_scheme")
def test_a_form_that_is_a_schemes_is_known_as_that():
    values, base = ["+33612345678", "+447911123456"], ["+33612345678", "+447911123456"]
    assert forms.same_as_scheme(forms.NO_PLUS, values, base, "phone", "dotless", "")
    assert not forms.same_as_scheme(forms.base_form(), values, base, "phone", "dotless", "")
    as_typed = next(form for form in forms.forms("phone", ()) if form.name == "as_typed")
    assert not forms.same_as_scheme(as_typed, values, base, "phone", "adobe", "")


@pytest.mark.usefixtures("other_scheme")
def test_plain_values_are_normalised_by_every_scheme():
    found = {Reading("plain"): [(0, "Ann.B@Example.com"), (1, "a.b@example.com"), (2, "nobody")]}
    made = plain.candidates(found, scheme="adobe", region="", regions=[], least=1)
    by_form = {one.form: one for one in made if one.kind == "email"}
    assert set(by_form[forms.BASE].keys) == {
        hashlib.sha256(one).digest() for one in (b"ann.b@example.com", b"a.b@example.com")
    }
    assert set(by_form["scheme:dotless"].keys) == {
        hashlib.sha256(one).digest() for one in (b"annb@examplecom", b"ab@examplecom")
    }


@given(st.binary(min_size=1, max_size=80))
def test_any_bytes_can_be_read(raw):
    reader = Reader()
    reader.read(Sample([raw], ["malformed_id"]))
    for writing, data in decoded(raw):
        assert isinstance(data, bytes), writing


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["hex", "HEX", "prefix", "base64", "url", "unpadded"]))
def test_a_digest_is_read_in_every_writing(digest, writing):
    import base64

    text = {
        "hex": digest.hex().encode(), "HEX": digest.hex().upper().encode(), "prefix": b"0x" + digest.hex().encode(),
        "base64": base64.b64encode(digest), "url": base64.urlsafe_b64encode(digest),
        "unpadded": base64.b64encode(digest).rstrip(b"="),
    }[writing]  # fmt: skip
    reader = Reader()
    reader.read(Sample([b' "' + text + b'"\r'], ["malformed_id"]))
    (found,) = [one for one in reader.digests() if one.algorithm == "sha256"]
    assert (list(found.keys), found.reading.wrapped) == ([digest], True)
    assert found.reading.writing == ("base64" if writing in ("base64", "url", "unpadded") else "hex")


def test_digests_of_nothing_are_no_candidates():
    reader = Reader()
    reader.read(Sample([hashlib.new(name, b"").hexdigest().encode() for name in ("md5", "sha1", "sha512")], [""] * 3))
    assert (reader.nothing, worth(reader.digests(), 1)) == ({0, 1, 2}, [])


@pytest.mark.parametrize(("size", "least"), [(1, 1), (2, 2), (3, 3), (100, 3), (400, 4), (1000, 10)])
def test_a_few_ids_are_no_fault(size, least):
    assert least_hits(size) == least
