"""Reconciliation: compared with dictionaries; created profiles, consent, hashes, and doing it again."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from flow_context import PEOPLE, apply, fetch, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.targeting.population import PROFILE, UNKNOWN

BY_EMAIL = [{"column": "mail", "field": "email"}]


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


def table(*rows: tuple[str | None, ...], names: tuple[str, ...] = ("mail", "city")) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def reconcile(flow, rows: pa.Table, kind: str = "context", **values):
    context = getattr(flow, kind)(inputs=[flow.rows(rows)])
    outcome = apply("reconciliation", context, **values)
    assert not context.faults
    return context, outcome


def test_the_file_audience_of_the_reference(flow) -> None:
    """Two addresses, one of them nobody's: one profile with `ignore`, two rows with `keep`."""
    rows = table(("johndoe@example.com", "x"), ("nobody@example.com", "y"))
    context, outcome = reconcile(flow, rows, keys=BY_EMAIL)
    assert outcome["result"].dimension == PROFILE
    assert fetch(context, outcome["result"]) == [
        {"profile_id": flow.id_of("C1"), "mail": "johndoe@example.com", "city": "x"}
    ]
    assert fetch(context, outcome["complement"]) == [{"mail": "nobody@example.com", "city": "y", "reason": "unknown"}]
    context, outcome = reconcile(flow, rows, keys=BY_EMAIL, unidentified="keep")
    assert outcome["result"].dimension == UNKNOWN
    kept = sorted(fetch(context, outcome["result"]), key=lambda one: one["mail"])
    assert [(one["mail"], one["profile_id"]) for one in kept] == [
        ("johndoe@example.com", flow.id_of("C1")),
        ("nobody@example.com", None),
    ]


mails = st.sampled_from(
    ["johndoe@example.com", " JohnDoe@Example.COM ", "mixed@example.com", "shared@example.org", "nobody@example.com",
     hashlib.sha256(b"johndoe@example.com").hexdigest(), hashlib.md5(b"johndoe@example.com").hexdigest(),  # noqa: S324
     "", None, "@"]
)  # fmt: skip
cities = st.sampled_from(["Paris", " Paris ", "paris", "Lyon", "", None])


def oracle(rows: list[tuple[str | None, str | None]], fields: int, on_ambiguous: str) -> dict[str, object]:
    """Compare each row with each person."""

    def digest(text: str | None) -> str | None:
        text = (text or "").strip().lower()
        if len(text) in (32, 64) and "@" not in text:
            return text if len(text) == 64 else None
        return hashlib.sha256(text.encode()).hexdigest() if text else None

    found: dict[str, tuple[str | None, str | None]] = {}
    reasons = []
    for mail, city in rows:
        keys = [digest(mail), (city or "").strip(" ") or None][:fields]
        if None in keys:
            reasons.append("no_key")
            continue
        people = [one[0] for one in PEOPLE if [digest(one[1]), one[3].strip(" ") or None][:fields] == keys]
        if not people:
            reasons.append("unknown")
        elif len(people) > 1 and on_ambiguous == "reject":
            reasons.append("ambiguous")
        else:
            for one in people:
                found.setdefault(one, (mail, city))
    return {"found": found, "reasons": sorted(reasons)}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(mails, cities), max_size=12),
    fields=st.sampled_from([1, 2]),
    on_ambiguous=st.sampled_from(["all", "reject"]),
)
def test_rows_find_the_profiles_that_a_plain_comparison_finds(flow, rows, fields: int, on_ambiguous: str) -> None:
    keys = [*BY_EMAIL, {"column": "city"}][:fields]
    context, outcome = reconcile(flow, table(*rows), keys=keys, on_ambiguous=on_ambiguous)
    expected = oracle(rows, fields, on_ambiguous)
    names = {one["profile_id"]: name for name, one in flow.profiles().items()}
    result = fetch(context, outcome["result"])
    assert {names[one["profile_id"]]: (one["mail"], one["city"]) for one in result} == expected["found"]
    assert len(result) == len(expected["found"])
    lacking = fetch(context, outcome["complement"])
    assert sorted(one["reason"] for one in lacking) == expected["reasons"]
    facts = context.facts
    assert facts["rows"] == len(rows) == facts["identified"] + sum(facts["unidentified"].values())
    assert facts["profiles"] == len(expected["found"])
    kept_context, kept = reconcile(flow, table(*rows), keys=keys, on_ambiguous=on_ambiguous, unidentified="keep")
    given_back = [(one["mail"], one["city"]) for one in fetch(kept_context, kept["result"])]
    assert set(given_back) == set(rows)
    assert sum(one["profile_id"] is None for one in fetch(kept_context, kept["result"])) == len(expected["reasons"])


def test_phones_numbers_and_dates_are_compared_by_their_value(flow, tmp_path) -> None:
    extra = tmp_path / "extra.csv"
    extra.write_text("external_id,birth_date\nC1,1990-01-02\n")
    flow.project.profiles.import_file(extra)
    keys = [{"column": "phone", "field": "mobile_phone"}, {"column": "born", "field": "birth_date"}]
    rows = table(("+33612345678", "1990-01-02"), ("+33612345679", "1990-01-02"), names=("phone", "born"))
    context, outcome = reconcile(flow, rows, keys=keys)
    assert [one["profile_id"] for one in fetch(context, outcome["result"])] == [flow.id_of("C1")]


