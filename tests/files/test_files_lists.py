"""Simple lists and tables: formats, columns, headers, quotation marks, and lines that cannot be read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from symbolon.files import (
    ColumnNeeded,
    ColumnsError,
    FileEmpty,
    FileFormatError,
    FileKindError,
    OpenError,
    read_list,
    read_table,
)

EMAIL = "johndoe@example.com"
HASH = "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149"


def ids(source: object, **options: object) -> list[tuple[int, bytes]]:
    rows = []
    for batch in read_list(io.BytesIO(source) if isinstance(source, bytes) else source, **options):
        assert batch.ids.null_count == 0
        assert len(batch.lines) + len(batch.rejected) == batch.nonblank
        rows += zip(batch.lines.tolist(), batch.ids.to_pylist(), strict=True)
    return rows


def rejects(source: bytes, **options: object) -> list[tuple[int, str]]:
    return [
        (entry.line, entry.reason) for batch in read_list(io.BytesIO(source), **options) for entry in batch.rejected
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str):
    text = f"id,n\na,1\nb,2\n".replace(",", delimiter).encode()  # noqa: F541
    assert ids(text, column="id") == [(2, b"a"), (3, b"b")]
    assert ids(text, column="N") == [(2, b"1"), (3, b"2")]


def test_a_spreadsheet_says_its_delimiter():
    assert ids(b"sep=;\r\nid;x,y\r\na;1\r\n", column="id") == [(3, b"a")]


@pytest.mark.parametrize(
    "first",
    [
        EMAIL,
        HASH,
        HASH.upper(),
        HASH[:32],
        "5" * 38,
        "\\x" + HASH,
        "0x" + HASH,
        "+33612345678",
        "06 12 34 56 78",
        "12345",
        "S+Cr6luBMi2iQkGVIlEnMqNo7DUd1JSfWIdKVn57vhw=",
        "6d92078a-8246-4ba4-ae5b-76104861e7dc",
    ],
)
def test_a_single_column_without_header(first: str):
    assert ids(f"{first}\n{first}\n".encode()) == [(1, first.encode()), (2, first.encode())]


def test_numbers_of_customers_with_and_without_header():
    assert ids(b"CUST-001\nCUST-002\nCUST-003\n") == [(1, b"CUST-001"), (2, b"CUST-002"), (3, b"CUST-003")]
    assert ids(b"customer\nCUST-002\n") == [(2, b"CUST-002")]
    assert ids(b"\n \nmail\na@b.c") == [(4, b"a@b.c")]
    assert ids(b"\xef\xbb\xbfmail\na@b.c", column="mail") == [(2, b"a@b.c")]


def test_several_columns_need_a_choice():
    with pytest.raises(ColumnNeeded, match="`id`, `x y`") as caught:
        ids(b"id,x y\na,1\n")
    assert caught.value.details["columns"] == ["id", "x y"]
    with pytest.raises(ColumnNeeded, match="no column `mail`"):
        ids(b"id,x\na,1\n", column="mail")
    with pytest.raises(ColumnNeeded, match="2 columns are named"):
        ids(b"id,id\na,1\n", column="id")


def test_columns_without_header_have_numbers_and_are_not_shown():
    text = f"{EMAIL},7\n{EMAIL},8\n".encode()
    assert ids(text, column="2") == [(1, b"7"), (2, b"8")]
    with pytest.raises(ColumnNeeded) as caught:
        ids(text)
    assert EMAIL not in str(caught.value)
    with pytest.raises(ColumnNeeded, match="no column `email`"):
        ids(text, column="email")


HOSTILE = b"""id,x
a,1
"b,""b",2

