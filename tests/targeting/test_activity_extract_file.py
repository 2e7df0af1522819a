"""Extract file: what is written is read again; names, empty files, hostile places, and doing it again."""

from __future__ import annotations

import csv
import gzip
import io
import json
import stat
from datetime import UTC, date, datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flow_context import NOW, FolderTransport, apply, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.targeting.activities._errors import PathRefused

STAMP = "20260701_083015"
TYPED = pa.table(
    {
        "text": ['a "quoted", one', "", None],
        "number": [1.5, None, -2.0],
        "whole": pa.array([1, None, 3], pa.int64()),
        "flag": [True, None, False],
        "day": pa.array([date(2026, 1, 2), None, date(1970, 1, 1)]),
        "moment": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None, None], pa.timestamp("us", tz="UTC")),
    }
)


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


def extract(flow, table=TYPED, **values):
    context = flow.context(inputs=[flow.rows(table)])
    inbound = context.inputs[0]
    assert apply("extract_file", context, **values) == {"result": inbound}
    assert not context.faults
    return context


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.tsv", "rows"])
def test_csv_is_read_again(flow, name: str) -> None:
    context = extract(flow, file=name)
    written = flow.outbox / context.facts["fileName"]
    raw = written.read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    rows = list(csv.reader(io.StringIO(text), delimiter="\t" if name.endswith(".tsv") else ","))
    assert rows == [
        TYPED.column_names,
        ['a "quoted", one', "1.5", "1", "true", "2026-01-02", "2026-01-02 03:04:05.000000Z"],
        ["", "", "", "", "", ""],
        ["", "-2", "3", "false", "1970-01-01", ""],
    ]
    assert written.name == name.replace("rows", f"rows_{STAMP}") + ("" if "." in name else ".csv")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert context.facts == {"fileName": written.name, "filesCount": 1, "rows": 3, "bytes": len(raw)}


def test_ndjson_and_parquet_keep_types(flow) -> None:
    context = extract(flow, file="rows.ndjson", timestamp=False)
    lines = [json.loads(line) for line in (flow.outbox / "rows.ndjson").read_text().splitlines()]
    assert lines[0] == {
        "text": 'a "quoted", one',
        "number": 1.5,
        "whole": 1,
        "flag": True,
        "day": "2026-01-02",
        "moment": "2026-01-02T03:04:05Z",
    }
    assert set(lines[1].values()) == {"", None}
    context = extract(flow, file="deep/er/rows.parquet")
    assert pq.read_table(flow.outbox / context.facts["fileName"]).equals(TYPED)


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, st.none() | st.integers(-9, 9)), max_size=30), delimiter=st.sampled_from(",;|\t"))
def test_every_row_comes_back(flow, rows: list[tuple[str, int | None]], delimiter: str) -> None:
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.string()), "b": pa.array([b for _, b in rows], pa.int64())}
    )
    extract(flow, table, file="rows.csv", timestamp=False, delimiter=delimiter)
    text = (flow.outbox / "rows.csv").read_bytes().decode()
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert read == [["a", "b"], *[[a, "" if b is None else str(b)] for a, b in rows]]


def test_columns_are_expressions_over_profile_and_transition(flow) -> None:
    people = flow.people()
    carried = people.of(people.relation.mutate(city=ibis.literal("Rome")))
    context = flow.context(inputs=[carried])
    apply(
        "extract_file",
        context,
        file="people.csv",
        timestamp=False,
        columns={"Number": "external_id", "mail": "lower(email)", "place": "upper(city)"},
        order_by="external_id",
    )
    lines = (flow.outbox / "people.csv").read_text().splitlines()
    assert lines[:2] == ['"Number","mail","place"', '"C1","johndoe@example.com","ROME"']
    assert len(lines) == 8
    assert "profile_id" not in lines[0]


def test_an_empty_file_is_left_out_if_asked(flow) -> None:
    nothing = TYPED.slice(0, 0)
    assert extract(flow, nothing, file="rows.csv", if_empty="skip").facts == {
        "fileName": None,
        "filesCount": 0,
        "rows": 0,
    }
    assert list(flow.outbox.iterdir()) == []
    extract(flow, nothing, file="rows.csv")
    extract(flow, nothing, file="rows.parquet")
    assert len(list(flow.outbox.iterdir())) == 2


def test_again_after_a_crash_makes_no_second_file(flow) -> None:
    part = flow.outbox / f".rows_{STAMP}.csv.part"
    extract(flow, file="rows.csv")
    before = (flow.outbox / f"rows_{STAMP}.csv").read_bytes()
    extract(flow, file="rows.csv")
    assert [path.name for path in flow.outbox.iterdir()] == [f"rows_{STAMP}.csv"]
    assert (flow.outbox / f"rows_{STAMP}.csv").read_bytes() == before
    assert not part.exists()
    later = flow.context(inputs=[flow.rows(TYPED)], now=NOW + timedelta(days=1))
    apply("extract_file", later, file="rows.csv")
    assert len(list(flow.outbox.iterdir())) == 2


