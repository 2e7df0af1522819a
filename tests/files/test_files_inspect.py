"""Inspecting files: facts without an ID in the clear, whatever the file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.files import FileEmpty, FileKindError, inspect_file
from symbolon.files.guess import masked

VISITOR = "59767559181262060060278870901087098252"
EMAIL = "canary.somebody@example.com"


def shown(path: Path) -> str:
    return msgspec.json.encode(inspect_file(path)).decode()


def test_a_segment_file(tmp_path: Path):
    path = tmp_path / "S3_46390_14016_iter_1486140844000001.sync.gz"
    lines = [f"{VISITOR[:-4]}{n:04} 24,26 28" for n in range(300)] + ["broken", "", f"{VISITOR} 24\r"]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = inspect_file(path)
    assert (found.kind, found.format, found.compression, found.complete) == ("segments", "rows", "gzip", True)
    assert found.name == {
        "type": "s3", "destination": 46390, "dpid": 14016, "alias": None, "mode": "iter",
        "timestamp": "2017-02-03T16:54:04+00:00", "split": 1,
    }  # fmt: skip
    assert [(entry.segment, entry.added, entry.removed) for entry in found.segments] == [
        ("24", 301, 0), ("26", 300, 0), ("28", 0, 300)
    ]  # fmt: skip
    assert (found.lines, found.rejected, found.id_kind) == (302, {"malformed_line": 1}, "visitor")
    assert [(entry.line, entry.reason) for entry in found.rejected_lines] == [(301, "malformed_line")]
    assert found.first_rows[0] == ["5976…0000", "24,26", "28"]
    assert VISITOR[:12] not in shown(path)


def test_a_list(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text(f"mail;city\n{EMAIL};Paris\nx;\n" + "a;b;c\n")
    found = inspect_file(path)
    assert (found.kind, found.format, found.delimiter, found.has_header) == ("list", "csv", ";", True)
    assert [(column.name, column.looks_like) for column in found.columns] == [("mail", "email"), ("city", "")]
    assert (found.lines, found.rejected) == (3, {"malformed_line": 1})
    assert EMAIL not in shown(path)
    assert "somebody" not in shown(path)


def test_a_list_without_header_shows_no_value_as_a_name(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text(f"{EMAIL},1\n")
    assert [column.name for column in inspect_file(path).columns] == ["1", "2"]
    assert EMAIL not in shown(path)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (VISITOR, "visitor"),
        ("0" * 31 + "a", "md5"),
        ("a" * 40, "sha1"),
        ("A" * 64, "sha256"),
        ("b" * 96, "sha384"),
        ("c" * 128, "sha512"),
        ("\\x" + "d" * 64, "aes-hex"),
        ("d" * 192, "aes-hex"),
        ("S+Cr6luBMi2iQkGVIlEnMqNo7DUd1JSfWIdKVn57vhw=", "aes-base64"),
        (EMAIL, "email"),
        ("+33612345678", "phone"),
        ("12345", "number"),
    ],
)
def test_kinds_of_ids(tmp_path: Path, value: str, kind: str):
    path = tmp_path / "ids.txt"
    path.write_text(f"id\n{value}\n")
    assert inspect_file(path).id_kind == kind


def test_rows_under_another_name_and_columns_in_the_wrong_order(tmp_path: Path):
    path = tmp_path / "members.txt"
    path.write_text(f"{VISITOR} 24,26\n" * 3)
    found = inspect_file(path)
    assert found.kind == "segments"
    assert any("name the file like" in note for note in found.notes)
    path = tmp_path / "members.sync"
    path.write_text(f"24 {VISITOR}\n")
    assert VISITOR not in shown(path)


def test_parquet_and_control_files(tmp_path: Path):
    pq.write_table(pa.table({"id": [EMAIL], "n": [1]}), tmp_path / "a.parquet")
    found = inspect_file(tmp_path / "a.parquet")
    assert (found.format, found.lines, found.columns[1].type) == ("parquet", 1, "int64")
    assert EMAIL not in shown(tmp_path / "a.parquet")
    (tmp_path / "a.info").write_text(json.dumps({"Files": [{"FileName": "a.parquet", "FileLineCount": 7}]}))
    found = inspect_file(tmp_path / "a.info")
    assert (found.kind, found.notes) == ("control", ["lists `a.parquet` with 7 lines"])


def test_masks_show_little():
    assert masked("johndoe@example.com") == "john….com"
    assert masked("12345678901") == "…"
    assert masked("") == "…"
    assert "\x1b" not in masked("\x1b[31m" * 8)


def test_only_so_much_is_read(tmp_path: Path):
    path = tmp_path / "a.sync"
    path.write_bytes(b"%s 24\n" % VISITOR.encode() * 5000)
    found = inspect_file(path, max_bytes=50_000)
    assert not found.complete
    assert 0 < found.lines < 5000
    assert any("only the first" in note for note in found.notes)


def test_what_is_unusual_is_noted(tmp_path: Path):
    path = tmp_path / "S3_1_2_full_1486140844000.sync.gz"
    path.write_bytes(b"\xef\xbb\xbf" + f"{VISITOR} 24 26\r\n".encode())
    notes = " ".join(inspect_file(path).notes)
    for part in ("not compressed", "byte order mark", "CR LF", "ignored in full files"):
        assert part in notes
    (tmp_path / "mac.sync").write_bytes(b"a 24\rb 24\r")
    assert any("CR alone" in note for note in inspect_file(tmp_path / "mac.sync").notes)


def test_what_is_no_list(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(FileKindError):
        inspect_file(tmp_path / "a.png")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(FileEmpty):
        inspect_file(tmp_path / "empty.csv")
    with pytest.raises(FileKindError):
        inspect_file(tmp_path)