CREATING = table(
    ("New.One@Example.com ", "yes"),
    ("new.one@example.com", "yes"),
    ("new.two@example.com", "no"),
    ("no address", "yes"),
    (hashlib.sha256(b"x@example.com").hexdigest(), "yes"),
    ("johndoe@example.com", "yes"),
    ("", "yes"),
    names=("mail", "consent"),
)


def test_profiles_are_made_only_with_consent_and_only_once(flow) -> None:
    values = {"keys": BY_EMAIL, "create_profiles": True, "consent": "consent == 'yes'"}
    context, outcome = reconcile(flow, CREATING, "plan", **values)
    assert (context.facts["created"], context.facts["without_consent"]) == (1, 1)
    assert len(flow.profiles()) == 7
    context, outcome = reconcile(flow, CREATING, **values)
    assert context.facts["created"] == 1
    assert context.facts["invalid_addresses"] == 1
    made = flow.profiles()["new.one@example.com"]
    assert (made["external_id"], made["city"]) == (None, None)
    assert sorted(one["profile_id"] for one in fetch(context, outcome["result"])) == sorted(
        [flow.id_of("C1"), made["profile_id"]]
    )
    assert context.facts["unidentified"] == {"no_key": 1, "unknown": 3}
    # again, as after a crash: the same rows, nobody made twice
    again, second = reconcile(flow, CREATING, **values)
    assert again.facts["created"] == 0
    assert sorted(map(str, fetch(again, second["result"]))) == sorted(map(str, fetch(context, outcome["result"])))
    assert len(flow.profiles()) == 8


def test_nobody_is_changed_because_another_key_differs(flow) -> None:
    rows = table(("johndoe@example.com", "Berlin"), ("new@example.com", "Berlin"))
    keys = [*BY_EMAIL, {"column": "city"}]
    before = flow.profiles()["C1"]
    context, outcome = reconcile(flow, rows, keys=keys, create_profiles=True)
    assert context.facts["created"] == 1
    assert flow.profiles()["C1"] == before
    assert flow.profiles()["new@example.com"]["city"] == "Berlin"
    assert [one["mail"] for one in fetch(context, outcome["result"])] == ["new@example.com"]


def test_columns_of_the_same_names_as_ours_do_no_harm(flow) -> None:
    rows = table(
        ("johndoe@example.com", "7", "mine"), ("x@example.com", "7", "mine"), names=("mail", "profile_id", "reason")
    )
    context, outcome = reconcile(flow, rows, keys=BY_EMAIL)
    assert fetch(context, outcome["result"]) == [
        {"profile_id": flow.id_of("C1"), "mail": "johndoe@example.com", "reason": "mine"}
    ]
    assert fetch(context, outcome["complement"]) == [{"mail": "x@example.com", "reason": "unknown"}]
    assert len(context.warnings) == 1


def test_nothing_of_a_person_is_in_what_is_told(flow) -> None:
    context, _ = reconcile(flow, CREATING, keys=BY_EMAIL, create_profiles=True)
    told = str(context.facts) + str(context.warnings)
    assert "@" not in told
    assert "example" not in told


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"keys": []}, ["keys"]),
        ({"keys": [{"column": "male"}]}, ["keys[0].column", "keys[0].column"]),
        ({"keys": [{"column": "mail"}]}, ["keys[0].column"]),
        ({"keys": [{"column": "mail", "field": "emial"}]}, ["keys[0].field"]),
        ({"keys": [*BY_EMAIL, {"column": "city", "field": "email"}]}, ["keys[1]"]),
        ({"keys": [{"column": "mail", "field": "profile_id"}]}, ["keys[0].field"]),
        ({"keys": [{"column": "city", "scheme": "google"}]}, ["keys[0].scheme"]),
        ({"keys": [{**BY_EMAIL[0], "scheme": "none"}]}, ["keys[0].scheme"]),
        ({"keys": BY_EMAIL, "consent": "city == 'x'"}, ["consent"]),
        ({"keys": BY_EMAIL, "consent": "ctiy == 'x'", "create_profiles": True}, ["consent"]),
    ],
)
def test_every_fault_is_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check(inputs=[flow.rows(table())])
    outcome = apply("reconciliation", context, **values)
    assert context.paths == paths
    assert set(outcome) == {"result", "complement"}


def test_a_check_composes_the_columns_of_a_run(flow) -> None:
    for unidentified in ("ignore", "keep"):
        columns = []
        for kind in ("check", "context"):
            _, outcome = reconcile(flow, table(("a@b.example", "x")), kind, keys=BY_EMAIL, unidentified=unidentified)
            columns.append({name: one.relation.schema() for name, one in outcome.items()})
        assert columns[0] == columns[1]


def test_people_are_not_reconciled_again(flow) -> None:
    context = flow.check(inputs=[flow.people("email")])
    apply("reconciliation", context, keys=[{"column": "email"}])
    assert context.paths == ["from"]
