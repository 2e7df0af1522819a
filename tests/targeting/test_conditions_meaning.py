"""Conditions keep the rows that the plain reference keeps, on DuckDB and on Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import condition_strategies as by_chance
import pytest
from condition_cases import CONDITIONS, EXPRESSIONS, LINKED, SCHEMA, OnEngine, expected, same, values
from condition_oracle import holds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.lake.duckdb import DuckDbEngine
from symbolon.targeting.conditions import compile_condition, compile_expression, parse_condition, parse_expression
from symbolon.targeting.conditions.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbEngine]:
    with DuckDbEngine(tmp_path_factory.mktemp("conditions") / "lake") as engine:
        yield engine


@pytest.fixture(scope="module")
def scope(duck: DuckDbEngine) -> OnEngine:
    return OnEngine(duck)


def kept(engine, scope: OnEngine, condition) -> list[int]:
    rows = compile_condition(condition, scope.people, scope)
    assert rows.schema() == scope.people.schema()
    found = engine.fetch(rows.select("profile_id"))
    return sorted(found.column("profile_id").to_pylist())


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_keeps_what_the_reference_keeps(duck: DuckDbEngine, scope: OnEngine, text: str) -> None:
    condition = parse_condition(text, SCHEMA, linked=LINKED)
    assert kept(duck, scope, condition) == expected(condition, holds)


def test_most_conditions_tell_rows_apart() -> None:
    """Else the cases would prove little."""
    counts = [len(expected(parse_condition(text, SCHEMA, linked=LINKED), holds)) for text in CONDITIONS]
    assert sum(0 < count < 53 for count in counts) >= len(counts) - 4


def test_expressions_have_the_values_of_the_reference(duck: DuckDbEngine, scope: OnEngine) -> None:
    expressions = [parse_expression(text, SCHEMA, linked=LINKED) for text in EXPRESSIONS]
    columns = {f"value_{place}": compile_expression(one, scope.people, scope) for place, one in enumerate(expressions)}
    assert [column.type() for column in columns.values()] == [one.type for one in expressions]
    rows = duck.fetch(scope.people.select("profile_id", **columns).order_by("profile_id"))
    for place, one in enumerate(expressions):
        found, wanted = rows.column(f"value_{place}").to_pylist(), values(one, holds)
        assert same(found, wanted), (EXPRESSIONS[place], found, wanted)


@MANY
@given(st.lists(by_chance.conditions(), min_size=2, max_size=4))
def test_conditions_by_chance_keep_what_the_reference_keeps(duck: DuckDbEngine, scope: OnEngine, trees) -> None:
    for tree in trees:
        condition = parse_condition(render(tree), SCHEMA, linked=LINKED)
        assert kept(duck, scope, condition) == expected(condition, holds)


@MANY
@given(st.fixed_dictionaries({kind: by_chance.values(kind, 3) for kind in by_chance.LEAVES}))
def test_values_by_chance_are_those_of_the_reference(duck: DuckDbEngine, scope: OnEngine, trees) -> None:
    expressions = {kind: parse_expression(render(tree), SCHEMA, linked=LINKED) for kind, tree in trees.items()}
    columns = {kind: compile_expression(one, scope.people, scope) for kind, one in expressions.items()}
    rows = duck.fetch(scope.people.select("profile_id", **columns).order_by("profile_id"))
    for kind, one in expressions.items():
        found, wanted = rows.column(kind).to_pylist(), values(one, holds)
        assert same(found, wanted), (one.text, found, wanted)
