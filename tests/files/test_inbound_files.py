"""Inbound files: names, lines, parts."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import os
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.files.inbound import Limits, csv_lines, item_of, lines, writable
from symbolon.files.inboundnames import InboundName, day_folder, parse_inbound
from symbolon.files.parts import ParquetParts, TextParts

#: dpid, owner, timestamp, mode, split, packed, odc
VALID = {
    "ftp_dpm_478_1366545717.sync.1.gz": (478, None, "1366545717", "sync", 1, "gz", False),
    "ftp_dpm_478_1366545717.sync.2.gz": (478, None, "1366545717", "sync", 2, "gz", False),
    "ftp_dpm_478_1366545717.overwrite": (478, None, "1366545717", "overwrite", None, "", False),
    "ftp_dpm_478_567_1366545717.sync.gz": (478, 567, "1366545717", "sync", None, "gz", False),
    "ftp_dpm_33_21_1234567890.sync": (33, 21, "1234567890", "sync", None, "", False),
    "ftp_dpm_20914_21_1234567890.sync": (20914, 21, "1234567890", "sync", None, "", False),
    "ftp_dpm_7_901_1368806402.sync": (7, 901, "1368806402", "sync", None, "", False),
    "ftp_dpm_odc_12345_1556223815.sync": (12345, None, "1556223815", "sync", None, "", True),
}
ODD = ["ftp_dpm_21_123456789.sync", "ftp_dpm_100_123456789.overwrite.gpg", "ftp_dpm_1_1486140844000.sync"]
INVALID = [
    "ftp_dpm_478_1366545717.sync.zip",
    "ftp_dpm_478_1366545717.1.sync",
    "ftp_dpm_478.sync",
    "dpm_478_1366545717.sync",
    "ftp_dpm_478_1366545717.sync.gz.pgp",
    "ftp_dpm_478_13665457.sync",
    "ftp_dpm_478_13665457170000.sync",
    "ftp_dpm_478_1366545717.sync\n",
    "ftp_dpm_٤٧٨_1366545717.sync",
    "ftp_dpm_478_1366545717.iter",
]


@pytest.mark.parametrize("name", VALID)
def test_names_of_the_documents(name):
    found = parse_inbound(name, strict=True)
    got = (found.dpid, found.owner, found.timestamp, found.mode, found.split, found.packed, found.odc)
    assert (got, found.render(), found.warnings) == (VALID[name], name, ())


@pytest.mark.parametrize("name", ODD)
def test_odd_timestamps_are_a_warning_or_refused(name):
    assert len(parse_inbound(name).warnings) == 1
    assert parse_inbound(name, strict=True) is None


@pytest.mark.parametrize("name", INVALID)
def test_names_that_are_none(name):
    assert parse_inbound(name) is None


@given(
    st.builds(
        InboundName,
        dpid=st.integers(1, 10**9),
        owner=st.none() | st.integers(1, 10**9),
        timestamp=st.integers(10**9, 10**10 - 1).map(str),
        mode=st.sampled_from(["sync", "overwrite"]),
        split=st.none() | st.integers(1, 999),
        packed=st.sampled_from(["", "gz"]),
        odc=st.booleans(),
    )
)
def test_a_rendered_name_parses_to_what_it_was_made_of(name):
    assert parse_inbound(name.render(), strict=True) == name


def test_the_folder_of_a_day_is_that_of_utc():
    assert day_folder(1486140844) == "date=2017-02-03/"
    assert day_folder(1486166399) == "date=2017-02-03/"
    assert day_folder(1486166400) == "date=2017-02-04/"


def test_ids_that_cannot_stand_on_a_line():
    bad = [
        "",
        None,
        "a:b",
        "a%3Ab",
        "a%3ab",
        "a\tb",
        "a\n",
        "a\rb",
        " a",
        "a ",
        "x" * 102_400,
        "a\x00b",
        "a\x85",
        "a\u2028b",
    ]
    good = ["a", "é", "a b", "0" * 38, "x" * 102_000, "%3", "a%253A"]
    assert writable(pa.array(bad), "d_sid=24").tolist() == [False] * len(bad)
    assert writable(pa.array(good), "d_sid=24").tolist() == [True] * len(good)
    longest = 102_400 - len("\td_sid=24\n")
    assert writable(pa.array(["x" * longest, "x" * (longest + 1)]), "d_sid=24").tolist() == [True, False]


def test_items():
    assert [item_of("24"), item_of("24", removes=True), item_of("24", signal=True)] == [
        "d_sid=24",
        "d_unsid=24",
        "ic=24",
    ]


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=":%"), min_size=1, max_size=12)


@given(ids=st.lists(words), start=st.integers(0, 2))
def test_lines_are_those_of_a_loop(ids, start):
    data, offsets = lines(pa.array(ids, pa.string()).slice(start), "d_sid=24")
    expected = [f"{one}\td_sid=24\n".encode() for one in ids[start:]]
    assert data.tobytes() == b"".join(expected)
    assert [data[a:b].tobytes() for a, b in pairwise(offsets)] == expected


@given(ids=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",\n\r'), min_size=1)))
def test_rows_of_csv_are_read_again(ids):
    data, _ = csv_lines(pa.array(ids, pa.string()), "added")
    rows = list(csv.reader(io.StringIO(data.tobytes().decode(), newline="")))
    assert rows == [[one, "added"] for one in ids]


def render(ids, change):
    return lines(ids, item_of("24", removes=change == "removed"))


@given(
    batches=st.lists(st.tuples(st.lists(words), st.sampled_from(["added", "removed"])), max_size=4),
    limit=st.integers(1, 200),
)
def test_parts_hold_every_line_once_and_none_is_too_large(tmp_path_factory, batches, limit):
    folder = tmp_path_factory.mktemp("parts")
    with TextParts(folder, "f", render, limits=Limits(plain=limit)) as parts:
        for ids, change in batches:
            parts.write(pa.array(ids, pa.string()), change)
        made = parts.close()
    whole = b"".join(part.path.read_bytes() for part in made)
    expected = b"".join(render(pa.array(ids, pa.string()), change)[0].tobytes() for ids, change in batches)
    assert whole == expected
    assert [part.number for part in made] == list(range(1, len(made) + 1))
    for part in made:
        data = part.path.read_bytes()
        assert part.records == data.count(b"\n") > 0
        assert part.size_bytes == len(data)
        assert len(data) <= limit or part.records == 1


def test_gzip_is_one_member_below_its_limit_and_the_same_each_time(tmp_path):
    ids = pa.array([f"{number * 7_919:012x}{number:08x}" for number in range(40_000)])
    made = []
    for attempt in ("a", "b"):
        with TextParts(tmp_path, attempt, render, gzip=True, limits=Limits(gzip=100_000)) as parts:
            parts.write(ids, "added")
            made.append(parts.close())
    first, second = ([part.path.read_bytes() for part in files] for files in made)
    assert first == second
    assert len(first) > 2
    assert all(len(data) <= 100_000 for data in first)
    assert b"".join(map(gzip.decompress, first)) == render(ids, "added")[0].tobytes()
    assert all(data[4:8] == b"\0\0\0\0" for data in first)  # no time in the header
    assert all((tmp_path / f"a.{number}").stat().st_mode & 0o777 == 0o600 for number in (1, 2))


def test_lines_are_flushed_while_they_are_written(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr("symbolon.files.parts._FLUSHED", 100)
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.fstat(file).st_size))
    ids = pa.array([f"{number:012x}" for number in range(20_000)])
    with TextParts(tmp_path, "f", render) as parts:
        for start in range(0, len(ids), 50):
            parts.write(ids.slice(start, 50), "added")
        (made,) = parts.close()
    assert made.path.read_bytes() == render(ids, "added")[0].tobytes()
    assert flushed == sorted(flushed)
    assert flushed[-1] > 100


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_what_the_disk_refuses_is_raised(tmp_path, monkeypatch, call):
    def refuse(*_):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr("symbolon.files.parts._FLUSHED", 100)
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", refuse)
    else:
        monkeypatch.setattr("symbolon.files.parts._Behind._write", refuse)
    ids = pa.array([f"{number:012x}" for number in range(2_000)])

    def written():
        with TextParts(tmp_path, "f", render) as parts:
            parts.write(ids, "added")
            parts.write(ids, "added")
            parts.close()

    with pytest.raises(OSError, match="no"):
        written()


def test_no_record_no_file(tmp_path):
    with TextParts(tmp_path, "f", render, header=b"id,change\n") as parts:
        parts.write(pa.array([], pa.string()), "added")
        assert parts.close() == []
    with ParquetParts(tmp_path, "p") as columns:
        columns.write(pa.array([], pa.string()), "added")
        assert columns.close() == []
    assert list(tmp_path.iterdir()) == []


def test_every_part_of_csv_has_the_header(tmp_path):
    with TextParts(tmp_path, "f", csv_lines, header=b"id,change\n", limits=Limits(plain=40)) as parts:
        parts.write(pa.array(["a", "b", "c", "d"]), "added")
        made = parts.close()
    assert len(made) == 2
    assert all(part.path.read_bytes().startswith(b"id,change\n") for part in made)


def test_parquet_parts(tmp_path):
    with ParquetParts(tmp_path, "p", limits=Limits(plain=1)) as parts:
        parts.write(pa.array(["a", "b"]), "added")
        parts.write(pa.array(["c"]), "removed")
        made = parts.close()
    rows = [row for part in made for row in pq.read_table(part.path).to_pylist()]
    assert [(row["id"], row["change"]) for row in rows] == [("a", "added"), ("b", "added"), ("c", "removed")]
    assert [part.records for part in made] == [2, 1]


@given(cuts=st.lists(st.integers(0, 3000), max_size=6), kind=st.sampled_from(["text", "gzip", "parquet"]))
def test_the_same_rows_make_the_same_bytes_however_they_are_handed_over(tmp_path_factory, cuts, kind):
    ids = pa.array([f"{number * 7_919:012x}{number:08x}" for number in range(3_000)])
    limits = Limits(plain=20_000, gzip=9_000)
    folder = tmp_path_factory.mktemp("same")
    made = []
    for attempt, borders in (("whole", [0, 3_000]), ("cut", [0, *sorted(cuts), 3_000])):
        parts = (
            ParquetParts(folder, attempt, limits=limits)
            if kind == "parquet"
            else TextParts(folder, attempt, render, gzip=kind == "gzip", limits=limits)
        )
        with parts:
            for start, end in pairwise(borders):
                parts.write(ids.slice(start, end - start), "added")
            parts.write(pa.array(["gone"]), "removed")
            made.append([(part.records, part.path.read_bytes()) for part in parts.close()])
    assert made[0] == made[1]
