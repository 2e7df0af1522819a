"""Load file: every line is a row or a rejected one, compared with a plain reader; hostile names and files."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flow_context import FolderTransport, apply, fetch, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.files import ColumnsError, FileCut, FileMissing
from symbolon.targeting.activities._errors import FileColumns, FileGrowing, PathRefused, RowsRejected
from symbolon.targeting.population import UNKNOWN

COLUMNS = {
    "email": {"type": "text", "case": "lower"},
    "amount": {"type": "number", "on_error": "default", "default": 0},
    "count": {"type": "integer", "on_error": "ignore"},
    "ordered": {"type": "date", "column": "Order Date", "empty": "reject"},
    "seen": "moment",
    "ok": "boolean",
}
HEADER = "Email,amount,count,order date,seen,ok,more\n"


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


def load(flow, **values):
    context = flow.context()
    outcome = apply("load_file", context, **values)
    assert not context.faults
    return context, fetch(context, outcome["result"]), fetch(context, outcome["rejects"])


def test_columns_are_typed_and_faulty_rows_told(flow) -> None:
    (flow.inbox / "orders.csv").write_text(
        HEADER
        + " A@B.example ,1.5,2,2026-01-02,2026-01-02T03:04:05Z,yes,x\n"
        + "b@b.example,much,many,2026-01-03,,no,x\n"
        + "c@b.example,1,1,,,,x\n"
        + "d@b.example,1,1,2026-13-01,,,x\n"
        + "e@b.example,1\n"
        + "\n"
        + "f@b.example,1,1,2026-01-04,,perhaps,x\n"
    )
    context, rows, rejects = load(flow, file="orders.csv", columns=COLUMNS)
    assert rows == [
        {
            "email": "a@b.example",
            "amount": 1.5,
            "count": 2,
            "ordered": date(2026, 1, 2),
            "seen": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "ok": True,
        },
        {"email": "b@b.example", "amount": 0.0, "count": None, "ordered": date(2026, 1, 3), "seen": None, "ok": False},
    ]
    assert sorted((one["line"], one["reason"], one["column"], one["raw"]) for one in rejects) == [
        (4, "missing_value", "ordered", ""),
        (5, "invalid_value", "ordered", "2026-13-01"),
        (6, "malformed_line", None, "e@b.example,1"),
        (8, "invalid_value", "ok", "perhaps"),
    ]
    assert {one["file"] for one in rejects} == {"orders.csv"}
    assert context.facts == {
        "fileName": "orders.csv",
        "filesCount": 1,
        "lines": 6,
        "rows": 2,
        "rejected": {"invalid_value": 2, "malformed_line": 1, "missing_value": 1},
    }
    assert context.warnings == ["orders.csv: 1 column of the file left out"]


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cell, st.one_of(cell, st.integers(-99, 99).map(str))), max_size=20),
    gz=st.booleans(),
)
def test_each_line_is_a_row_or_a_rejected_one(flow, rows: list[tuple[str, str]], gz: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("name", "number"), *rows])
    raw = text.getvalue().encode()
    (flow.inbox / "rows.csv").write_bytes(gzip.compress(raw) if gz else raw)
    context, loaded, rejects = load(flow, file="rows.csv", columns={"name": "text", "number": "integer"})
    expected, refused = [], 0
    for name, number in rows:
        try:
            value = int(number.strip(), 10) if number.strip() else None
        except ValueError:
            refused += 1
            continue
        expected.append((name.strip() or None, value))
    assert [(one["name"], one["number"]) for one in loaded] == expected
    assert len(rejects) == refused == sum(context.facts["rejected"].values())
    assert context.facts["lines"] == len(rows)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.text(st.sampled_from("aB1 \té€😀\u0301"), max_size=14), max_size=12),
    widths=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=4),
    header=st.booleans(),
    gz=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_columns_of_fixed_width_are_cut_by_signs(flow, lines, widths, header: bool, gz: bool, end: str) -> None:
    text = "".join(line + end for line in ["names", *lines] if line.strip(" \t") or line == "names")
    text = text if header else text.removeprefix("names" + end) + "last" + end
    (flow.inbox / "f.txt").write_bytes(gzip.compress(text.encode()) if gz else text.encode())
    columns, places, behind = {}, {}, 0
    for number, (gap, width) in enumerate(widths):
        start = behind + gap
        columns[f"c{number}"] = {"width": width, "trim": False} | ({"start": start + 1} if gap else {})
        places[f"c{number}"] = (start, start + width)
        behind = start + width
    context, rows, rejects = load(flow, file="f.txt", format="fixed", columns=columns, header=header)
    expected = [line for line in text.split(end) if line.strip(" \t")][1 if header else 0 :]
    cut = [{name: line[start:stop] or None for name, (start, stop) in places.items()} for line in expected]
    assert (rows, rejects, context.facts["lines"]) == (cut, [], len(expected))


def test_fixed_width_is_typed_and_faulty_rows_told(flow) -> None:
    (flow.inbox / "f.txt").write_bytes(
        "Müller    0012020-01-31ignored\nNobody    xx2020-02-01\nLi          3\n".encode() + b"\xff bad\n"
    )
    columns = {
        "name": {"width": 10},
        "count": {"type": "integer", "width": 3},
        "day": {"type": "date", "start": 14, "width": 10},
    }
    _, rows, rejects = load(flow, file="f.txt", format="fixed", columns=columns)
    assert rows == [
        {"name": "Müller", "count": 1, "day": date(2020, 1, 31)},
        {"name": "Li", "count": 3, "day": None},
    ]
    assert [(one["line"], one["reason"], one["column"], one["raw"]) for one in rejects] == [
        (2, "invalid_value", "count", "xx2"),
        (4, "bad_encoding", None, "\\xff bad"),
    ]


remapped = st.dictionaries(st.sampled_from(["a", "A", "b", "1", "", "é", "n/a"]), st.sampled_from(["x", "", None, 7]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.sampled_from(["a", "A", " a ", "b", "1", "é", "n/a", "zz", '""']), min_size=1), remap=remapped)
def test_values_are_remapped_as_a_dict_does(flow, cells, remap) -> None:
    (flow.inbox / "r.csv").write_text("c,d\n" + "".join(f"{cell},\n" for cell in cells))
    _, rows, _ = load(flow, file="r.csv", columns={"c": {"remap": remap}})
    stripped = [cell.strip(' "') for cell in cells]
    meant = [remap.get(cell, cell) for cell in stripped]
    assert [row["c"] for row in rows] == [None if value in (None, "") else str(value) for value in meant]


def test_remapped_values_have_the_type_of_their_column(flow) -> None:
    (flow.inbox / "r.csv").write_text("c,n,b\nJA,one,on\nja,2,off\nnein,three,x\n")
    columns = {
        "c": {"case": "lower", "remap": {"JA": "YES"}},
        "n": {"type": "integer", "remap": {"one": 1}, "on_error": "ignore"},
        "b": {"type": "boolean", "remap": {"on": True, "off": False, "x": None}, "empty": "reject"},
    }
    _, rows, rejects = load(flow, file="r.csv", columns=columns)
    assert rows == [{"c": "yes", "n": 1, "b": True}, {"c": "ja", "n": 2, "b": False}]
    assert [(one["reason"], one["column"], one["raw"]) for one in rejects] == [("missing_value", "b", "x")]
    pq.write_table(pa.table({"n": [1, 2, None]}), flow.inbox / "r.parquet")
    _, rows, _ = load(flow, file="r.parquet", columns={"n": {"type": "text", "remap": {"1": "one"}}})
    assert [row["n"] for row in rows] == ["one", "2", None]


def test_faults_of_places_and_remaps_are_told(flow) -> None:
    context = flow.check()
    columns = {
        "a": {"start": 0, "width": 3},
        "b": {"column": "B", "width": 200_000},
        "c": "text",
        "d": {"type": "integer", "width": 2, "remap": {"x": "secret"}},
    }
    apply("load_file", context, file="f.txt", format="fixed", columns=columns)
    assert sorted(context.paths) == [
        "columns.a.start",
        "columns.b.column",
        "columns.b.width",
        "columns.c",
        "columns.d.remap",
    ]
    assert not any("secret" in message for _, message, _ in context.faults)
    context = flow.check()
    apply("load_file", context, file="f.csv", columns={"a": {"width": 3}})
    apply("load_file", context, file="f.txt", format="fixed")
    assert context.paths == ["columns.a", "columns"]
    context = flow.check()
    over = {f"c{number}": {"start": 1, "width": 100_000} for number in range(11)}
    apply("load_file", context, file="f.txt", format="fixed", columns=over)
    assert context.paths == ["columns"]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("data", "rows"), [(b"\xef\xbb\xbf", 0), (b"\n \n", 0), (b"a", 1), (b"\n\na\n\nb", 2)])
def test_fixed_width_of_little_or_nothing(flow, data: bytes, rows: int, header: bool) -> None:
    (flow.inbox / "f.txt").write_bytes(data)
    _, found, rejects = load(flow, file="f.txt", format="fixed", columns={"a": {"width": 9}}, header=header)
    assert (len(found), rejects) == (max(rows - header, 0), [])


def test_undeclared_columns_are_those_of_the_file(flow) -> None:
    (flow.inbox / "plain.tsv").write_text("email\tcity\na@b.example\t Paris \n")
    _, rows, _ = load(flow, file="plain.tsv")
    assert rows == [{"email": "a@b.example", "city": " Paris "}]
    pq.write_table(pa.table({"n": [1, None], "d": pa.array([date(2026, 1, 1)] * 2)}), flow.inbox / "typed.parquet")
    _, rows, _ = load(flow, file="typed.parquet")
    assert rows == [{"n": 1, "d": date(2026, 1, 1)}, {"n": None, "d": date(2026, 1, 1)}]
    (flow.inbox / "lines.ndjson").write_text('{"n": 1, "t": "x"}\n{"n": 2}\nnonsense\n')
    _, rows, rejects = load(flow, file="lines.ndjson")
    assert rows == [{"n": 1, "t": "x"}, {"n": 2, "t": None}]
    assert [(one["line"], one["raw"]) for one in rejects] == [(3, "nonsense")]


def test_several_files_are_loaded_in_order(flow) -> None:
    for day, name in (("02", "b"), ("01", "a")):
        (flow.inbox / f"orders_{day}.csv").write_text(f"email\n{name}@b.example\n\xff")
    (flow.inbox / ".orders_03.csv").write_text("email\nhidden@b.example\n")
    context, rows, _ = load(flow, file="orders_*.csv", columns={"email": "text"})
    assert [one["email"][0] for one in rows if "@" in one["email"]] == ["a", "b"]
    assert (context.facts["filesCount"], context.facts["fileName"]) == (2, "orders_02.csv")


def test_a_file_without_header_has_numbered_columns(flow) -> None:
    (flow.inbox / "bare.csv").write_text("a@b.example;5\nc@d.example;6\n")
    _, rows, _ = load(
        flow, file="bare.csv", header=False, columns={"email": {"column": "1"}, "n": {"column": "2", "type": "integer"}}
    )
    assert rows == [{"email": "a@b.example", "n": 5}, {"email": "c@d.example", "n": 6}]


def test_parameters_and_transports_name_the_file(flow, tmp_path) -> None:
    (tmp_path / "far" / "in").mkdir(parents=True)
    (tmp_path / "far" / "in" / "fr.csv").write_text("email\na@b.example\n")
    far = FolderTransport(tmp_path / "far")
    for pattern in ("in/${country}.csv", "in/*.csv"):
        context = flow.context(transports={"far": far}, parameters={"country": "fr"})
        outcome = apply("load_file", context, file=pattern, transport="far", columns={"email": "text"})
        assert fetch(context, outcome["result"]) == [{"email": "a@b.example"}]
    context = flow.context(transports={"far": far}, parameters={"country": "../../secret"})
    with pytest.raises(PathRefused):
        apply("load_file", context, file="in/${country}.csv", transport="far", columns={"email": "text"})


@pytest.mark.parametrize(
    "name",
    [
        "../symbolon.db", "/etc/passwd", "in/../../symbolon.toml", "~/x.csv", "C:/x.csv", "..\\x.csv", "a\x00b.csv",
        "", " ", "in/", ".hidden.csv", "in/.part/x.csv", "x" * 2000, "a\nb.csv", "out.csv", "linked/x.csv",
    ],
)  # fmt: skip
def test_nothing_outside_the_inbox_is_read(flow, tmp_path, name: str) -> None:
    (tmp_path / "x.csv").write_text("email\nsecret@b.example\n")
    (flow.inbox / "out.csv").symlink_to(tmp_path / "x.csv")
    (flow.inbox / "linked").symlink_to(tmp_path)
    with pytest.raises(PathRefused) as refused:
        apply("load_file", flow.context(), file=name, columns={"email": "text"})
    assert str(tmp_path) not in str(refused.value)
    # a pattern leaves the link out
    with pytest.raises(FileMissing):
        apply("load_file", flow.context(), file="out*", columns={"email": "text"})


def test_faults_of_options_are_all_told(flow) -> None:
    context = flow.check()
    outcome = apply(
        "load_file",
        context,
        file="../x.csv",
        max_rejected="many",
        columns={
            "a": {"type": "number", "case": "upper"},
            "A": "text",
            "b": {"type": "date", "default": "soon"},
            "c": {"on_error": "default"},
            " ": "text",
        },
    )
    assert sorted(context.paths) == [
        "columns", "columns. ", "columns.a.case", "columns.b.default", "columns.c", "file", "max_rejected",
    ]  # fmt: skip
    assert all(hint for _, _, hint in context.faults)
    assert outcome["result"].dimension == UNKNOWN


def test_a_check_knows_the_columns_and_reads_no_rows(flow) -> None:
    context = flow.check(parameters={"day": ""})
    outcome = apply("load_file", context, file="later_${day}.csv", columns={"email": "text", "n": "integer"})
    assert outcome["result"].relation.schema().to_pyarrow() == pa.schema([("email", pa.string()), ("n", pa.int64())])
    (flow.inbox / "here.csv").write_text("email,city\na@b.example,Paris\n")
    outcome = apply("load_file", context, file="here.csv")
    assert outcome["result"].relation.columns == ("email", "city")
    assert fetch(context, outcome["result"]) == []
    assert not context.faults
    for name in ("later.csv", "later_${day}.csv"):
        context = flow.check()
        apply("load_file", context, file=name)
        assert "columns" in context.paths


def test_files_that_cannot_be_used_are_refused(flow) -> None:
    (flow.inbox / "x.csv").write_text("email\na@b.example\n")
    with pytest.raises(FileColumns, match="birthday"):
        load(flow, file="x.csv", columns={"birthday": "date"})
    with pytest.raises(FileMissing):
        load(flow, file="y.csv", columns={"email": "text"})
    assert load(flow, file="y.csv", columns={"email": "text"}, missing="empty")[1:] == ([], [])
    (flow.inbox / "twice.csv").write_text("email,Email\na,b\n")
    with pytest.raises(ColumnsError):
        load(flow, file="twice.csv")
    (flow.inbox / "cut.csv.gz").write_bytes(gzip.compress(b"email\n" + b"a@b.example\n" * 1000)[:-20])
    with pytest.raises(FileCut):
        load(flow, file="cut.csv.gz", columns={"email": "text"})


def test_too_many_rejected_rows_stop_the_run(flow) -> None:
    (flow.inbox / "x.csv").write_text("n\n1\n2\nx\ny\n")
    for limit in ("49%", 1, "1"):
        with pytest.raises(RowsRejected) as refused:
            load(flow, file="x.csv", columns={"n": "integer"}, max_rejected=limit)
        assert refused.value.details == {"rejected": {"invalid_value": 2}}
    assert len(load(flow, file="x.csv", columns={"n": "integer"}, max_rejected="50%")[1]) == 2


def test_a_file_that_grows_while_it_is_read_is_refused(flow, monkeypatch) -> None:
    path = flow.inbox / "x.csv"
    path.write_text("n\n1\n")
    from symbolon.targeting.activities import load_file

    real = load_file.open_table

    def growing(*args, **values):
        with path.open("a") as file:
            file.write("2\n")
        return real(*args, **values)

    monkeypatch.setattr(load_file, "open_table", growing)
    with pytest.raises(FileGrowing):
        load(flow, file="x.csv", columns={"n": "integer"})


def test_a_plan_and_a_second_time_give_the_same(flow) -> None:
    (flow.inbox / "x.csv").write_text("n\n1\nx\n")
    seen = []
    for context in (flow.plan(), flow.context(), flow.context()):
        outcome = apply("load_file", context, file="x.csv", columns={"n": "integer"})
        seen.append((fetch(context, outcome["result"]), fetch(context, outcome["rejects"]), context.facts))
    assert seen[0] == seen[1] == seen[2]
    context = flow.context()
    first = apply("load_file", context, file="x.csv", columns={"n": "integer"})
    again = apply("load_file", context, file="x.csv", columns={"n": "integer"})
    assert fetch(context, first["result"]) == fetch(context, again["result"])
