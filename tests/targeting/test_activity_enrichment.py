"""Enrichment against dicts: expressions, linked browsers, a second population in each cardinality, faults."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, fetch, opened, people_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode

TEXT, WHOLE = pa.string(), pa.int64()
PEOPLE = {row["profile_id"]: row for row in people_of(30)}
texts = st.sampled_from(HOSTILE)
LEFT = {"email": TEXT, "n": WHOLE}
RIGHT = {"address": TEXT, "m": WHOLE, "amount": WHOLE}
left = st.lists(st.fixed_dictionaries({"email": texts, "n": st.none() | st.integers(0, 2)}), max_size=8)
right = st.lists(
    st.fixed_dictionaries(
        {"address": texts, "m": st.none() | st.integers(0, 2), "amount": st.none() | st.integers(-5, 5)}
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("enrichment")) as bench:
        bench.people(PEOPLE.values())
        yield bench


def test_expressions_over_columns_and_fields(bench) -> None:
    columns = {"profile_id": WHOLE, "city": TEXT}
    inbound = bench.rows([{"profile_id": 1, "city": "carried"}, {"profile_id": 99, "city": "gone"}], columns, "profile")
    found = run(
        bench, "enrichment", [inbound],
        columns={"city": "upper(city)", "old_city": "city", "nation": "country"},
    )["result"]  # fmt: skip
    assert bag(found) == bag(
        [
            {"profile_id": 1, "city": "CARRIED", "old_city": "carried", "nation": PEOPLE[1]["country"]},
            {"profile_id": 99, "city": "GONE", "old_city": "gone", "nation": None},
        ]
    )
    bare = run(bench, "enrichment", [inbound], columns={"nation": "country"}, existing="drop")["result"]
    assert bag(bare) == bag([{"profile_id": 1, "nation": PEOPLE[1]["country"]}, {"profile_id": 99, "nation": None}])


@settings(max_examples=15)
@given(links=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 28)), max_size=12), data=st.data())
def test_what_is_known_of_browsers(bench, links, data) -> None:
    links = [(person, datetime(2026, 6, day, tzinfo=UTC)) for person, day in links]
    bench.links(
        {"d0": place, "d1": 7, "profile_id": person, "last_seen": seen} for place, (person, seen) in enumerate(links)
    )
    inbound = bench.set(data.draw(st.permutations(range(1, 6))))
    found = run(
        bench, "enrichment", [inbound],
        links={
            "browsers": "count()", "last": "max(last_seen)", "first": " MIN( last_seen ) ",
            "days": "count_distinct(last_seen)", "smallest": "min(visitor_id)",
        },
    )["result"]  # fmt: skip
    wanted = []
    for person in range(1, 6):
        seen = [moment for one, moment in links if one == person]
        numbers = [place for place, (one, _) in enumerate(links) if one == person]
        wanted.append(
            {
                "profile_id": person,
                "browsers": len(seen),
                "last": max(seen, default=None),
                "first": min(seen, default=None),
                "days": len(set(seen)),
                "smallest": f"{min(numbers):019d}{7:019d}" if numbers else None,
            }
        )
    assert bag(found) == bag(wanted)


def groups_of(rows: list[dict], names: list[str]) -> dict[tuple, list[dict]]:
    groups = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in names)
        if None not in key:
            groups[key].append(row)
    return groups


def by_amount(row: dict) -> tuple:
    """By amount, the largest first; then by all columns."""
    return (
        row["amount"] is None, -(row["amount"] or 0),
        row["address"] is None, (row["address"] or "").encode(), row["m"] is None, row["m"] or 0,
    )  # fmt: skip


@settings(max_examples=40)
@given(
    one=left,
    two=right,
    rows=st.sampled_from(["optional", "required", "many", "aggregate"]),
    on=st.sampled_from([{"email": "address"}, {"email": "address", "n": "m"}]),
    data=st.data(),
)
def test_a_second_population(bench, one, two, rows, on, data) -> None:
    groups = groups_of(two, list(on.values()))
    wanted = []
    for row in one:
        key = tuple(row[name] for name in on)
        there = sorted(groups.get(key, []), key=by_amount)
        amounts = [other["amount"] for other in there if other["amount"] is not None]
        if rows == "aggregate":
            total = {
                "largest": max(amounts, default=None),
                "lines": len(there),
                "sum": sum(amounts) if amounts else None,
            }
            wanted.append({**row, **total})
        elif rows == "many":
            wanted += [{**row, "amount": other["amount"]} for other in there] or [{**row, "amount": None}]
        elif there or rows == "optional":
            wanted.append({**row, "amount": there[0]["amount"] if there else None})
    columns = {"amount": "amount"}
    if rows == "aggregate":
        columns = {"largest": "max(amount)", "lines": "count()", "sum": "sum(amount)"}
    join = {"on": on, "rows": rows, "columns": columns}
    if rows in ("optional", "required"):
        join["order"] = "amount DESC"
    inputs = [bench.rows(data.draw(st.permutations(one)), LEFT), bench.rows(data.draw(st.permutations(two)), RIGHT)]
    assert bag(run(bench, "enrichment", inputs, join=join)["result"]) == bag(wanted)


@settings(max_examples=15)
@given(
    one=st.frozensets(st.integers(1, 9)),
    two=st.dictionaries(st.integers(1, 9), st.none() | st.integers(0, 9)),
    required=st.booleans(),
)
def test_people_and_their_scores(bench, one, two, required) -> None:
    scores = [{"profile_id": person, "score": score} for person, score in two.items()]
    inputs = [bench.set(one), bench.rows(scores, {"profile_id": WHOLE, "score": WHOLE}, "profile")]
    join = {"columns": {"score": "score", "nation": "country"}, "rows": "required" if required else "optional"}
    found = run(bench, "enrichment", inputs, join=join)["result"]
    assert bag(found) == bag(
        {"profile_id": person, "score": two.get(person), "nation": PEOPLE[person]["country"] if person in two else None}
        for person in one
        if person in two or not required
    )


def test_people_stand_once_whatever_a_file_holds(bench) -> None:
    columns = {"profile_id": WHOLE, "amount": WHOLE}
    orders = [{"profile_id": 1, "amount": amount} for amount in (3, 5, 4)]
    inputs = [bench.set([1, 2]), bench.rows(orders, columns)]
    first = run(bench, "enrichment", inputs, join={"columns": {"amount": "amount"}, "order": "amount DESC"})["result"]
    assert bag(first) == bag([{"profile_id": 1, "amount": 5}, {"profile_id": 2, "amount": None}])
    total = {"columns": {"amount": "sum(amount)", "mean": "avg(amount)"}, "rows": "aggregate"}
    found = run(bench, "enrichment", inputs, join=total)["result"]
    assert bag(found) == bag(
        [{"profile_id": 1, "amount": 12, "mean": 4.0}, {"profile_id": 2, "amount": None, "mean": None}]
    )


def test_all_at_once(bench) -> None:
    bench.links([{"d0": 1, "d1": 1, "profile_id": 2, "last_seen": datetime(2026, 6, 1, tzinfo=UTC)}])
    scores = bench.rows([{"profile_id": 2, "score": 4}], {"profile_id": WHOLE, "score": WHOLE}, "profile")
    found = run(
        bench, "enrichment", [bench.set([1, 2]), scores],
        columns={"points": "points"}, links={"browsers": "count()"}, join={"columns": {"score": "score + 1"}},
    )["result"]  # fmt: skip
    assert bag(found) == bag(
        [
            {"profile_id": 1, "points": PEOPLE[1]["points"], "browsers": 0, "score": None},
            {"profile_id": 2, "points": PEOPLE[2]["points"], "browsers": 1, "score": 5},
        ]
    )


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        for population in apply("enrichment", context, **values).values():
            assert fetch(context, population) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    people, file, other = bench.set([1]), bench.rows([{"email": "x", "n": 1}], LEFT), bench.rows([], RIGHT)
    assert paths(people) == [""]
    assert paths(columns={"a": "city"}) == ["from"]
    assert paths(people, columns={"a": "ctiy"}) == ["columns.a"]
    assert paths(people, columns={"profile_id": "1", "Not a name": "city"}) == [
        "columns.profile_id",
        "columns.Not a name",
    ]
    assert paths(people, columns={"a": "city"}, links={"a": "count()"}) == ["links.a"]
    assert paths(file, links={"a": "count()"}) == ["links"]
    bad = {
        "a": "last_seen",
        "b": "max()",
        "c": "sum(last_seen)",
        "d": "max(nothing)",
        "e": "median(last_seen)",
        "f": "max(1)",
    }
    assert paths(people, links=bad) == ["links.a", "links.b", "links.c", "links.d", "links.e", "links.f"]
    assert paths(people, file, columns={"a": "city"}) == ["join"]
    assert paths(people, join={"columns": {"a": "n"}}) == ["join"]
    assert paths(people, file, columns={"a": "city"}, join={"columns": {}, "on": {"profile_id": "n"}}) == [
        "join.columns"
    ]
    assert paths(people, file, join={"columns": {"a": "n"}}) == ["join.on"]
    assert paths(people, file, join={"columns": {"a": "n"}, "on": {"profile_id": "n"}, "rows": "many"}) == ["join.rows"]
    assert paths(file, other, join={"columns": {"a": "m"}, "on": {"x": "m", "n": "y"}}) == ["join.on.x", "join.on.n"]
    assert paths(file, other, join={"columns": {"a": "m"}, "on": {"email": "m"}}) == ["join.on.email"]
    assert paths(file, other, join={"columns": {"a": "q"}, "on": {"n": "m"}, "order": "z"}) == [
        "join.columns.a",
        "join.order",
    ]
    assert paths(file, other, join={"columns": {"a": "m"}, "on": {"n": "m"}, "rows": "many", "order": "m"}) == [
        "join.order"
    ]


def test_no_cross_join(bench) -> None:
    for rows in ("optional", "many", "aggregate"):
        column = "max(amount)" if rows == "aggregate" else "amount"
        join = {"on": {"email": "address"}, "rows": rows, "columns": {"a": column}}
        context = bench.context([bench.rows([], LEFT), bench.rows([], RIGHT)])
        statement = bench.engine.sql(apply("enrichment", context, join=join)["result"].relation).upper()
        assert "CROSS JOIN" not in statement
        assert statement.count("JOIN") == 1
