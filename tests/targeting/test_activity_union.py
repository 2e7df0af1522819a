"""Union against a dict; set laws; columns, limits and faults."""

from __future__ import annotations

import pyarrow as pa
import pytest
from activity_context import HOSTILE, Bench, apply, bag, fetch, ids, opened, people_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode

TEXT = pa.string()
COLUMNS = {"profile_id": pa.int64(), "city": TEXT, "score": pa.int64()}
sets = st.frozensets(st.integers(0, 12), max_size=8)
texts = st.sampled_from(HOSTILE)
#: people with columns: a dict by number, so each is there once
wide = st.dictionaries(st.integers(0, 9), st.tuples(texts, st.none() | st.integers(-3, 3)), max_size=8)
loose = st.lists(st.fixed_dictionaries({"email": texts, "n": st.none() | st.integers(0, 2)}), max_size=8)
LOOSE = {"email": TEXT, "n": pa.int64()}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("union")) as bench:
        bench.people(people_of(40))
        yield bench


def listed(people: dict) -> list[dict]:
    return [{"profile_id": one, "city": city, "score": score} for one, (city, score) in people.items()]


def united(bench: Bench, *members) -> list[int]:
    context = bench.context([bench.set(one) for one in members])
    return ids(context, apply("union", context)["result"])


@settings(max_examples=20)
@given(one=sets, two=sets, three=sets)
def test_set_laws(bench, one, two, three) -> None:
    assert united(bench, one, two, three) == sorted(one | two | three)
    assert united(bench, three, one, two) == united(bench, one, two, three)
    context = bench.context([bench.set(one), bench.set(two)])
    inner = apply("union", context)["result"]
    again = bench.context([inner, bench.set(three)])
    assert ids(again, apply("union", again)["result"]) == united(bench, one, two, three)
    assert united(bench, one, one) == sorted(one)
    assert united(bench, one, []) == sorted(one)


@settings(max_examples=20)
@given(parts=st.lists(wide, min_size=1, max_size=4), data=st.data())
def test_the_first_set_has_its_columns(bench, parts, data) -> None:
    wanted = {}
    for part in reversed(parts):
        wanted.update(part)
    inputs = [bench.rows(data.draw(st.permutations(listed(part))), COLUMNS, "profile") for part in parts]
    for columns in ("shared", ["city", "score"]):
        assert bag(run(bench, "union", inputs, columns=columns)["result"]) == bag(listed(wanted))


@settings(max_examples=20)
@given(parts=st.lists(loose, min_size=2, max_size=3), distinct=st.booleans(), limit=st.none() | st.integers(0, 9))
def test_rows_of_files_are_put_together(bench, parts, distinct, limit) -> None:
    rows = [row for part in parts for row in part]
    if distinct:
        rows = [dict(one) for one in {(("email", row["email"]), ("n", row["n"])) for row in rows}]
    inputs = [bench.rows(part, LOOSE) for part in parts]
    found = run(bench, "union", inputs, distinct=distinct, limit=limit)["result"]
    if limit is None:
        assert bag(found) == bag(rows)
    else:
        rows.sort(
            key=lambda row: (row["email"] is None, (row["email"] or "").encode(), row["n"] is None, row["n"] or 0)
        )
        assert bag(found) == bag(rows[:limit])


@settings(max_examples=15)
@given(one=sets, two=sets, limit=st.integers(0, 15), data=st.data())
def test_a_limit_is_exact_and_ordered(bench, one, two, limit, data) -> None:
    points = {row["profile_id"]: row["points"] for row in people_of(40)}

    def place(number: int) -> tuple:
        value = points.get(number)
        return (value is None, -(value or 0), number)

    inputs = [bench.set(data.draw(st.permutations(sorted(part)))) for part in (one, two)]
    found = run(bench, "union", inputs, limit=limit, order="points DESC")["result"]
    assert {row["profile_id"] for row in found} == set(sorted(one | two, key=place)[:limit])
    assert len(found) == min(limit, len(one | two))


