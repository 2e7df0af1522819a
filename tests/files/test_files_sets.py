"""File sets: parts found, ordered, checked, and refused when one is missing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from symbolon.files import (
    FileKindError,
    FileMissing,
    FileNameError,
    IncompleteSet,
    InfoError,
    InfoMismatch,
    collect_set,
    verify,
)

ROOT = "S3_46390_14016_full_1486140844000"


def write(folder: Path, *names: str, text: bytes = b"a 24\n") -> list[Path]:
    paths = []
    for name in names:
        path = folder / name
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        paths.append(path)
    return paths


def write_info(folder: Path, paths: list[Path], name: str = f"{ROOT}.info", **changes: object) -> Path:
    entries = [
        {
            "FileByteSize": path.stat().st_size,
            "FileLineCount": 1,
            "FileName": path.name,
            "FileSequenceNumber": number,
            "md5": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
            **changes,
        }
        for number, path in enumerate(paths, start=1)
    ]
    info = folder / name
    info.write_text(json.dumps({"Files": entries}))
    return info


def test_a_single_file(tmp_path: Path):
    (path,) = write(tmp_path, f"{ROOT}.sync.gz")
    found = collect_set([path], wait_s=1e9)
    assert found.parts == (path,)
    assert (found.is_split, found.info, found.warnings) == (False, None, ())
    assert found.newest_mtime == path.stat().st_mtime
    verify(found)


def test_parts_beside_the_given_one_are_taken_in_order(tmp_path: Path):
    names = [f"{ROOT}.sync.gz", f"{ROOT}001.sync.gz", f"{ROOT}002.sync.gz"]
    paths = write(tmp_path, *names, f"{ROOT[:-1]}1.sync.gz", "other.csv")
    for given in ([paths[1]], [paths[2], paths[0]], paths[:3]):
        found = collect_set(given)
        assert found.parts == tuple(paths[:3])
        assert found.is_split
        assert len(found.warnings) == (len(given) < 3)
    assert names[2] in collect_set([paths[0]]).warnings[0]


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ([f"{ROOT}.sync", f"{ROOT}002.sync"], f"{ROOT}001.sync"),
        ([f"{ROOT}001.sync.gz"], f"{ROOT}.sync.gz"),
        ([f"{ROOT}-1.sync", f"{ROOT}-3.sync"], f"{ROOT}-2.sync"),
        ([f"{ROOT}-2.sync"], f"{ROOT}-1.sync"),
    ],
)
def test_a_gap_names_what_is_missing(tmp_path: Path, names: list[str], missing: str):
    paths = write(tmp_path, *names)
    with pytest.raises(IncompleteSet) as caught:
        collect_set(paths)
    assert missing in caught.value.summary
    assert caught.value.details["missing"] == [missing]


def test_numbers_with_a_dash_begin_at_one(tmp_path: Path):
    paths = write(tmp_path, *(f"{ROOT}-{n}.sync" for n in range(1, 12)))
    assert collect_set(paths[:1]).parts == tuple(paths)


def test_thirteen_digits_in_seconds(tmp_path: Path):
    paths = write(tmp_path, "s3_1_2_full_1566906141.sync", "s3_1_2_full_1566906141001.sync")
    assert collect_set(paths[:1], timestamp="seconds").parts == tuple(paths)
    assert collect_set(paths[:1]).parts == (paths[0],)


def test_a_split_set_waits_until_no_part_comes(tmp_path: Path):
    paths = write(tmp_path, f"{ROOT}.sync", f"{ROOT}001.sync")
    for path in paths:
        os.utime(path, (1000, 1000))
    clock = [1010.0]
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds
        if len(slept) == 10:
            (late,) = write(tmp_path, f"{ROOT}002.sync")
            os.utime(late, (clock[0], clock[0]))

    found = collect_set(paths, wait_s=60, now=lambda: clock[0], sleep=sleep)
    assert len(found.parts) == 3
    assert clock[0] == pytest.approx(1010 + 10 + 60)
    write_info(tmp_path, list(found.parts))
    assert collect_set(paths, wait_s=1e9, now=lambda: clock[0]).info is not None, "a control file says when it is whole"


@pytest.mark.parametrize("name", [f"{ROOT}.info", f"{ROOT.replace('full', 'iter')}.info", f"{ROOT}.sync.info"])
def test_a_control_file_is_found_and_followed(tmp_path: Path, name: str):
    paths = write(tmp_path, f"{ROOT}.sync", f"{ROOT}001.sync", f"{ROOT}002.sync")
    info = write_info(tmp_path, [paths[0], paths[1]], name)
    found = collect_set([paths[0]])
    assert found.info is not None
    assert found.parts == tuple(paths[:2]), "exactly what it lists"
    verify(found)
    assert collect_set([info]).parts == tuple(paths[:2])
    assert collect_set([info, paths[1]]).parts == tuple(paths[:2])


def test_all_files_of_a_control_file_must_be_there(tmp_path: Path):
    paths = write(tmp_path, f"{ROOT}.sync.gz", f"{ROOT}001.sync.gz")
    write_info(tmp_path, paths)
    paths[1].unlink()
    with pytest.raises(IncompleteSet, match="001"):
        collect_set([paths[0]])


def test_a_control_file_about_others(tmp_path: Path):
    paths = write(tmp_path, f"{ROOT}.sync", f"{ROOT}001.sync")
    write_info(tmp_path, paths[:1])
    with pytest.raises(InfoError, match="does not list"):
        collect_set(paths)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"FileByteSize": 4}, "size"),
        ({"FileLineCount": 3}, "line count"),
        ({"md5": "0" * 32}, "md5"),
    ],
)
@pytest.mark.parametrize("ending", ["sync", "sync.gz"])
def test_a_file_that_is_not_the_one_described(tmp_path: Path, changes: dict, what: str, ending: str):
    paths = write(tmp_path, f"{ROOT}.{ending}")
    write_info(tmp_path, paths, **changes)
    with pytest.raises(InfoMismatch, match=what):
        verify(collect_set(paths))


def test_an_md5_that_is_none_is_not_checked(tmp_path: Path):
    paths = write(tmp_path, f"{ROOT}.sync")
    write_info(tmp_path, paths, md5="FA2F0A1C8AE1CF1BB38AE5A3F7C43B5")
    found = collect_set(paths)
    verify(found)
    assert "no md5" in found.warnings[0]


@pytest.mark.parametrize(("text", "lines"), [(b"a 24\n\nb 24", 3), (b"a 24\n\nb 24", 2), (b"a 24\n\n", 2)])
def test_blank_lines_count_and_a_last_line_without_end_may(tmp_path: Path, text: bytes, lines: int):
    paths = write(tmp_path, f"{ROOT}.sync", text=text)
    write_info(tmp_path, paths, FileLineCount=lines)
    verify(collect_set(paths))


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["ftp_dpm_478_1366545717.sync"], "no name of a segment file"),
        ([f"{ROOT}.sync.zip"], "no name of a segment file"),
        ([f"{ROOT}.sync", "S3_46390_14016_full_1486140844999.sync"], "2 deliveries"),
        ([f"{ROOT}.sync", "list.csv"], "do not make one set"),
        ([f"{ROOT}.sync", f"{ROOT}.sync.gz"], "the same part"),
        ([f"{ROOT}.info", "b.info"], "two control files"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path: Path, names: list[str], match: str):
    with pytest.raises(FileNameError, match=match):
        collect_set(write(tmp_path, *names))


def test_lists_are_kept_as_given(tmp_path: Path):
    paths = write(tmp_path, "b.csv", "a.csv")
    found = collect_set([*paths, paths[0]])
    assert (found.parts, found.name, found.is_split) == (tuple(paths), None, False)


def test_what_is_no_file(tmp_path: Path):
    with pytest.raises(FileNameError):
        collect_set([])
    with pytest.raises(FileMissing):
        collect_set([tmp_path / f"{ROOT}.sync"])
    with pytest.raises(FileKindError, match="folder"):
        collect_set([tmp_path])
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FileKindError, match="not a regular file"):
        collect_set([tmp_path / "pipe.csv"])
