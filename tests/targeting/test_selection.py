"""People chosen by formulas: the same as sets in Python, also where a condition is unknown, without any join."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.lake.duckdb import DuckDbEngine
from symbolon.targeting.selection import EVERYBODY, Selection, counts

#: profile_id, two values of which each may be missing
PEOPLE = [(n, [None, 1, 2][n % 3], [None, True, False][n // 3 % 3]) for n in range(18)]
#: name -> the predicate, and the same in Python: None is unknown
LEAVES = {
    "one": (lambda t: t.a == 1, lambda a, _: None if a is None else a == 1),
    "not two": (lambda t: ~(t.a == 2), lambda a, _: None if a is None else a != 2),
    "flag": (lambda t: t.b, lambda _, b: b),
    "missing": (lambda t: t.b.isnull(), lambda _, b: b is None),
    "nobody": (lambda t: ibis.literal(value=False), lambda *_: False),
}
#: a leaf, everybody (None), or sets combined
SETS = st.recursive(
    st.sampled_from([None, *LEAVES]),
    lambda inner: st.tuples(st.sampled_from(["both", "either", "without"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with DuckDbEngine(tmp_path_factory.mktemp("lake"), threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def people(engine):
    ids, first, second = zip(*PEOPLE, strict=True)
    rows = {
        "profile_id": pa.array(ids, pa.int64()),
        "a": pa.array(first, pa.int64()),
        "b": pa.array(second, pa.bool_()),
    }
    return engine.relation(pa.table(rows))


def chosen(people, tree) -> Selection:
    if tree is None:
        return Selection(people)
    if isinstance(tree, str):
        return Selection(people).narrowed(people.filter(LEAVES[tree][0](people)))
    kind, parts = tree
    first, *others = (chosen(people, part) for part in parts)
    return getattr(first, kind)(others)


def expected(tree) -> set[int]:
    if tree is None:
        return {row[0] for row in PEOPLE}
    if isinstance(tree, str):
        return {n for n, a, b in PEOPLE if LEAVES[tree][1](a, b)}
    kind, parts = tree
    first, *others = (expected(part) for part in parts)
    combine = {"both": set.intersection, "either": set.union, "without": set.difference}
    return combine[kind](first, *others)


@given(trees=st.lists(SETS, min_size=1, max_size=4))
def test_formulas_choose_what_sets_would(engine, people, trees) -> None:
    selections = [chosen(people, tree) for tree in trees]
    for tree, selection in zip(trees, selections, strict=True):
        assert "JOIN" not in engine.sql(selection.rows)
        assert set(engine.fetch(selection.rows).column("profile_id").to_pylist()) == expected(tree)
    (found,) = engine.fetch(counts(selections)).to_pylist()
    assert list(found.values()) == [len(expected(tree)) for tree in trees]


def test_a_predicate_is_evaluated_once_for_all_counts(engine, people) -> None:
    one, flag = chosen(people, "one"), chosen(people, "flag")
    selections = [one, flag, one.both([flag]), one.either([flag]), flag.without([one])]
    sql = engine.sql(counts(selections))
    assert sql.count('"a" = ') == 1
    assert "JOIN" not in sql


def test_everybody_is_everybody(people) -> None:
    everybody = Selection(people)
    one = chosen(people, "one")
    assert one.either([everybody]).formula == EVERYBODY
    assert one.both([everybody]).formula == one.formula
    assert everybody.rows is people


def test_what_is_no_filter_of_the_same_people_is_no_formula(engine, people) -> None:
    one = chosen(people, "one")
    assert one.narrowed(people.semi_join(people, "profile_id")) is None
    assert one.narrowed(people.limit(1)) is None
    other = Selection(engine.relation(pa.table({"profile_id": pa.array([1], pa.int64())})))
    assert one.both([other]) is None


def test_formulas_stay_small(people) -> None:
    """What engines would be slow at is told, so that rows are joined instead; a chain does not become deep."""
    chain = Selection(people)
    for number in range(150):
        chain = chain.narrowed(people.filter(people.profile_id != number))
    assert chain.formula.depth == 2
    wide: Selection | None = chain
    for number in range(150, 300):
        wide = wide and wide.narrowed(people.filter(people.profile_id != number))
    assert wide is None
    deep: Selection | None = Selection(people)
    for number in range(40):
        kind = ("both", "either", "without")[number % 3]
        other = Selection(people).narrowed(people.filter(people.profile_id > number))
        deep = deep and getattr(deep, kind)([other])
    assert deep is None