c
d,"3
more"
"e
f",5
g"h,6
"i"j,7
\xff,1
k\0,8
,9
l,1,2
m,"x
"""


@pytest.mark.parametrize("size", [1, 5, 13, 64, 1 << 20])
def test_each_line_of_a_hostile_csv_is_accounted_for(size: int):
    assert ids(HOSTILE, column="id", size=size) == [
        (2, b"a"), (3, b'b,"b'), (6, b"d"), (8, b"e\nf"), (10, b'g"h'), (14, b"")
    ]  # fmt: skip
    assert rejects(HOSTILE, column="id", size=size) == [
        (5, "malformed_line"),
        (11, "malformed_line"),
        (12, "bad_encoding"),
        (13, "malformed_line"),
        (15, "malformed_line"),
        (16, "malformed_line"),
    ]


def test_a_wrong_quotation_mark_costs_one_line_not_the_file():
    text = b'id,x\n"open,1\n' + b"".join(b"a%d,1\n" % n for n in range(14_000)) + b'close",2\n'
    for size in (5000, 1 << 20):
        rows = ids(text, column="id", size=size)
        assert (len(rows), rows[-1]) == (14_001, (14_003, b'close"'))
        assert rejects(text, column="id", size=size) == [(2, "malformed_line")]


def test_a_record_does_not_go_on_behind_a_line_that_was_taken_out():
    text = b'id,x\n"a\n' + b"y" * 200_000 + b'\nb",1\n'
    for size in (1000, 1 << 20):
        assert ids(text, column="x", size=size) == [(4, b"1")]
        assert rejects(text, column="x", size=size) == [(2, "malformed_line"), (3, "line_too_long")]


def test_a_carriage_return_inside_a_line_is_no_line_end():
    text = b'id,x\na\rb,1\nc,2\r\n"d\re",3\nf,4\r\r\n'
    assert ids(text, column="id") == [(3, b"c"), (4, b"d\re"), (5, b"f")]
    assert rejects(text, column="id") == [(2, "malformed_line")]


def test_a_line_that_is_too_long():
    text = b"id,x\na,1\nb," + b"y" * 200_000 + b"\nc,2\n"
    for size in (1000, 1 << 20):
        assert ids(text, column="id", size=size) == [(2, b"a"), (4, b"c")]
        assert rejects(text, column="id", size=size) == [(3, "line_too_long")]


def test_a_byte_order_mark_inside_a_file_is_part_of_its_cell():
    mark = b"\xef\xbb\xbf"
    for size in (6, 1 << 20):
        assert ids(mark + b"id,n\n" + mark + b"a,1\n" + mark + b"\n", column="id", size=size) == [(2, mark + b"a")]


CELLS = st.text(st.sampled_from(list('ab,;" \n\té')), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=12), st.integers(1, 120), st.sampled_from(["\n", "\r\n"]))
@example([("", ""), ("\n", '"')], 1, "\n")
def test_what_the_csv_module_writes_is_read_as_it_reads(rows: list, size: int, line_end: str):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(["x", "y"])
    writer.writerows(rows)
    got = []
    for batch in read_table(io.BytesIO(out.getvalue().encode()), size=size, format="csv"):
        assert not batch.rejected
        got += [tuple(row.values()) for row in batch.table.to_pylist()]
    assert got == rows


@given(st.binary(max_size=120), st.integers(1, 130), st.sampled_from(["csv", "ndjson", None]))
@example(b'"\n"\n"\n"', 1, "csv")
@example(b'a,b\n"\n', 2, "csv")
def test_any_bytes_give_the_same_in_any_blocks(text: bytes, size: int, kind: str | None):
    def read(size: int) -> object:
        rows, rejected, counts = [], [], [0, 0]
        try:
            for batch in read_list(io.BytesIO(b"id,n\n" * (kind == "csv") + text), column="id", format=kind, size=size):
                rows += zip(batch.lines.tolist(), batch.ids.to_pylist(), strict=True)
                rejected += [(entry.line, entry.reason, entry.raw) for entry in batch.rejected]
                counts = [counts[0] + batch.line_count, counts[1] + batch.nonblank]
        except (ColumnNeeded, FileFormatError) as error:
            return error.code
        assert len(rows) + len(rejected) == counts[1]
        return rows, rejected, counts

    if kind == "csv":
        assert read(size) == read(1 << 20)
    else:
        read(size)


def test_ndjson_objects():
    text = b'{"id": "a", "n": 1}\n\n{"n": 2}\n{"id": null}\n{"id": 17}\n[1]\n{"id": {"x": 1}}\n{"id": "z"\n'
    for size in (40, 1 << 20):
        assert ids(text, column="id", format="ndjson", size=size) == [(1, b"a"), (3, b""), (4, b""), (5, b"17")]
        assert [line for line, _ in rejects(text, column="id", format="ndjson", size=size)] == [6, 7, 8]
    assert ids(b'{"id":"a"}\n{"id":"b"}{"id":"c"}\n', column="id") == [(1, b"a")]
    assert ids(b'{"id":"a"}\n{"id":"b"}') == [(1, b"a"), (2, b"b")]


def test_ndjson_has_one_object_a_line():
    text = b'{"id":\n"a"}{"id":"b"}\n{"id":"c"}\n'
    assert (ids(text, column="id", format="ndjson"), rejects(text, column="id", format="ndjson")) == (
        [(3, b"c")],
        [(1, "malformed_line"), (2, "malformed_line")],
    )


def test_ndjson_strings():
    assert ids(b'"a"\n"b\\u00e9"\n', format="ndjson") == [(1, b"a"), (2, "bé".encode())]
    assert rejects(b'"a"\n7\n"b\n', format="ndjson") == [(2, "malformed_line"), (3, "malformed_line")]
    mixed = b'"a"\n{"id":"c"}\n'
    assert (ids(mixed, format="ndjson"), rejects(mixed, format="ndjson")) == ([(2, b"c")], [(1, "malformed_line")])
    for text in (b'"a"\r\n"b,c"\r\n\n"d"', b'"a"\r\n"b,c"\r\n\n"d"\n"\\""'):
        expected = [(1, b"a"), (2, b"b,c"), (4, b"d"), (5, b'"')]
        assert ids(text, format="ndjson") == expected[: 4 if text.endswith(b'\\""') else 3]
    assert rejects(b'"ok"\n"\n"\n"a","b"\n', format="ndjson") == [(n, "malformed_line") for n in (2, 3, 4)]
    first_block = b'"a"\n' * 1000 + b'{"id":"c"}\n'
    assert rejects(first_block, format="ndjson") == [(1001, "malformed_line")]


def test_a_json_array_is_no_ndjson():
    with pytest.raises(FileFormatError, match="JSON array"):
        ids(b'[{"id":"a"}]', format="ndjson")
    with pytest.raises(FileFormatError, match="no JSON objects"):
        ids(b"id\na\n", format="ndjson")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([EMAIL, None]), [EMAIL.encode(), b""]),
        (pa.array([b"\xff", b"b"]), [b"\xff", b"b"]),
        (pa.array([7, None], pa.int64()), [b"7", b""]),
        (pa.array(["a", "a"]).dictionary_encode(), [b"a", b"a"]),
        (pa.array(["a", "b"], pa.large_string()), [b"a", b"b"]),
        (pa.array(["a", "b"], pa.string_view()), [b"a", b"b"]),
        (pa.array([b"ab", b"cd"], pa.binary(2)), [b"ab", b"cd"]),
    ],
)
def test_parquet(tmp_path: Path, values: pa.Array, expected: list[bytes]):
    path = tmp_path / "list.data"
    pq.write_table(pa.table({"id": values, "other": [1, 2]}), path, row_group_size=1)
    assert ids(path, column="ID") == [(1, expected[0]), (2, expected[1])]
    with path.open("rb") as stream:
        assert ids(stream, column="id") == [(1, expected[0]), (2, expected[1])]


def test_parquet_that_cannot_be_used(tmp_path: Path):
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"id": [1.5]}), path)
    with pytest.raises(FileFormatError, match="double"):
        ids(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileFormatError, match="cannot be read"):
        ids(path)
    path.write_bytes(b"id\na\n")
    with pytest.raises(FileFormatError, match="no Parquet"):
        ids(path)
    path.write_bytes(b"")
    with pytest.raises(FileEmpty):
        ids(path)
    pq.write_table(pa.table({"id": ["a"]}), path)
    assert ids(path, format="parquet") == [(1, b"a")]


def test_compressed_lists_and_names(tmp_path: Path):
    for name, text in [
        ("a.csv.gz", b"id,n\na,1\n"),
        ("a.tsv.gz", b"id\tn,m\na\t1\n"),
        ("a.jsonl.gz", b'{"id":"a","n":1}'),
    ]:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text))
        assert [value for _, value in ids(path, column="id")] == [b"a"]


def test_kinds_and_options_that_are_refused(tmp_path: Path):
    with pytest.raises(OpenError, match="no format `xml`"):
        ids(b"a", format="xml")
    with pytest.raises(FileEmpty):
        ids(b"")
    with pytest.raises(FileEmpty):
        ids(b"\n \n")
    with pytest.raises(FileKindError):
        ids(tmp_path)
    with pytest.raises(FileFormatError, match="first line"):
        ids(b"a\0b\nc\n")
    with pytest.raises(FileFormatError, match="quotation marks"):
        ids(b'"id\nc\n')
    with pytest.raises(FileKindError, match="zip"):
        ids(b"PK\x03\x04" + bytes(20))


def table(text: bytes, **options: object) -> list[dict]:
    return [row for batch in read_table(io.BytesIO(text), **options) for row in batch.table.to_pylist()]


def test_tables_keep_all_columns():
    assert table(b"a;b\n1;\n") == [{"a": "1", "b": ""}]
    (batch,) = read_table(io.BytesIO(b"a,b\n"))
    assert (batch.table.schema.names, batch.table.num_rows) == (["a", "b"], 0)
    (batch,) = read_table(io.BytesIO(b"1,a@b.c\n"))
    assert batch.table.schema.names == ["1", "a@b.c"], "a table always has a header"
    with pytest.raises(ColumnsError, match="`a`"):
        table(b"a,b,a\n1,2,3\n")
    with pytest.raises(ColumnsError, match="column 2 of 3 has no name"):
        table(b"a,,b\n1,2,3\n")


def test_tables_of_json_are_typed_and_text_stays_text():
    rows = [
        {"a": 1, "b": 1.5, "c": True, "d": "2020-01-01", "e": "007"},
        {"a": 2, "b": 2, "c": None, "f": {"x": [1]}},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (batch,) = read_table(io.BytesIO(text))
    types = {field.name: str(field.type) for field in batch.table.schema}
    assert types == {"a": "int64", "b": "double", "c": "bool", "d": "string", "e": "string", "f": "string"}
    assert batch.table.to_pylist()[1]["f"] == '{"x":[1]}'
    (batch,) = read_table(io.BytesIO(b'{"d": "2020-01-01", "t": "2020-01-01T00:00:00Z"}\n'))
    assert batch.table.to_pylist() == [{"d": "2020-01-01", "t": "2020-01-01T00:00:00Z"}]
    assert table(b'{"a": 1}\n{"a": "x"}\n') == [{"a": "1"}, {"a": "x"}]


def test_tables_of_parquet_keep_their_types(tmp_path: Path):
    pq.write_table(pa.table({"a": pa.array([1, None], pa.int32()), "b": ["x", "y"]}), tmp_path / "t.parquet")
    (batch,) = read_table(tmp_path / "t.parquet")
    assert batch.table.schema.field("a").type == pa.int32()
    assert batch.lines.tolist() == [1, 2]
