"""Rows written as CSV, NDJSON and Parquet, and read back by others."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from symbolon.sharing import Rows

SCHEMA = pa.schema([("name", pa.string()), ("count", pa.int64()), ("flag", pa.bool_())])
TEXT = st.one_of(
    st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.sampled_from(['a"b', "a,b", "a\nb"])
)


def rows(records: list[dict], schema: pa.Schema = SCHEMA) -> Rows:
    return Rows(schema, lambda: iter(pa.Table.from_pylist(records, schema=schema).to_batches(max_chunksize=3)))


@given(st.lists(st.fixed_dictionaries({"name": TEXT, "count": st.integers(0, 9), "flag": st.booleans()}), max_size=9))
def test_csv_reads_back(records):
    out = io.BytesIO()
    assert rows(records).write(out, "csv") == len(records)
    read = list(csv.reader(io.StringIO(out.getvalue().decode(), newline="")))
    assert read[0] == ["name", "count", "flag"]
    assert read[1:] == [[r["name"] or "", str(r["count"]), str(r["flag"]).lower()] for r in records]


def test_csv_quotes_only_what_needs_it():
    out = io.BytesIO()
    rows([{"name": "C1", "count": 1, "flag": None}, {"name": "a,b", "count": 2, "flag": True}]).write(out, "csv")
    assert out.getvalue() == b'name,count,flag\nC1,1,\n"a,b",2,true\n'


def test_moments_are_iso():
    schema = pa.schema([("seen", pa.timestamp("us", "UTC"))])
    out = io.BytesIO()
    rows([{"seen": dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)}], schema).write(out, "csv")
    assert out.getvalue() == b"seen\n2026-01-02T03:04:05Z\n"


def test_ndjson_and_parquet_read_back(tmp_path):
    records = [{"name": "ü", "count": n, "flag": None} for n in range(7)]
    out = io.BytesIO()
    assert rows(records).write(out, "ndjson") == 7
    assert [json.loads(line) for line in out.getvalue().splitlines()] == records
    assert rows(records).write(str(tmp_path / "x.parquet"), "parquet") == 7
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == records
    assert rows(records).to_pandas()["name"].tolist() == ["ü"] * 7
