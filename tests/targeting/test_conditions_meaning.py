"""Conditions keep the rows that the plain reference keeps, on DuckDB and on Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pytest
from condition_cases import CONDITIONS, LINKED, SCHEMA, OnEngine, expected
from condition_oracle import holds

from symbolon.lake.duckdb import DuckDbEngine
from symbolon.targeting.conditions import compile_condition, parse_condition

if TYPE_CHECKING:
    from collections.abc import Iterator


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
