"""The rules of normalisation: their vectors, the engine's shorter way, and what counts as an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from symbolon.errors import UnknownNameError
from symbolon.ids import field_for, normalise, rule, schemes, simple_form, simple_pattern, valid_address

FIELDS = ["email", "phone", "text", "exact"]
EVERY = [(scheme, field) for scheme in schemes() for field in FIELDS]
#: how an engine makes each form; nothing else may be needed
FORMS = {
    "identity": lambda value: value,
    "trim": lambda value: value.strip(" "),
    "lower_trim": lambda value: value.strip(" ").translate({code: code + 32 for code in range(ord("A"), ord("Z") + 1)}),
}


@pytest.mark.parametrize(("scheme", "field"), EVERY)
def test_every_rule_says_where_it_comes_from(scheme, field):
    entry = rule(scheme, field)
    assert (entry.party, entry.field) == (scheme, field)
    assert entry.source
    assert entry.version
    assert date.fromisoformat(entry.effective)
    assert entry.negative


@pytest.mark.parametrize(("scheme", "field"), EVERY)
def test_vectors_hold_in_columns_and_alone(scheme, field):
    entry = rule(scheme, field)
    for raw, region, normal, digest in entry.golden:
        assert entry.plain(raw, region) == normal
        # once on the fast way, once among values that are not simple
        assert normalise(pa.array([raw, raw]), scheme, field, region).to_pylist() == [normal, normal]
        assert normalise(pa.array([raw, "é", None]), scheme, field, region)[0].as_py() == normal
        assert hashlib.sha256(normal.encode()).hexdigest() == digest
    for raw in entry.negative:
        assert entry.plain(raw, "") is None
        assert normalise(pa.array([raw]), scheme, field).to_pylist() == [None]


@pytest.mark.parametrize(
    ("raw", "digest"),
    [
        ("user@example.com", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"),
        ("Foo@Bar.com", "0c7e6a405862e402eb76a70f8a26fc732d07c32931e9fae9ab1582911d2e8a3b"),
        ("janesaoirse+Work@example.com", "28aaee4815230cd3b4ebd88c515226550666e91ac019929e3adac3f66c288180"),
        (" alexz@example.com\n", "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"),
        ("TEST.user@googlemail.com", "f60f8555710483f6d082157013ca06779173aa5454a6f0255dcf2258f007a834"),
    ],
)
def test_other_parties_publish_the_same_digest_where_the_rules_agree(raw, digest):
    normal = normalise(pa.array([raw]), "adobe", "email")[0].as_py()
    assert hashlib.sha256(normal.encode()).hexdigest() == digest


def test_an_address_as_it_was_typed_has_another_digest():
    raw = " JohnDoe@Example.com "
    bare = hashlib.sha256(raw.encode()).hexdigest()
    assert bare == "e35877709c218bbeb6dd323353456f7566a1635793fe2da12527edfd20fbdbb4"
    normal = normalise(pa.array([raw]), "adobe", "email")[0].as_py()
    assert hashlib.sha256(normal.encode()).hexdigest() != bare


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+1 (234) 567-8901", "", "+12345678901"),
        ("\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", "EG", "+20123456789"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("+33 6 12 34 56 78", "US", "+33612345678"),
        ("+33612345678\u00a0", "", "+33612345678"),
        ("06 12 34 56 78", "", None),
        ("06 12 34 56 78", "nowhere", None),
        ("+", "FR", None),
        ("+" + "1" * 300, "FR", None),
    ],
)
def test_telephone_numbers(raw, region, expected):
    assert normalise(pa.array([raw]), "adobe", "phone", region)[0].as_py() == expected


def simple_values(scheme: str, field: str) -> st.SearchStrategy[str]:
    """Values that match the pattern of simple values; `$` is the very end, as in RE2."""
    if simple_pattern(scheme, field) == r"(?s)^.*$":
        return st.text(max_size=30)
    return st.from_regex(re.compile(simple_pattern(scheme, field).replace("$", r"\Z")))


@pytest.mark.parametrize(("scheme", "field"), EVERY)
@given(data=st.data())
def test_an_engine_may_normalise_simple_values_itself(scheme, field, data):
    value = data.draw(st.one_of(simple_values(scheme, field), st.text(max_size=20)))
    assume(pc.match_substring_regex(pa.array([value]), pattern=simple_pattern(scheme, field))[0].as_py())
    formed = FORMS[simple_form(scheme, field)](value)
    assert rule(scheme, field).plain(value, "FR") == (formed or None)
    assert rule(scheme, field).plain(value, "") == (formed or None)


@pytest.mark.parametrize("field", ["email", "text", "phone"])
@pytest.mark.parametrize("value", ["a@b.c\n", "\ta@b.c", "a\u00a0", "\u0130@x.com", "+33612345678\n"])
def test_what_only_python_trims_is_not_simple(field, value):
    assert not pc.match_substring_regex(pa.array([value]), pattern=simple_pattern("adobe", field))[0].as_py()


def is_address(value: str) -> bool:
    """Say the same as the pattern, one character at a time."""
    local, at, domain = value.partition("@")
    forbidden = set('@,;:<>()[]\\"')
    seen = all(unicodedata.category(one)[0] not in "CZ" and one not in forbidden for one in local + domain)
    labels = domain.split(".")
    return bool(at and local and seen and len(labels) > 1 and all(labels) and len(value.encode()) <= 254)


PARTS = st.lists(st.one_of(st.sampled_from(list("ab1.-+_@ ,\u00e9")), st.characters(max_codepoint=0x24F)), max_size=12)


@given(PARTS.map("".join))
@example("a@b.c")
@example("a@b..c")
@example("a@.c")
@example("@b.c")
@example("a@b.c.")
@example("a\u200b@b.c")
@example("a\u202e@b.c")
@example("a@b.c\r\nBcc:x@y.z")
@example("j\u00f6rg@b\u00fccher.de")
@example("a" * 248 + "@b.com")
@example("a" * 249 + "@b.com")
def test_what_an_address_is(value):
    assert valid_address(pa.array([value, None], pa.string()), "email").to_pylist() == [is_address(value), False]


@given(st.text("+0123456789 ", max_size=17))
def test_what_a_number_is(value):
    expected = re.fullmatch(r"\+[1-9][0-9]{6,14}", value) is not None
    assert valid_address(pa.array([value]), "phone").to_pylist() == [expected]


def test_fields_of_profiles_have_a_rule():
    assert [field_for(name) for name in ("email", "mobile_phone", "phone", "fax", "external_id")] == [
        "email",
        "phone",
        "phone",
        "phone",
        "text",
    ]


def test_unknown_names_are_told_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean `adobe`"):
        rule("adoby", "email")
    with pytest.raises(UnknownNameError, match="`email`"):
        rule("adobe", "emial")
