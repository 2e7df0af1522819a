"""Exclusion against sets; De Morgan's laws with union and intersection; rows of files with missing values."""

from __future__ import annotations

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, ids, opened, run
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = pa.string()
sets = st.frozensets(st.integers(0, 12), max_size=8)
loose = st.lists(
    st.fixed_dictionaries({"email": st.sampled_from(HOSTILE), "n": st.none() | st.integers(0, 2)}), max_size=8
)
LOOSE = {"email": TEXT, "n": pa.int64()}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("exclusion")) as bench:
        yield bench


def done(bench, kind, *inputs, transition="result", **values):
    return apply(kind, bench.context(inputs), **values)[transition]


def members(bench, population) -> list[int]:
    return ids(bench.context(), population)


@settings(max_examples=20)
@given(one=sets, two=sets, three=sets)
def test_set_laws(bench, one, two, three) -> None:
    a, b, c = bench.set(one), bench.set(two), bench.set(three)
    assert members(bench, done(bench, "exclusion", a, b, c)) == sorted(one - two - three)
    assert members(bench, done(bench, "exclusion", a, c, b)) == sorted(one - two - three)
    assert members(bench, done(bench, "exclusion", a, a)) == []
    # De Morgan: a - (b or c) = (a - b) and (a - c); a - (b and c) = (a - b) or (a - c)
    without_b, without_c = done(bench, "exclusion", a, b), done(bench, "exclusion", a, c)
    either, both = done(bench, "union", b, c), done(bench, "intersection", b, c)
    neither = members(bench, done(bench, "intersection", without_b, without_c))
    assert members(bench, done(bench, "exclusion", a, either)) == neither == sorted(one - (two | three))
    not_both = members(bench, done(bench, "union", without_b, without_c))
    assert members(bench, done(bench, "exclusion", a, both)) == not_both == sorted(one - (two & three))
    # what is taken out, and what stays, are what came in
    out = done(bench, "exclusion", a, b, c, transition="complement", complement=True)
    assert members(bench, out) == sorted(one & (two | three))


@settings(max_examples=20)
@given(one=loose, two=loose, three=loose, by=st.sampled_from([[], ["email"], ["n"]]), data=st.data())
def test_rows_of_files_are_compared_by_columns(bench, one, two, three, by, data) -> None:
    names = by or ["email", "n"]
    there = {tuple(row[name] for name in names) for row in [*two, *three]}
    inputs = [bench.rows(data.draw(st.permutations(part)), LOOSE) for part in (one, two * 2, three)]
    found = run(bench, "exclusion", inputs, by=by, complement=True)
    assert bag(found["result"]) == bag(row for row in one if tuple(row[name] for name in names) not in there)
    assert bag(found["complement"]) == bag(row for row in one if tuple(row[name] for name in names) in there)


def test_ids_are_compared_by_the_id(bench) -> None:
    columns = {"profile_id": pa.int64(), "id": TEXT}
    one = bench.rows([{"profile_id": 1, "id": "x"}, {"profile_id": 1, "id": "y"}], columns, "declared", "crm")
    two = bench.rows([{"profile_id": 2, "id": "y"}], columns, "declared", "crm")
    found = run(bench, "exclusion", [one, two], complement=True)
    assert found == {"result": [{"profile_id": 1, "id": "x"}], "complement": [{"profile_id": 1, "id": "y"}]}


def test_the_columns_of_the_first_set_go_on(bench) -> None:
    first = bench.rows(
        [{"profile_id": n, "id": "x"} for n in (1, 2)], {"profile_id": pa.int64(), "id": TEXT}, "profile"
    )
    assert run(bench, "exclusion", [first, bench.set([2])])["result"] == [{"profile_id": 1, "id": "x"}]


def test_no_cross_join(bench) -> None:
    for kind in ("exclusion", "intersection"):
        inputs = [bench.rows([], LOOSE) for _ in range(3)]
        for population in apply(kind, bench.context(inputs), complement=True).values():
            statement = bench.engine.sql(population.relation).upper()
            assert "CROSS JOIN" not in statement
            assert " ON TRUE" not in statement
