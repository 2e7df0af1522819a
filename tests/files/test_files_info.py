"""Control files in both spellings, and control files that lie."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.files import InfoError, parse_info
from symbolon.files.info import MAX_INFO_BYTES

UNQUOTED = b"""
{ Files: [
  { FileByteSize: 293029329, FileLineCount: 36893908, FileName: "ftp_12345_67890_full_1500727351632-1.sync.gz",
    FileSequenceNumber: 1, md5: "fa2f0a1c8ae1cf1bb38ae5a3f7c43b5" },
  { FileByteSize: 804515835, FileLineCount: 101290197, FileName: "ftp_12345_67890_full_1500727351632-2.sync.gz",
    FileSequenceNumber: 2, md5: "5d41402abc4b2a76b9719d911017c592" } ],
  Totals: { FileName: "ftp_12345_67890_full_1500727351632.sync", TotalByteSize: 1097545164, TotalNumberFiles: 2,
    TotalNumberLines: 138184105 } }
"""


def document(**changes: object) -> dict:
    part = {"FileByteSize": 10, "FileLineCount": 2, "FileName": "a.sync", "FileSequenceNumber": 1, "md5": "0" * 32}
    return {"Files": [{**part, **changes}]}


def test_the_documented_spelling():
    info = parse_info(UNQUOTED)
    assert [part.sequence for part in info.parts] == [1, 2]
    assert info.parts[0].size_bytes == 293029329
    assert (info.total_bytes, info.total_lines) == (1097545164, 138184105)
    assert info.parts[0].md5 is None, "the example's md5 has 31 characters"
    assert info.unchecked == (info.parts[0].name,)
    assert info.parts[1].md5 == "5d41402abc4b2a76b9719d911017c592"


def test_strict_json_reads_the_same():
    strict = re.sub(r"(\w+):", r'"\1":', UNQUOTED.decode()).encode()
    assert json.loads(strict)
    assert parse_info(strict) == parse_info(UNQUOTED)
    assert parse_info(b"\xef\xbb\xbf" + strict) == parse_info(UNQUOTED)


def test_parts_come_in_their_sequence():
    files = [{"FileName": name, "FileSequenceNumber": number} for name, number in [("c", 3), ("a", 1), ("b", 2)]]
    assert [part.name for part in parse_info(json.dumps({"Files": files}).encode()).parts] == ["a", "b", "c"]


def test_a_key_inside_a_text_is_left_alone():
    info = parse_info(b'{Files: [{FileName: "a, md5: b.sync", md5: "x"}]}')
    assert info.parts[0].name == "a, md5: b.sync"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG",
        b"[]",
        b"{}",
        b'{"Files": []}',
        b'{"Files": [1]}',
        b'{"Files": {"FileName": "a"}}',
        json.dumps(document(FileName="../a.sync")).encode(),
        json.dumps(document(FileName="/etc/passwd")).encode(),
        json.dumps(document(FileName="..")).encode(),
        json.dumps(document(FileName="a\\b")).encode(),
        json.dumps(document(FileName="a\u0000b")).encode(),
        json.dumps(document(FileName=7)).encode(),
        json.dumps(document(FileByteSize=-1)).encode(),
        json.dumps(document(FileByteSize=1.5)).encode(),
        json.dumps(document(FileByteSize=True)).encode(),
        json.dumps(document(FileLineCount="many")).encode(),
        json.dumps({"Files": document()["Files"] * 2}).encode(),
        json.dumps({**document(), "Totals": {"TotalByteSize": 11}}).encode(),
        json.dumps({**document(), "Totals": {"TotalNumberLines": 3}}).encode(),
        json.dumps({**document(), "Totals": {"TotalNumberFiles": 2}}).encode(),
        json.dumps({**document(), "Totals": []}).encode(),
        b"[" * 100_000,
        b"{" * 100_000,
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_what_is_refused(content: bytes):
    with pytest.raises(InfoError) as caught:
        parse_info(content, where="x.info")
    assert str(caught.value.where) == "x.info"


def test_a_control_file_is_small():
    with pytest.raises(InfoError, match="larger"):
        parse_info(b" " * (MAX_INFO_BYTES + 1))


def test_numbers_in_quotation_marks_are_numbers():
    assert parse_info(json.dumps(document(FileByteSize="10")).encode()).parts[0].size_bytes == 10


@given(st.binary(max_size=200) | st.text(alphabet='{}[]:," Filesmd5N0\\', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes):
    with contextlib.suppress(InfoError):
        parse_info(content)
