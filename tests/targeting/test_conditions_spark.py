"""The same conditions keep the same rows on Spark, and expressions have the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pytest
from condition_cases import CONDITIONS, EXPRESSIONS, LINKED, SCHEMA, OnEngine, expected, same, values
from condition_oracle import holds

from symbolon.lake.spark import SparkEngine
from symbolon.targeting.conditions import compile_condition, compile_expression, parse_condition, parse_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.usefixtures("warm_spark"), pytest.mark.spark]
_ = ibis.pyspark  # registers the options that Ibis's compiler for Spark asks for where there are floating numbers


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory, warm_spark: None) -> Iterator[SparkEngine]:
    with SparkEngine(tmp_path_factory.mktemp("conditions") / "lake", "local[2]") as engine:
        yield engine


def test_conditions_keep_the_same_rows(spark: SparkEngine) -> None:
    """All in one statement, but for its parts: a statement of Spark takes a tenth of a second."""
    scope = OnEngine(spark)
    conditions = [parse_condition(text, SCHEMA, linked=LINKED) for text in CONDITIONS]
    kept = [
        compile_condition(one, scope.people, scope).select(place=ibis.literal(place), profile_id="profile_id")
        for place, one in enumerate(conditions)
    ]
    found: dict[int, list[int]] = {}
    for begin in range(0, len(kept), 20):
        rows = spark.fetch(ibis.union(*kept[begin : begin + 20]))
        for place, profile in zip(rows.column("place").to_pylist(), rows.column("profile_id").to_pylist(), strict=True):
            found.setdefault(place, []).append(profile)
    different = {
        text: (sorted(found.get(place, [])), wanted)
        for place, text in enumerate(CONDITIONS)
        if sorted(found.get(place, [])) != (wanted := expected(conditions[place], holds))
    }
    assert not different


def test_expressions_have_the_same_values(spark: SparkEngine) -> None:
    scope = OnEngine(spark)
    expressions = [parse_expression(text, SCHEMA, linked=LINKED) for text in EXPRESSIONS]
    columns = {f"value_{place}": compile_expression(one, scope.people, scope) for place, one in enumerate(expressions)}
    rows = spark.fetch(scope.people.select("profile_id", **columns).order_by("profile_id"))
    for place, one in enumerate(expressions):
        wanted = values(one, holds)
        assert same(rows.column(f"value_{place}").to_pylist(), wanted), EXPRESSIONS[place]