@pytest.mark.parametrize("transport", ["", "far"])
def test_runs_of_the_same_second_write_files_of_their_own(flow, tmp_path, transport: str) -> None:
    far = FolderTransport(tmp_path / "far")
    names: dict[tuple[str, str], set[str]] = {}
    for place, (run, step) in enumerate([("one", "a"), ("two", "a"), ("one", "b"), ("two", "a"), ("one-r1", "a")]):
        rows = pa.table({"who": [f"{run} {step}"]})
        context = flow.context(
            inputs=[flow.rows(rows)],
            run_id=run,
            activity=step,
            transports={"far": far},
            now=NOW.replace(microsecond=place),
        )
        apply("extract_file", context, file="rows.csv", transport=transport)
        names.setdefault((run.removesuffix("-r1"), step), set()).add(context.facts["fileName"])
    assert names["one", "a"] == {f"rows_{STAMP}.csv"}
    assert [len(found) for found in names.values()] == [1, 1, 1]
    root = far.root if transport else flow.outbox
    assert len(list(root.iterdir())) == 3
    for (run, step), (name,) in names.items():
        last = "one-r1" if (run, step) == ("one", "a") else run  # what is done again takes the place of its own file
        assert f"{last} {step}" in (root / name).read_text()


def test_a_write_that_fails_leaves_the_old_file(flow, monkeypatch) -> None:
    extract(flow, file="rows.csv", timestamp=False)
    before = (flow.outbox / "rows.csv").read_bytes()
    from symbolon.targeting.activities import extract_file

    def cut(source, sink, size) -> None:
        sink.write(source.read(10))
        raise KeyboardInterrupt

    monkeypatch.setattr(extract_file.shutil, "copyfileobj", cut)
    with pytest.raises(KeyboardInterrupt):
        extract(flow, TYPED.slice(0, 1), file="rows.csv", timestamp=False)
    assert [path.name for path in flow.outbox.iterdir()] == ["rows.csv"]
    assert (flow.outbox / "rows.csv").read_bytes() == before


def test_a_plan_writes_nothing(flow) -> None:
    context = flow.plan(inputs=[flow.rows(TYPED)])
    apply("extract_file", context, file="rows.csv")
    assert context.facts == {"fileName": f"rows_{STAMP}.csv", "filesCount": 1, "rows": 3}
    assert list(flow.outbox.iterdir()) == []


def test_a_transport_takes_the_file(flow, tmp_path) -> None:
    far = FolderTransport(tmp_path / "far")
    for _ in range(2):
        context = flow.context(inputs=[flow.rows(TYPED)], transports={"far": far}, parameters={"country": "fr"})
        apply("extract_file", context, file="out/${country}.csv", transport="far")
    assert [one.name for one in far.list("out")] == [f"out/fr_{STAMP}.csv"]
    assert list(flow.outbox.iterdir()) == []


@pytest.mark.parametrize("name", ["../rows.csv", "/srv/rows.csv", "linked/rows.csv", "${country}.csv", ".rows.csv"])
def test_nothing_is_written_outside_the_outbox(flow, tmp_path, name: str) -> None:
    (flow.outbox / "linked").symlink_to(tmp_path)
    before = sorted(tmp_path.rglob("*.csv"))
    context = flow.context(inputs=[flow.rows(TYPED)], parameters={"country": "../fr"})
    with pytest.raises(PathRefused):
        apply("extract_file", context, file=name)
    assert sorted(tmp_path.rglob("*.csv")) == before


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"file": "../x.csv"}, ["file"]),
        ({"file": "x*.csv"}, ["file"]),
        ({"file": "x.parquet.gz"}, ["file"]),
        ({"file": "x.csv", "delimiter": "ab"}, ["delimiter"]),
        ({"file": "x.csv", "delimiter": '"'}, ["delimiter"]),
        ({"file": "x.ndjson", "delimiter": ";"}, ["delimiter"]),
        ({"file": "x.csv", "transport": "/etc"}, ["transport"]),
        ({"file": "x.csv", "transport": "file:///etc"}, ["transport"]),
        ({"file": "x.csv", "transport": "lake"}, ["transport"]),
        ({"file": "x.csv", "transport": "s3://${bucket}/../x"}, ["transport"]),
        ({"file": "x.csv", "columns": {"a": "text", "A": "number"}}, ["columns"]),
        ({"file": "x.csv", "columns": {"a": "nothing", "b": "text"}, "order_by": "none"}, ["order_by", "columns.a"]),
    ],
)
def test_every_fault_is_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check(inputs=[flow.rows(TYPED)])
    apply("extract_file", context, **values)
    assert context.paths == paths


def test_profiles_need_columns(flow) -> None:
    context = flow.check(inputs=[flow.people()])
    apply("extract_file", context, file="people.csv")
    assert context.paths == ["columns"]
