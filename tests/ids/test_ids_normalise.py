"""The rules of normalisation: their vectors, the engine's shorter way, and what counts as an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from symbolon.errors import UnknownNameError
from symbolon.ids import field_for, normalise, pinned, rule, scheme_rules, schemes, simple_pattern, valid_address
from symbolon.ids.normalise import ALIASED, Rule

RULES = [one for scheme in schemes() for one in scheme_rules(scheme)]
every_rule = pytest.mark.parametrize("entry", RULES, ids=lambda one: f"{one.party}-{one.field}-{one.version}")


def unaliased(value: str, domains: tuple[str, ...]) -> str:
    for domain in domains:
        if value.endswith(domain):
            return value[: -len(domain)].split("+", maxsplit=1)[0].replace(".", "") + domain
    return value


def lower(value: str) -> str:
    return value.strip(" ").translate({code: code + 32 for code in range(ord("A"), ord("Z") + 1)})


#: how an engine makes each form; nothing else may be needed
FORMS = {
    "identity": lambda value: value,
    "trim": lambda value: value.strip(" "),
    "lower_trim": lower,
    "gmail": lambda value: unaliased(lower(value), ALIASED["gmail"]),
    "gmails": lambda value: unaliased(lower(value), ALIASED["gmails"]),
    "digits": lambda value: value.strip(" ").replace("+", ""),
}


@every_rule
def test_every_rule_says_where_it_comes_from(entry: Rule) -> None:
    assert entry.source
    assert entry.version
    assert entry.words
    assert date.fromisoformat(entry.effective)
    assert entry.negative
    assert entry.golden or entry.field in ("text", "exact")
    assert {algorithm for algorithm, _ in entry.hashes} <= {"md5", "sha1", "sha256", "sha384", "sha512"}
    assert {encoding for _, encoding in entry.hashes} <= {"hex", "base64"}


@every_rule
def test_vectors_hold_in_columns_and_alone(entry: Rule) -> None:
    for raw, region, normal, digest in entry.golden:
        assert entry.plain(raw, region) == normal
        # once on the fast way, once among values that are not simple
        assert entry.columnar(pa.array([raw, raw]), region).to_pylist() == [normal, normal]
        assert entry.columnar(pa.array([raw, "é", None]), region)[0].as_py() == normal
        assert entry.digest(normal) == digest
    for raw in entry.negative:
        assert entry.plain(raw, "") is None
        assert entry.columnar(pa.array([raw]), "").to_pylist() == [None]


def test_the_digest_of_nothing_is_never_made() -> None:
    """SHA-256 of the empty text is what connectors send for people without an address."""
    for entry in RULES:
        for nothing in ("", " ", "  "):
            if entry.field != "exact" or not nothing:
                assert entry.plain(nothing, "") is None


@pytest.mark.parametrize(
    ("scheme", "field", "raw", "expected"),
    [
        # one address, five parties, five people
        ("uid2", "email", "Jane.Q.Doe+x@gmail.com", "janeqdoe@gmail.com"),
        ("google", "email", "Jane.Q.Doe+x@gmail.com", "janeqdoe@gmail.com"),
        ("google@1", "email", "Jane.Q.Doe+x@gmail.com", "janeqdoe+x@gmail.com"),
        ("meta", "email", "Jane.Q.Doe+x@gmail.com", "jane.q.doe+x@gmail.com"),
        ("tiktok", "email", "Jane.Q.Doe+x@gmail.com", "jane.q.doe@gmail.com"),
        ("amazon", "email", "Jane.Q.Doe+x@gmail.com", "jane.q.doex@gmail.com"),
        ("uid2", "email", "Jane.Q.Doe+x@googlemail.com", "jane.q.doe+x@googlemail.com"),
        ("google", "email", "Jane.Q.Doe+x@googlemail.com", "janeqdoe@googlemail.com"),
        ("amazon", "email", "a_b@example.com", "ab@example.com"),
        ("meta", "email", "a_b@example.com", "a_b@example.com"),
        ("uid2", "email", "É@example.com", "É@example.com"),
        ("google", "email", "É@example.com", "é@example.com"),
        ("uid2", "email", "\ta@b.c", "\ta@b.c"),
        ("uid2", "email", "a b@x.com", "a b@x.com"),
        ("linkedin", "email", " a b@X.com", "ab@x.com"),
        ("meta@1", "email", ".A@b.com.", "a@b.com"),
        ("meta", "email", ".A@b.com", ".a@b.com"),
        ("meta@1", "first_name", "José", "jos"),
        ("meta", "first_name", "José", "josé"),
        ("google", "phone", "+44 20 7946 0018", "+442079460018"),
        ("meta", "phone", "0044 20 7946 0018", "442079460018"),
        ("tiktok", "phone", "+44 20 7946 0018", "442079460018"),
        ("tiktok@1", "phone", "+44 20 7946 0018", "+442079460018"),
        ("liveramp", "phone", "+44 20 7946 0018", "2079460018"),
        ("liveramp", "phone", "+390612345678", "0612345678"),
        ("liveramp", "phone", "+37493828222", "93828222"),
        ("uid2", "phone", "+44 20 7946 0018", None),
        ("uid2", "email", "user😀@example.com", "user😀@example.com"),
    ],
)
def test_the_parties_do_not_agree(scheme, field, raw, expected):
    assert normalise(pa.array([raw]), scheme, field).to_pylist() == [expected]
    assert rule(scheme, field).plain(raw, "") == expected


def test_versions() -> None:
    assert (rule("google", "email").version, rule("google@1", "email").version) == ("2", "1")
    assert rule("google", "email", version="1") is rule("google@1", "email")
    assert rule("google@2", "phone") is rule("google", "phone")  # this rule stayed as it was
    assert (pinned("google", "email"), pinned("google", "phone"), pinned("adobe", "text")) == (
        "google@2", "google@1", "adobe@1",
    )  # fmt: skip
    with pytest.raises(UnknownNameError, match="version"):
        rule("google@7", "email")
    with pytest.raises(UnknownNameError, match="normalisation scheme"):
        rule("googel@1", "email")
    # what a party says nothing of is done as the house does it
    assert rule("meta", "text") is rule("adobe", "text")
    with pytest.raises(UnknownNameError, match="linkedin"):
        rule("linkedin", "phone")


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


def simple_values(entry: Rule) -> st.SearchStrategy[str]:
    """Values that match the pattern of simple values; `$` is the very end, as in RE2."""
    if entry.simple == r"(?s)^.*$":
        return st.text(max_size=30)
    return st.from_regex(re.compile(entry.simple.replace("$", r"\Z")))


ODD_SIGNS = list("aZ09@@..++-_ \t\n\0\v\f\u0130\u0131\u017f\u00e9\u00a0\u2028('gmailcom")
HOSTILE = st.text(st.sampled_from(ODD_SIGNS) | st.characters(max_codepoint=0x2FF), max_size=30)
GMAIL = st.builds(
    "{}{}{}@{}{}".format,
    st.sampled_from(["", " "]), st.text("aZ.+_x0", max_size=8), st.sampled_from(["", "+", "+n.o"]),
    st.sampled_from(["gmail.com", "GMAIL.com", "googlemail.com", "mail.com", "xgmail.com", "gmail.com.au", "gmail.co"]),
    st.sampled_from(["", " ", "\n"]),
)  # fmt: skip
NUMBERS = st.text("+00123456789 ()-.\u0660x", max_size=20)


@every_rule
@settings(suppress_health_check=[HealthCheck.filter_too_much])  # hostile values are seldom simple
@given(data=st.data())
def test_an_engine_may_normalise_simple_values_itself(entry: Rule, data) -> None:
    if not entry.simple:
        return
    value = data.draw(
        st.one_of(simple_values(entry), simple_values(entry), simple_values(entry), HOSTILE, GMAIL, NUMBERS)
    )
    assume(pc.match_substring_regex(pa.array([value]), pattern=entry.simple)[0].as_py())
    formed = FORMS[entry.form](value)
    assert entry.plain(value, "FR") == (formed or None)
    assert entry.plain(value, "") == (formed or None)


@every_rule
@given(values=st.lists(st.none() | HOSTILE | GMAIL | NUMBERS, max_size=8))
def test_columns_equal_the_definition(entry: Rule, values) -> None:
    expected = [None if value is None else entry.plain(value, "FR") for value in values]
    assert entry.columnar(pa.array(values, pa.string()), "FR").to_pylist() == expected


@every_rule
def test_no_pattern_means_something_else_in_java(entry: Rule) -> None:
    r"""`\s`, `\d`, `\w`, `\v` and look-around differ between the engines' pattern languages."""
    assert not re.search(r"\\[sdwvhbBSDW]|\(\?[=!<]", entry.simple)


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
