"""Deduplication against a dict of groups; each method, ties, missing values, lots, faults."""

from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, fetch, opened, people_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode

TEXT = pa.string()
LOOSE = {"email": TEXT, "n": pa.int64(), "level": TEXT}
PEOPLE = people_of(40)
texts = st.sampled_from(HOSTILE)
loose = st.lists(
    st.fixed_dictionaries(
        {
            "email": texts,
            "n": st.none() | st.integers(-2, 2),
            "level": st.sampled_from(["gold", "silver", "x", "", None]),
        }
    ),
    max_size=12,
)
members = st.frozensets(st.integers(1, 40), max_size=25)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("deduplication")) as bench:
        bench.people(PEOPLE)
        yield bench


def text_key(value: str | None) -> tuple:
    return (value is None, (value or "").encode())


def number_key(value: int | None) -> tuple:
    return (value is None, value or 0)


def row_key(row: dict) -> tuple:
    return (text_key(row["email"]), number_key(row["n"]), text_key(row["level"]))


def oracle(rows: list[dict], by, first, records: int, missing: str) -> tuple[list[dict], list[dict]]:
    """Give the rows that stay and those that go."""
    groups = defaultdict(list)
    stay, go = [], []
    for row in rows:
        key = by(row)
        if None in key and missing == "keep":
            stay.append(row)
        elif None in key and missing == "drop":
            go.append(row)
        else:
            groups[key].append(row)
    for group in groups.values():
        group.sort(key=first)
        room = records or len(group)
        stay += group[:room]
        go += group[room:]
    return stay, go


MISSING = st.sampled_from(["keep", "same", "drop"])
METHODS = {
    "order": ({"order": "n DESC"}, lambda row: (row["n"] is None, -(row["n"] or 0))),
    "non_empty": ({"columns": ["n", "level"]}, lambda row: -((row["n"] is not None) + bool(row["level"]))),
    "values": (
        {"column": "level", "values": ["gold", ""]},
        lambda row: {"gold": 0, "": 1}.get(row["level"], 2),
    ),
}


@settings(max_examples=50)
@given(
    rows=loose,
    records=st.integers(0, 3),
    missing=MISSING,
    method=st.sampled_from(list(METHODS)),
    by=st.sampled_from([["email"], ["email", "level"], ["level"]]),
    data=st.data(),
)
def test_rows_of_files(bench, rows, records, missing, method, by, data) -> None:
    values, best = METHODS[method]
    stay, go = oracle(
        rows, lambda row: tuple(row[name] for name in by), lambda row: (best(row), row_key(row)), records, missing
    )
    inbound = bench.rows(data.draw(st.permutations(rows)), LOOSE)
    found = run(
        bench, "deduplication", [inbound],
        by=by, records=records, missing=missing, method=method, complement=True, **values,
    )  # fmt: skip
    assert bag(found["result"]) == bag(stay)
    assert bag(found["complement"]) == bag(go)


@settings(max_examples=20)
@given(chosen=members, records=st.integers(0, 3), missing=MISSING, data=st.data())
def test_people_by_fields_of_their_profiles(bench, chosen, records, missing, data) -> None:
    rows = [{"profile_id": row["profile_id"], "city": "carried"} for row in PEOPLE if row["profile_id"] in chosen]
    fields = {row["profile_id"]: row for row in PEOPLE}

    def by(row: dict) -> tuple:
        return (fields[row["profile_id"]]["country"], row["city"])

    def first(row: dict) -> tuple:
        points = fields[row["profile_id"]]["points"]
        return (points is not None, -(points or 0), row["profile_id"])

    stay, go = oracle(rows, by, first, records, missing)
    columns = {"profile_id": pa.int64(), "city": TEXT}
    inbound = bench.rows(data.draw(st.permutations(rows)), columns, "profile")
    values = {"by": ["lower(country)", "city"], "order": "points DESC NULLS FIRST, points"}
    found = run(bench, "deduplication", [inbound], records=records, missing=missing, complement=True, **values)
    assert bag(found["result"]) == bag(stay)
    assert bag(found["complement"]) == bag(go)


