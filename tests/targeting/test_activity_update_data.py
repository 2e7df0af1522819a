"""Update data: compared with a dictionary of people; every row accounted for, and the second time nothing changes."""

from __future__ import annotations

from datetime import date

import ibis
import pyarrow as pa
import pytest
from flow_context import apply, fetch, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.targeting.population import DECLARED, UNKNOWN, Population


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


def table(*rows: tuple[str | None, ...], names: tuple[str, ...] = ("key", "town")) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def update(flow, rows, kind: str = "context", **values):
    inbound = rows if isinstance(rows, Population) else flow.rows(rows)
    context = getattr(flow, kind)(inputs=[inbound])
    outcome = apply("update_data", context, **values)
    assert not context.faults
    return context, outcome


BY_NUMBER = {"set": {"external_id": "key", "city": "town"}}
keys = st.sampled_from(["C1", "C2", "C3", "new1", "new2", " C1", "", None])
towns = st.sampled_from(["Paris", "Lyon", "Rome", "", None])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(keys, towns), max_size=8), operation=st.sampled_from(["insert", "update", "upsert"]))
def test_profiles_become_what_a_dictionary_becomes(tmp_path_factory, rows, operation: str) -> None:
    with opened(tmp_path_factory.mktemp("update")) as flow:
        before = {name: one["city"] for name, one in flow.profiles().items()}
        after, reasons, seen = dict(before), [], set()
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        for key, town in rows:
            town = town or None  # noqa: PLW2901
            if not key:
                reasons.append("missing_key")
            elif key in seen:
                reasons.append("duplicate_key")
            elif key in before and operation == "insert" and before[key] != town:
                reasons.append("exists")
            elif key not in before and operation == "update":
                reasons.append("unknown_profile")
            else:
                kind = "created" if key not in before else "unchanged" if before[key] == town else "updated"
                counts[kind] += 1
                after[key] = town
            seen.add(key)
        planned, _ = update(flow, table(*rows), "plan", operation=operation, **BY_NUMBER)
        assert {name: one["city"] for name, one in flow.profiles().items()} == before
        context, outcome = update(flow, table(*rows), operation=operation, **BY_NUMBER)
        assert {name: one["city"] for name, one in flow.profiles().items()} == after
        assert context.facts == planned.facts
        assert {name: context.facts[name] for name in counts} == counts
        rejects = fetch(context, outcome["rejects"])
        assert sorted(one["reason"] for one in rejects) == sorted(reasons)
        result = fetch(context, outcome["result"])
        everything = [(one["key"], one["town"]) for one in [*result, *rejects]]
        assert sorted(everything, key=str) == sorted(rows, key=str)
        # again, as after a crash: nothing is created or changed, and the same rows go on
        again, second = update(flow, table(*rows), operation=operation, **BY_NUMBER)
        assert (again.facts["created"], again.facts["updated"]) == (0, 0)
        assert {name: one["city"] for name, one in flow.profiles().items()} == after
        assert sorted(map(str, fetch(again, second["result"]))) == sorted(map(str, result))
        assert sorted(map(str, fetch(again, second["rejects"]))) == sorted(map(str, rejects))


def test_addresses_are_found_without_the_spaces_around_them(flow) -> None:
    rows = table((" johndoe@example.com", "Rome"), ("shared@example.org", "Rome"), ("Shared@example.org", "Rome"))
    context, outcome = update(flow, rows, key="email", set={"email": "key", "city": "town"}, operation="update")
    people = flow.profiles()
    assert (people["C1"]["city"], people["C5"]["city"], people["C4"]["city"]) == ("Rome", "Rome", "Rome")
    assert context.facts["updated"] == 3
    # two people with one address: nobody is changed
    update(flow, table(("C5", "shared@example.org")), set={"external_id": "key", "email": "town"})
    context, outcome = update(
        flow, table(("shared@example.org", "Oslo")), key="email", set={"email": "key", "city": "town"}
    )
    assert [one["reason"] for one in fetch(context, outcome["rejects"])] == ["ambiguous_key"]
    assert context.facts == {"created": 0, "updated": 0, "unchanged": 0, "rejected": {"ambiguous_key": 1}}


