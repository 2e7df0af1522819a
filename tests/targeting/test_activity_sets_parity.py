"""DuckDB and Spark give the same rows for each of these activities, on values made to part them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from activity_context import HOSTILE, Bench, apply, people_of

from symbolon.lake.duckdb import DuckDbEngine
from symbolon.lake.spark import SparkEngine
from symbolon.targeting.population import Population
from symbolon.testing import BothEngines

pytestmark = [pytest.mark.usefixtures("warm_spark"), pytest.mark.spark]

PEOPLE = people_of(90)
FILE = {
    "email": pa.string(), "n": pa.int64(), "flag": pa.bool_(), "day": pa.date32(),
    "seen": pa.timestamp("us", tz="UTC"),
}  # fmt: skip
FRENCH = "country = 'FR' AND NOT coalesce(opt_out_email, FALSE)"
SEEN = "city = 'Paris' OR EXISTS (SELECT 1 FROM links WHERE last_seen > TIMESTAMP '2026-06-10 00:00:00')"


def file_rows(count: int, step: int) -> list[dict]:
    return [
        {
            "email": HOSTILE[number * step % len(HOSTILE)],
            "n": None if number % 5 == 0 else number % 4 - 1,
            "flag": [True, False, None][number % 3],
            "day": date(1582, 10, 1) + timedelta(days=number * 9) if number % 4 else None,
            "seen": datetime(2026, 6, 1, 0, 0, 0, number, tzinfo=UTC) if number % 6 else None,
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def bench(tmp_path_factory, warm_spark):
    root = tmp_path_factory.mktemp("parity") / "lake"
    both = BothEngines(DuckDbEngine(root), SparkEngine(root, "local[2]"), root / "tmp" / "twin")
    with both:
        bench = Bench(both, root / "tmp" / "bench")
        bench.people(PEOPLE)
        bench.links(
            {"d0": n, "d1": 2**62 + n, "profile_id": n % 50, "last_seen": datetime(2026, 6, 1 + n % 28, tzinfo=UTC)}
            for n in range(80)
        )
        yield bench


def compared(bench: Bench, kind: str, *inputs: Population, **values) -> dict[str, Population]:
    """Do an activity and compare what both engines have on its transitions, in one statement each."""
    context = bench.context(inputs)
    outcome = apply(kind, context, **values)
    assert not context.faults
    for population in outcome.values():
        bench.engine.fetch(population.relation, limit=None)
    context.finish()
    return outcome


def test_people(bench: Bench) -> None:
    everybody, some = bench.set(range(1, 91)), bench.set(range(30, 120))
    columns = {"profile_id": pa.int64(), "city": pa.string()}
    wide = bench.rows([{"profile_id": n, "city": HOSTILE[n % len(HOSTILE)]} for n in range(60)], columns, "profile")
    compared(bench, "union", everybody, some, limit=40, order="city DESC NULLS FIRST, points")
    compared(bench, "union", some, wide, everybody, columns=["city"])
    compared(bench, "intersection", wide, some, complement=True)
    compared(bench, "exclusion", wide, some, complement=True)
    compared(bench, "deduplication", wide, by=["city", "lower(country)"], order="points DESC", complement=True)
    compared(bench, "deduplication", everybody, by=["email"], method="random", missing="same")
    split = [
        {"name": "test", "limit": "20%", "code": "t'"},
        {"name": "french", "where": FRENCH, "limit": 7, "order": "modified DESC, city"},
        {"name": "seen", "where": SEEN},
    ]
    compared(bench, "segmentation", everybody, segments=split)
    compared(
        bench, "enrichment", everybody, wide,
        columns={"mail": "lower(email)"},
        links={"browsers": "count()", "last": "max(last_seen)", "least": "min(visitor_id)"},
        join={"columns": {"town": "city"}},
    )  # fmt: skip


def test_rows_of_files(bench: Bench) -> None:
    one, two = bench.rows(file_rows(70, 1), FILE), bench.rows(file_rows(50, 3), FILE)
    compared(bench, "union", one, two, distinct=True, limit=60)
    compared(bench, "intersection", one, two, by=["email", "n"], complement=True)
    compared(bench, "exclusion", one, two, complement=True)
    best = {"method": "values", "column": "email", "values": ["${city}", "\\", "'", ""]}
    compared(bench, "deduplication", one, by=["n"], records=2, complement=True, **best)
    compared(bench, "deduplication", one, by=["n"], method="non_empty", columns=["email", "flag"], missing="same")
    drawn = [{"name": "some", "where": "n >= 0", "limit": "40%"}, {"name": "others", "limit": 9}]
    compared(bench, "segmentation", one, segments=drawn)
    for rows, column in (("optional", "day"), ("many", "seen"), ("aggregate", "max(day)")):
        compared(
            bench, "enrichment", one, two, join={"on": {"email": "email"}, "rows": rows, "columns": {"new": column}}
        )


def test_what_is_read(bench: Bench) -> None:
    bench.library.put("french", None, "query", rule=FRENCH)
    compared(bench, "read_audience", audience="french", where=SEEN)
    for values in ({}, {"since": "modified"}, {"since": "birth_date"}):
        bench.memory.kept.clear()
        for _ in range(2):
            compared(bench, "incremental_query", where="points > 2", columns={"town": "upper(city)"}, **values)