def drawn(bench, rows, *, run_id: str = "run-1", activity: str = "step", records: int = 1, by=("level",)) -> list[dict]:
    inbound = bench.rows(rows, LOOSE)
    context = bench.context([inbound], run_id=run_id, activity=activity)
    outcome = apply(
        "deduplication", context, by=list(by), method="random", records=records, missing="same", complement=True
    )
    found = fetch(context, outcome["result"])
    assert bag([*found, *fetch(context, outcome["complement"])]) == bag(rows)
    return found


@settings(max_examples=15)
@given(rows=loose, records=st.integers(1, 3), data=st.data())
def test_lots_are_exact_and_the_same_for_a_run(bench, rows, records, data) -> None:
    found = drawn(bench, rows, records=records)
    groups = Counter(row["level"] for row in rows)
    assert Counter(row["level"] for row in found) == {name: min(size, records) for name, size in groups.items()}
    assert bag(drawn(bench, data.draw(st.permutations(rows)), records=records)) == bag(found)


def test_lots_differ_between_runs_and_activities(bench) -> None:
    rows = [{"email": f"e{number}", "n": number, "level": "gold"} for number in range(50)]
    draws = [drawn(bench, rows, records=10, run_id=f"run-{number}") for number in range(4)]
    draws.append(drawn(bench, rows, records=10, activity="other"))
    assert len({tuple(bag(draw)) for draw in draws}) == 5


def test_nobody_without_an_address_is_a_duplicate(bench) -> None:
    rows = [{"email": None, "n": 1}, {"email": None, "n": 2}, {"email": "a", "n": 1}, {"email": "a", "n": 2}]
    found = run(bench, "deduplication", [bench.rows(rows, LOOSE)], by=["email"])["result"]
    assert [row["n"] for row in found if row["email"] is None] in ([1, 2], [2, 1])
    assert [row["n"] for row in found if row["email"]] == [1]


def test_values_of_other_types(bench) -> None:
    columns = {"k": pa.int64(), "flag": pa.bool_(), "score": pa.float64()}
    rows = [{"k": 1, "flag": flag, "score": score} for flag, score in ((None, 1.0), (False, 0.5), (True, 2.0))]
    inbound = bench.rows(rows, columns)
    for column, values, best in (("flag", [False], 0.5), ("score", [2], 2.0), ("score", [3.5, 1.0], 1.0)):
        found = run(bench, "deduplication", [inbound], by=["k"], method="values", column=column, values=values)
        assert [row["score"] for row in found["result"]] == [best]


def test_a_constant_is_the_same_for_all(bench) -> None:
    rows = [{"email": "a", "n": 1}, {"email": "b", "n": 2}]
    found = run(bench, "deduplication", [bench.rows(rows, LOOSE)], by=["'x'", "1"], order="'y', n DESC")["result"]
    assert [row["n"] for row in found] == [2]


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        for population in apply("deduplication", context, complement=True, **values).values():
            assert fetch(context, population) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    rows = bench.rows([], LOOSE)
    assert paths(by=["email"]) == ["from"]
    assert paths(rows, by=["email", "nothing", "n +"]) == ["by[1]", "by[2]"]
    assert paths(rows, by=["email"], order="m") == ["order"]
    assert paths(rows, by=["email"], method="random", order="n") == ["order"]
    assert paths(rows, by=["email"], method="non_empty") == [""]
    assert paths(rows, by=["email"], method="non_empty", columns=["n", "m"]) == ["columns[1]"]
    assert paths(rows, by=["email"], method="values") == ["", ""]
    assert paths(rows, by=["email"], method="values", column="n", values=[1, "x", True, 2.5]) == [
        "values[1]",
        "values[2]",
    ]
    assert paths(rows, by=["email"], columns=["n"], column="n", values=[1]) == ["columns", "column", "values"]


def test_only_fields_that_are_asked_for_are_joined(bench) -> None:
    context = bench.context([bench.rows([], {"profile_id": pa.int64(), "city": TEXT}, "profile")])
    carried = bench.engine.sql(apply("deduplication", context, by=["lower(city)"])["result"].relation)
    assert "JOIN" not in carried
    joined = bench.engine.sql(apply("deduplication", context, by=["Email"])["result"].relation)
    assert joined.count("JOIN") == 1
    assert "birth_date" not in joined
    assert "CROSS" not in joined