def test_values_take_the_type_of_the_field(flow) -> None:
    rows = table(
        ("C1", "1990-01-02", "yes"), ("C2", "soon", "yes"), ("C3", "", "perhaps"), names=("key", "born", "out")
    )
    values = {"external_id": "key", "birth_date": "born", "opt_out_email": "out"}
    context, outcome = update(flow, rows, set=values)
    person = flow.profiles()["C1"]
    assert (person["birth_date"], person["opt_out_email"]) == (date(1990, 1, 2), True)
    assert flow.profiles()["C2"]["opt_out_email"] is not True
    rejects = sorted(fetch(context, outcome["rejects"]), key=lambda one: one["key"])
    assert [(one["key"], one["reason"]) for one in rejects] == [("C2", "invalid_value"), ("C3", "invalid_value")]


def test_fields_that_are_not_named_stay_and_an_empty_value_clears(flow) -> None:
    update(flow, table(("C1", "")), **BY_NUMBER)
    person = flow.profiles()["C1"]
    assert (person["city"], person["email"]) == (None, "johndoe@example.com")


def test_people_are_changed_by_expressions_over_their_fields(flow) -> None:
    people = flow.people("external_id")
    carried = people.of(people.relation.drop("external_id").mutate(external_id=ibis.literal("C1")))
    context, outcome = update(flow, carried, set={"city": "upper(city)", "state": "external_id"}, operation="update")
    assert flow.profiles()["C2"]["city"] == "LYON"
    assert flow.profiles()["C2"]["state"] == "C1"  # the column of the transition, but never as the key
    assert context.facts["updated"] == 7
    assert outcome["result"].dimension == "profile"
    assert len(fetch(context, outcome["result"])) == 7


def test_only_rows_that_meet_the_condition_are_written(flow) -> None:
    context, outcome = update(flow, table(("C1", "Rome"), ("C2", "Oslo")), where="town == 'Oslo'", **BY_NUMBER)
    assert (flow.profiles()["C1"]["city"], flow.profiles()["C2"]["city"]) == ("Paris", "Oslo")
    assert [one["key"] for one in fetch(context, outcome["result"])] == ["C2"]


def test_a_column_called_reason_does_no_harm(flow) -> None:
    rows = table(("C1", "x"), ("", "y"), names=("key", "reason"))
    context, outcome = update(flow, rows, set={"external_id": "key", "city": "reason"})
    assert fetch(context, outcome["result"]) == [{"key": "C1", "reason": "x"}]
    assert fetch(context, outcome["rejects"]) == [{"key": "", "reason": "missing_key"}]


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"set": {"external_id": "key", "ctiy": "town"}}, ["set.ctiy", "set"][:1]),
        ({"set": {"external_id": "key"}}, ["set"]),
        ({"set": {"city": "town"}}, ["key"]),
        ({"set": {"city": "town"}, "key": "emial"}, ["key"]),
        ({"set": {"external_id": "key", "profile_id": "town", "city": "town"}}, ["set.profile_id"]),
        ({"set": {"external_id": "key", "modified": "town", "city": "town"}}, ["set.modified"]),
        ({"set": {"external_id": "key", "city": "twon"}}, ["set.city"]),
        ({"set": {"external_id": "key", "city": "town"}, "where": "twon == 1"}, ["where"]),
    ],
)
def test_every_fault_is_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check(inputs=[flow.rows(table())])
    outcome = apply("update_data", context, **values)
    assert context.paths == paths
    assert outcome["rejects"].dimension == UNKNOWN
    assert flow.profiles()["C1"]["city"] == "Paris"


def test_people_are_not_inserted_and_keep_their_key(flow) -> None:
    context = flow.check(inputs=[flow.people()])
    apply("update_data", context, operation="insert", set={"external_id": "city", "city": "city"})
    assert context.paths == ["operation", "set.external_id"]
    ids = Population(flow.people().relation.mutate(id=ibis.literal("1")), DECLARED, "crm")
    context = flow.check(inputs=[ids])
    apply("update_data", context, set={"city": "id"})
    assert "from" in context.paths


def test_a_check_composes_the_columns_of_a_run(flow) -> None:
    seen = []
    for kind in ("check", "context"):
        _, outcome = update(flow, table(("C1", "x")), kind, **BY_NUMBER)
        seen.append({name: one.relation.schema() for name, one in outcome.items()})
    assert seen[0] == seen[1]
