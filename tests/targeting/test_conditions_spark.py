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
    """A statement of Spark takes a tenth of a second and a join more, so they are put together."""
    scope = OnEngine(spark)
    conditions = [parse_condition(text, SCHEMA, linked=LINKED) for text in CONDITIONS]
    joined = {one.text: one for one in conditions if one.linked or one.audiences}
    kept = [
        compile_condition(one, scope.people, scope).select(text=ibis.literal(text), profile_id="profile_id")
        for text, one in joined.items()
    ]
    found: dict[str, list[int]] = {text: [] for text in joined}
    rows = spark.fetch(ibis.union(*kept))
    for text, profile in zip(rows.column("text").to_pylist(), rows.column("profile_id").to_pylist(), strict=True):
        found[text].append(profile)
    plain = [one for one in conditions if one.text not in joined]
    columns = {f"kept_{place}": compile_expression(one, scope.people, scope) for place, one in enumerate(plain)}
    rows = spark.fetch(scope.people.select("profile_id", **columns))
    for place, one in enumerate(plain):
        told = zip(rows.column("profile_id").to_pylist(), rows.column(f"kept_{place}").to_pylist(), strict=True)
        found[one.text] = [profile for profile, is_kept in told if is_kept]
    different = {
        one.text: expected(one, holds) for one in conditions if sorted(found[one.text]) != expected(one, holds)
    }
    assert not different
    assert len(joined) >= 8


def test_expressions_have_the_same_values(spark: SparkEngine) -> None:
    scope = OnEngine(spark)
    expressions = [parse_expression(text, SCHEMA, linked=LINKED) for text in EXPRESSIONS]
    columns = {f"value_{place}": compile_expression(one, scope.people, scope) for place, one in enumerate(expressions)}
    rows = spark.fetch(scope.people.select("profile_id", **columns).order_by("profile_id"))
    for place, one in enumerate(expressions):
        wanted = values(one, holds)
        assert same(rows.column(f"value_{place}").to_pylist(), wanted), EXPRESSIONS[place]
