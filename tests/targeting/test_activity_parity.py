"""The activities that compute give the same rows on DuckDB and on Spark, on values made to part them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from flow_context import Flow, _template, apply, fetch

import symbolon
from symbolon.lake.duckdb import DuckDbEngine
from symbolon.lake.spark import SparkEngine
from symbolon.testing import BothEngines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.usefixtures("warm_spark"), pytest.mark.spark]

ROWS = pa.table(
    {
        "mail": [
            "johndoe@example.com",
            " MIXED@example.com",
            "shared@example.org",
            "a@b.example",
            "\u00a0x@y.example",
            "",
            None,
        ],
        "town": ["Paris", "Nice ", " Paris", "Łódź", "", "\tRome", None],
        "n": pa.array([1, None, 3, 4, 5, 6, 7], pa.int64()),
    }
)


@contextmanager
def both(folder: Path) -> Iterator[Flow]:
    shutil.copytree(_template(), folder / "project")
    root = folder / "project" / "lake"
    engines = BothEngines(DuckDbEngine(root), SparkEngine(root, "local[2]"), root / "tmp", in_process=True)
    with engines, symbolon.open(folder / "project") as project:
        project.__dict__["engine"] = engines
        with project.lake.attempt("step") as first, project.lake.attempt("step") as second:
            yield Flow(project, iter([first, second]))
    assert engines.compared


@pytest.fixture
def flow(tmp_path) -> Iterator[Flow]:
    with both(tmp_path) as flow:
        yield flow


@pytest.mark.parametrize("unidentified", ["ignore", "keep"])
def test_reconciliation(flow: Flow, unidentified: str) -> None:
    context = flow.context(inputs=[flow.rows(ROWS)])
    outcome = apply(
        "reconciliation",
        context,
        keys=[{"column": "mail", "field": "email"}, {"column": "town", "field": "city"}],
        unidentified=unidentified,
        create_profiles=unidentified == "ignore",
    )
    assert context.facts["identified"]
    fetch(context, outcome["result"])
    fetch(context, outcome["complement"])


def test_update_data(flow: Flow) -> None:
    context = flow.context(inputs=[flow.rows(ROWS)])
    outcome = apply("update_data", context, operation="insert", key="email", set={"email": "mail", "city": "town"})
    fetch(context, outcome["result"])
    fetch(context, outcome["rejects"])


def test_update_data_of_people(flow: Flow) -> None:
    context = flow.context(inputs=[flow.people("city")])
    outcome = apply("update_data", context, set={"state": "upper(city)"}, where="city != 'Lyon'")
    assert context.facts["updated"]
    fetch(context, outcome["result"])


def test_files_and_branches(flow: Flow) -> None:
    (flow.inbox / "rows.csv").write_text("mail,n\na@b.example,1\nc@d.example,x\n")
    context = flow.context()
    loaded = apply("load_file", context, file="rows.csv", columns={"mail": "text", "n": "integer"})
    assert [len(fetch(context, loaded[name])) for name in ("result", "rejects")] == [1, 1]
    context = flow.context(inputs=[loaded["result"]])
    apply("extract_file", context, file="rows.csv", order_by="mail")
    assert set(apply("test", context, branches=[{"name": "one", "if": "count == 1"}])) == {"one"}