def test_a_set_without_a_column_gives_no_value(bench) -> None:
    plain = bench.set([1, 2])
    wide = bench.rows([{"profile_id": 2, "score": 7}, {"profile_id": 3, "score": 8}], {"profile_id": pa.int64(), "score": pa.int64()}, "profile")  # fmt: skip  # noqa: E501
    found = run(bench, "union", [plain, wide], columns=["score"])["result"]
    assert bag(found) == bag([{"profile_id": 1, "score": None}, {"profile_id": 2, "score": None}, {"profile_id": 3, "score": 8}])  # fmt: skip  # noqa: E501
    assert bag(run(bench, "union", [plain, wide], columns="shared")["result"]) == bag(
        [{"profile_id": n} for n in (1, 2, 3)]
    )


def test_whole_numbers_and_numbers_go_together(bench) -> None:
    one = bench.rows([{"n": 1}], {"n": pa.int64()})
    two = bench.rows([{"n": 0.5}], {"n": pa.float64()})
    assert bag(run(bench, "union", [one, two])["result"]) == bag([{"n": 1.0}, {"n": 0.5}])


def test_ids_of_one_source_are_told_apart_by_the_id(bench) -> None:
    columns = {"profile_id": pa.int64(), "id": TEXT}
    one = bench.rows([{"profile_id": 1, "id": "x"}, {"profile_id": 1, "id": "y"}], columns, "visitor", "web")
    two = bench.rows([{"profile_id": 2, "id": "y"}, {"profile_id": 2, "id": "z"}], columns, "visitor", "web")
    found = run(bench, "union", [one, two])["result"]
    assert bag(found) == bag([{"profile_id": 1, "id": "x"}, {"profile_id": 1, "id": "y"}, {"profile_id": 2, "id": "z"}])


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        for population in apply("union", context, **values).values():
            assert fetch(context, population) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    people, texts = bench.set([1]), bench.rows([{"n": "x"}], {"n": TEXT})
    numbers = bench.rows([{"n": 1}], {"n": pa.int64()})
    other = bench.rows([], {"m": TEXT})
    web = bench.rows([], {"profile_id": pa.int64(), "id": TEXT}, "visitor", "web")
    app = bench.rows([], {"profile_id": pa.int64(), "id": TEXT}, "visitor", "app")
    assert paths(people, texts, people, numbers) == ["from[1]", "from[3]"]
    assert paths(web, app) == ["from[1]"]
    assert paths() == ["from"]
    assert paths(texts, numbers) == ["columns"]
    assert paths(texts, other) == ["columns"]
    assert paths(people, people, columns=["nobody"]) == ["columns[0]"]
    assert paths(texts, texts, columns=["n", "n"]) == ["columns"]
    assert paths(texts, numbers, columns=["n"]) == ["columns[0]"]
    assert paths(people, people, distinct=True) == ["distinct"]
    assert paths(people, people, order="points") == ["order"]
    assert paths(people, people, order="pionts", limit=3) == ["order"]
    assert paths(people, people, columns=["profile_id"]) == []


def test_a_wrong_name_tells_the_nearest(bench) -> None:
    wide = bench.rows([], COLUMNS, "profile")
    context = bench.context([wide, wide])
    apply("union", context, columns=["scroe"])
    assert "`score`" in context.faults[0].hint


def test_one_statement_without_a_cross_join(bench) -> None:
    context = bench.context([bench.set([1]), bench.set([2]), bench.set([3])])
    for columns in ("keys", ["city"]):
        inputs = [bench.rows([], COLUMNS, "profile") for _ in range(3)]
        context = bench.context(inputs)
        statement = bench.engine.sql(apply("union", context, columns=columns, limit=3)["result"].relation).upper()
        assert "CROSS JOIN" not in statement
        assert "WHERE TRUE" not in statement
