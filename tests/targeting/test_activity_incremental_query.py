"""Incremental query over several runs, against a set of who was given and a moment of the last run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from activity_context import NOW, apply, bag, fetch, ids, opened, people_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("incremental")) as bench:
        yield bench


people = st.dictionaries(st.integers(1, 12), st.sampled_from(["FR", "DE", None]), max_size=12)


@settings(max_examples=15)
@example(runs=[({1: "FR"}, "done"), ({1: "FR", 2: "FR"}, "done"), ({1: "FR", 2: "FR"}, "done")])
@example(runs=[({1: "FR"}, "failed"), ({1: "FR"}, "plan"), ({1: "FR"}, "done"), ({1: "FR"}, "done")])
@given(runs=st.lists(st.tuples(people, st.sampled_from(["done", "failed", "plan"])), min_size=1, max_size=5))
def test_nobody_is_given_twice_and_nobody_is_lost(bench, runs) -> None:
    bench.memory.kept.clear()
    before: set[int] = set()
    for now, end in runs:
        bench.people({"profile_id": one, "country": country, "city": f"c{one}"} for one, country in now.items())
        context = bench.context(mode=Mode.PLAN if end == "plan" else Mode.RUN)
        found = apply("incremental_query", context, where="country = 'FR'", columns={"town": "upper(city)"})["result"]
        new = {one for one, country in now.items() if country == "FR"} - before
        assert bag(fetch(context, found)) == bag({"profile_id": one, "town": f"C{one}"} for one in new)
        assert not context.faults
        if end == "done":
            context.finish()
            before |= new


@settings(max_examples=15)
@example(runs=[(1, True), (1, False), (1, True)], changes={1: 1, 2: 2, 3: 0, 4: None}, field="modified")
@example(runs=[(0, True), (2, True)], changes={1: -3, 2: 0, 3: 1, 4: None}, field="birth_date")
@given(
    runs=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=4),
    changes=st.dictionaries(st.integers(1, 9), st.none() | st.integers(-3, 9), max_size=9),
    field=st.sampled_from(["modified", "birth_date"]),
)
def test_since_the_last_run(bench, runs, changes, field) -> None:
    bench.memory.kept.clear()
    moments = {one: None if hours is None else NOW + timedelta(hours=hours * 12) for one, hours in changes.items()}
    values = moments if field == "modified" else {one: moment and moment.date() for one, moment in moments.items()}
    bench.people({"profile_id": one, field: value} for one, value in values.items())
    now, last = NOW, None
    for steps, is_done in runs:
        now += timedelta(hours=12 * steps)
        context = bench.context(now=now)
        found = ids(context, apply("incremental_query", context, since=field)["result"])
        bound = last if last is None or field == "modified" else last.date()
        assert found == sorted(one for one, value in values.items() if bound is None or (value and value >= bound))
        if is_done:
            context.finish()
            last = now


def test_activities_remember_apart(bench) -> None:
    bench.memory.kept.clear()
    bench.people(people_of(5))
    for activity in ("one", "other"):
        context = bench.context(activity=activity)
        assert ids(context, apply("incremental_query", context)["result"]) == [1, 2, 3, 4, 5]
        context.finish()
        again = bench.context(activity=activity)
        assert ids(again, apply("incremental_query", again)["result"]) == []


def test_only_of_those_who_come_in(bench) -> None:
    bench.memory.kept.clear()
    bench.people(people_of(5))
    context = bench.context([bench.set([2, 3, 9])])
    assert ids(context, apply("incremental_query", context)["result"]) == [2, 3]
    context.finish()  # who did not come in was not given
    again = bench.context()
    assert ids(again, apply("incremental_query", again)["result"]) == [1, 4, 5]


def test_since_may_be_an_expression(bench) -> None:
    bench.memory.kept.clear()
    bench.people(
        [
            {"profile_id": 1, "birth_date": date(2030, 1, 1)},
            {"profile_id": 2, "modified": datetime(2020, 1, 1, tzinfo=UTC)},
        ]
    )
    bench.context().finish()
    first = bench.context()
    apply("incremental_query", first, since="modified")
    first.finish()
    second = bench.context()
    assert ids(second, apply("incremental_query", second, since="coalesce(birth_date, modified)")["result"]) == [1]


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    bench.memory.kept.clear()
    bench.people(people_of(5))

    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        assert fetch(context, apply("incremental_query", context, **values)["result"]) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    assert paths(where="nothing = 1", since="points", columns={"a": "nobody"}) == ["where", "since", "columns.a"]
    assert paths(since="nothing") == ["since"]
    assert paths(since="'2026-01-01'") == ["since"]
    assert paths(columns={"profile_id": "1", "Town": "city"}) == ["columns.profile_id", "columns.Town"]
    assert paths(bench.rows([{"n": 1}], {"n": pa.int64()})) == ["from"]
