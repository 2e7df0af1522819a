"""Intersection against sets; laws; rows of files with missing values; faults."""

from __future__ import annotations

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, fetch, ids, opened, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode

TEXT = pa.string()
sets = st.frozensets(st.integers(0, 12), max_size=8)
texts = st.sampled_from(HOSTILE)
loose = st.lists(st.fixed_dictionaries({"email": texts, "n": st.none() | st.integers(0, 2)}), max_size=8)
LOOSE = {"email": TEXT, "n": pa.int64()}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("intersection")) as bench:
        yield bench


def common(bench, *members) -> list[int]:
    context = bench.context([bench.set(one) for one in members])
    return ids(context, apply("intersection", context)["result"])


@settings(max_examples=20)
@given(one=sets, two=sets, three=sets)
def test_set_laws(bench, one, two, three) -> None:
    assert common(bench, one, two, three) == sorted(one & two & three)
    assert common(bench, three, one, two) == common(bench, one, two, three)
    context = bench.context([bench.set(one), bench.set(two)])
    inner = apply("intersection", context)["result"]
    again = bench.context([inner, bench.set(three)])
    assert ids(again, apply("intersection", again)["result"]) == common(bench, one, two, three)
    assert common(bench, one, one) == sorted(one)
    assert common(bench, one, []) == []
    # who is in both is in the first
    joined = bench.context([inner, bench.set(one)])
    assert ids(joined, apply("union", joined)["result"]) == sorted(one)


@settings(max_examples=15)
@given(one=sets, two=st.lists(st.integers(0, 12), max_size=12), data=st.data())
def test_result_and_complement_are_the_first_set(bench, one, two, data) -> None:
    rows = [{"profile_id": number, "city": f"c{number}"} for number in data.draw(st.permutations(sorted(one)))]
    first = bench.rows(rows, {"profile_id": pa.int64(), "city": TEXT}, "profile")
    found = run(bench, "intersection", [first, bench.set(two)], complement=True)  # `two` has some of them twice
    assert bag(found["result"]) == bag(row for row in rows if row["profile_id"] in two)
    assert bag(found["complement"]) == bag(row for row in rows if row["profile_id"] not in two)


@settings(max_examples=20)
@given(one=loose, two=loose, by=st.sampled_from([[], ["email"], ["n"], ["n", "email"]]))
def test_rows_of_files_are_compared_by_columns(bench, one, two, by) -> None:
    names = by or ["email", "n"]
    there = {tuple(row[name] for name in names) for row in two}
    found = run(bench, "intersection", [bench.rows(one, LOOSE), bench.rows(two, LOOSE)], by=by, complement=True)
    assert bag(found["result"]) == bag(row for row in one if tuple(row[name] for name in names) in there)
    assert bag(found["complement"]) == bag(row for row in one if tuple(row[name] for name in names) not in there)


def test_ids_are_compared_by_the_id(bench) -> None:
    columns = {"profile_id": pa.int64(), "id": TEXT}
    one = bench.rows([{"profile_id": 1, "id": "x"}, {"profile_id": 1, "id": "y"}], columns, "declared", "crm")
    two = bench.rows([{"profile_id": 2, "id": "y"}], columns, "declared", "crm")
    found = run(bench, "intersection", [one, two], complement=True)
    assert found == {"result": [{"profile_id": 1, "id": "y"}], "complement": [{"profile_id": 1, "id": "x"}]}


def test_a_branch_that_was_not_taken_is_left_out(bench) -> None:
    assert common(bench, [1, 2]) == [1, 2]


@pytest.mark.parametrize("kind", ["intersection", "exclusion"])
@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, kind, mode) -> None:
    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        for population in apply(kind, context, complement=True, **values).values():
            assert fetch(context, population) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    people, texts = bench.set([1]), bench.rows([{"n": "x"}], {"n": TEXT})
    numbers, other = bench.rows([{"n": 1}], {"n": pa.int64()}), bench.rows([], {"m": TEXT})
    web = bench.rows([], {"profile_id": pa.int64(), "id": TEXT}, "visitor", "web")
    assert paths(people, texts, web) == ["from[1]", "from[2]"]
    assert paths() == ["from"]
    assert paths(people, people, by=["profile_id"]) == ["by"]
    assert paths(web, web, by=["id"]) == ["by"]
    assert paths(texts, numbers) == ["by"]
    assert paths(texts, other) == ["by"]
    assert paths(texts, texts, by=["n", "m"]) == ["by[1]"]
