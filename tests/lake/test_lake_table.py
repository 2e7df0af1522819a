"""Versions of a table are whole, can all be read again, and are refused when they do not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.errors import InternalError
from symbolon.lake import (
    ABSENT,
    CommitConflict,
    DiskFull,
    Lake,
    LakeCorrupt,
    LakeMissing,
    LakePathError,
    LakeVersionError,
    ParquetStaging,
    SchemaMismatch,
    WrittenFile,
)
from symbolon.lake.errors import disk_errors

SCHEMA = pa.schema([("key", pa.int64()), ("text", pa.string())])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def staged(lake: Lake, numbers: list[int], schema: pa.Schema = SCHEMA) -> list[WrittenFile]:
    directory = lake.root / "attempts" / f"test-{os.urandom(4).hex()}"
    columns = {"key": numbers, "text": [f"t{number}" for number in numbers]}
    staging = ParquetStaging(directory, schema)
    staging.write(pa.record_batch([pa.array(columns[f.name], f.type) for f in schema], schema=schema))
    return staging.close()


def keys(files: list[str]) -> list[int]:
    return sorted(key for file in files for key in pq.read_table(file)["key"].to_pylist())


def test_versions(lake: Lake) -> None:
    table = lake.table("audiences/12/rows")
    assert (table.exists, table.version) == (False, ABSENT)
    assert table.commit(staged(lake, [1, 2]), SCHEMA, mode="overwrite", expected_version=ABSENT) == 0
    assert table.commit(staged(lake, [3]), SCHEMA, mode="append", expected_version=0, layer="delta-1") == 1
    assert table.commit(staged(lake, [4, 5]) + staged(lake, [6]), SCHEMA, mode="overwrite") == 2
    assert table.commit([], SCHEMA, mode="overwrite", expected_version=2) == 3
    assert [keys(table.files(version)) for version in range(4)] == [[1, 2], [1, 2, 3], [4, 5, 6], []]
    assert [table.rows(version) for version in range(4)] == [2, 3, 3, 0]
    assert (table.version, table.rows(), table.files()) == (3, 0, [])
    assert table.schema(1).equals(SCHEMA)
    assert [Path(file).name.split("-")[0] for file in table.files(1)] == ["base", "delta"]
    assert lake.tables() == ["audiences/12/rows"]
    assert lake.vacuum_debris() != []  # what this test staged without an attempt
    assert keys(table.files(1)) == [1, 2, 3]


def test_a_table_of_nothing(lake: Lake) -> None:
    table = lake.table("empty")
    assert table.commit([], SCHEMA, mode="overwrite") == 0
    assert (table.exists, table.files(), table.rows()) == (True, [], 0)
    assert table.schema().equals(SCHEMA)


def test_other_versions_are_refused(lake: Lake) -> None:
    table = lake.table("t")
    for expected in (0, 3):
        with pytest.raises(CommitConflict):
            table.commit(staged(lake, [1]), SCHEMA, mode="overwrite", expected_version=expected)
    table.commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    for expected in (ABSENT, 1):
        with pytest.raises(CommitConflict, match="has version 0"):
            table.commit(staged(lake, [2]), SCHEMA, mode="overwrite", expected_version=expected)
    assert keys(table.files()) == [1]
    assert len(list(table.path.glob("*.parquet"))) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        pa.schema([("text", pa.string()), ("key", pa.int64())]),
        pa.schema([("key", pa.int64())]),
        pa.schema([("key", pa.int32()), ("text", pa.string())]),
        pa.schema([("key", pa.int64()), ("name", pa.string())]),
        SCHEMA.append(pa.field("more", pa.bool_())),
    ],
    ids=["order", "fewer", "type", "name", "more"],
)
def test_every_footer_is_compared(lake: Lake, wanted: pa.Schema) -> None:
    table = lake.table("t")
    with pytest.raises(SchemaMismatch):
        table.commit(staged(lake, [1]), wanted, mode="overwrite")
    assert not table.exists
    assert list(lake.root.glob("tables/**/*")) == []


def test_null_or_not_makes_no_difference(lake: Lake) -> None:
    strict = pa.schema(
        [pa.field("key", pa.int64(), nullable=False), pa.field("text", pa.string(), metadata={"a": "b"})]
    )
    assert lake.table("t").commit(staged(lake, [1], strict), SCHEMA, mode="overwrite") == 0
    assert lake.table("t").commit(staged(lake, [1]), strict, mode="append") == 1
    assert lake.table("t").schema().equals(SCHEMA)


def test_an_append_may_add_columns(lake: Lake) -> None:
    table = lake.table("t")
    narrow = pa.schema([("key", pa.int64())])
    table.commit(staged(lake, [1], narrow), narrow, mode="overwrite")
    version = table.commit(staged(lake, [2]), SCHEMA, mode="append", expected_version=0)
    assert table.version == version
    assert table.schema().equals(SCHEMA)
    assert keys(table.files()) == [1, 2]
    assert table.schema(0).equals(narrow)
    for other in (narrow, pa.schema([("text", pa.string()), ("key", pa.int64())])):
        with pytest.raises(SchemaMismatch):
            table.commit(staged(lake, [3], other), other, mode="append")
    assert table.commit(staged(lake, [4], narrow), narrow, mode="overwrite") == version + 1


def test_a_file_that_is_no_parquet_is_refused(lake: Lake, tmp_path: Path) -> None:
    garbage = tmp_path / "x.parquet"
    garbage.write_bytes(b"garbage")
    for path in (garbage, tmp_path / "missing.parquet"):
        with pytest.raises(LakeCorrupt):
            lake.table("t").commit([WrittenFile(path, 1, 7)], SCHEMA, mode="overwrite")


def test_private_modes(lake: Lake) -> None:
    before = os.umask(0o022)
    try:
        for mode in ("overwrite", "append", "overwrite"):
            lake.table("a/b").commit(staged(lake, [1]), SCHEMA, mode=mode)
        wider = SCHEMA.append(pa.field("more", pa.string()))
        file = lake.root / "attempts" / "wider.parquet"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        pq.write_table(wider.empty_table(), file)
        file.chmod(0o600)
        lake.table("a/b").commit([WrittenFile(file, 0, file.stat().st_size)], wider, mode="append")
    finally:
        os.umask(before)
    logs = list((lake.root / "tables" / "a" / "b" / "_delta_log").glob("*.json"))
    assert len(logs) >= 4
    for path in [lake.root, *lake.root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_attempts(lake: Lake) -> None:
    table = lake.table("t")
    with lake.attempt("import of Vip!") as directory:
        staging = ParquetStaging(directory / "rows", SCHEMA)
        staging.write(pa.record_batch([[1], ["x"]], schema=SCHEMA))
        table.commit(staging.close(), SCHEMA, mode="overwrite")
    assert not directory.exists()
    assert keys(table.files()) == [1]
    with pytest.raises(KeyError), lake.attempt("x") as failed:
        raise KeyError
    assert not failed.exists()
    assert list((lake.root / "attempts").iterdir()) == []


def test_debris_of_a_commit_that_never_happened(lake: Lake) -> None:
    table = lake.table("a/rows")
    table.commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    table.commit(staged(lake, [2]), SCHEMA, mode="overwrite")
    lost = table.path / "base-lost.parquet"
    lost.write_bytes(b"x")
    begun = lake.table("b/rows")
    begun.path.mkdir(parents=True)
    (begun.path / "_begun").touch()
    (begun.path / "base-1.parquet").write_bytes(b"x")
    removed = lake.vacuum_debris()
    assert lost in removed
    assert begun.path / "base-1.parquet" in removed
    assert [keys(table.files(version)) for version in (0, 1)] == [[1], [2]]
    assert list(begun.path.iterdir()) == []


def test_debris_of_a_damaged_table_is_kept(lake: Lake) -> None:
    for name in ("cut", "gone", "missing"):
        table = lake.table(name)
        for number in range(3):
            table.commit(staged(lake, [number]), SCHEMA, mode="append")
    log = "_delta_log/00000000000000000001.json"
    cut = lake.table("cut").path / log
    cut.write_bytes(cut.read_bytes()[:40])
    (lake.table("missing").path / log).unlink()
    for file in (lake.table("gone").path / "_delta_log").iterdir():
        file.unlink()
    lake.vacuum_debris()
    for name in ("cut", "gone", "missing"):
        assert len(list(lake.table(name).path.glob("*.parquet"))) == 3


def test_damaged_tables_say_so(lake: Lake) -> None:
    table = lake.table("audiences/1/rows")
    with pytest.raises(LakeCorrupt, match="`audiences/1/rows` of the lake is missing"):
        table.files(0)
    for number in range(3):
        table.commit(staged(lake, [number]), SCHEMA, mode="append")
    with pytest.raises(LakeCorrupt, match="version 9"):
        table.files(9)
    newest = table.path / "_delta_log/00000000000000000002.json"
    whole = newest.read_bytes()
    for content in (whole[:50], whole.splitlines(keepends=True)[0], b"", b"garbage", b'{"add":"canary"}'):
        newest.write_bytes(content)
        for use in (table.files, lambda: table.commit([], SCHEMA, mode="append")):
            with pytest.raises(LakeCorrupt) as caught:
                use()
            assert "canary" not in str(caught.value)
        assert table.rows(1) == 2
    newest.write_bytes(whole)
    Path(table.files()[0]).unlink()
    with pytest.raises(LakeCorrupt, match="has lost its file base-"):
        table.files()


def test_deleting(lake: Lake) -> None:
    table, other = lake.table("a/1/rows"), lake.table("a/11/rows")
    for each in (table, other):
        each.commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    table.delete()
    table.delete()
    assert not table.exists
    assert not table.path.exists()
    assert lake.tables() == ["a/11/rows"]
    assert table.commit(staged(lake, [2]), SCHEMA, mode="overwrite", expected_version=ABSENT) == 0


def test_forgetting(lake: Lake) -> None:
    table = lake.table("t")
    for number in range(3):
        table.commit(staged(lake, [number]), SCHEMA, mode="overwrite")
    table.commit(staged(lake, [9]), SCHEMA, mode="append")
    assert table.forget_before(2) > 0
    assert [keys(table.files(version)) for version in (2, 3)] == [[2], [2, 9]]
    with pytest.raises(LakeCorrupt):
        table.files(1)
    assert table.forget_before(2) == 0


@pytest.mark.parametrize("name", ["", "../x", "a//b", "/a", "A", "a=b", "a/", "a b", "ä"])
def test_names_of_tables(lake: Lake, name: str) -> None:
    with pytest.raises(InternalError):
        lake.table(name)


def test_a_lake_is_made_once(tmp_path: Path) -> None:
    root = tmp_path / "project" / "lake"
    with pytest.raises(LakeMissing):
        Lake(root, create=False)
    assert not root.exists()
    Lake(root)
    assert (root / "FORMAT").read_text() == "1\n"
    Lake(root, create=False)


def test_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(LakeMissing, match="no FORMAT file"):
        Lake(tmp_path)
    with pytest.raises(LakeMissing):
        Lake(tmp_path / "holiday.jpg")
    lake = Lake(tmp_path / "lake")
    lake.table("t").commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    (lake.root / "FORMAT").unlink()
    with pytest.raises(LakeMissing, match="FORMAT"):
        Lake(lake.root)
    with pytest.raises(LakePathError):
        Lake(tmp_path / "100%" / "lake")


@pytest.mark.parametrize("found", ["2", "999999", "", "garbage\nmore"])
def test_a_lake_of_another_version(tmp_path: Path, found: str) -> None:
    Lake(tmp_path / "lake")
    (tmp_path / "lake" / "FORMAT").write_text(found)
    with pytest.raises(LakeVersionError) as caught:
        Lake(tmp_path / "lake")
    assert caught.value.exit_code == 2
    assert "garbage" not in str(caught.value)


def test_without_links_files_are_copied(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    lake.table("t").commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    assert keys(lake.table("t").files()) == [1]


def test_a_failed_commit_takes_its_files_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lake.table("t")
    table.commit(staged(lake, [1]), SCHEMA, mode="overwrite")
    calls = []

    def full(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        Path(target).write_bytes(Path(source).read_bytes())

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(DiskFull):
        table.commit(staged(lake, [2]) + staged(lake, [3]), SCHEMA, mode="overwrite")
    assert [str(path) for path in table.path.glob("*.parquet")] == table.files()
    assert keys(table.files()) == [1]


def test_other_disk_errors_pass() -> None:
    with pytest.raises(PermissionError), disk_errors("x"):
        raise PermissionError(13, "no")


def test_the_log_tells_rows_and_retention(lake: Lake) -> None:
    table = lake.table("t")
    table.commit(staged(lake, [1, 2, 3]), SCHEMA, mode="overwrite")
    log = (table.path / "_delta_log/00000000000000000000.json").read_text()
    actions = [json.loads(line) for line in log.splitlines()]
    configuration = next(a["metaData"]["configuration"] for a in actions if "metaData" in a)
    assert configuration["delta.logRetentionDuration"] == "interval 36500 days"
    assert configuration["delta.enableExpiredLogCleanup"] == "false"
    stats = next(json.loads(a["add"]["stats"]) for a in actions if "add" in a)
    assert stats == {"numRecords": 3}


def test_history_outlives_checkpoints(lake: Lake) -> None:
    table = lake.table("t")
    for number in range(205):
        table.commit(staged(lake, [number]), SCHEMA, mode="overwrite", expected_version=number - 1)
    assert [keys(table.files(version)) for version in (0, 99, 100, 204)] == [[0], [99], [100], [204]]
    table.remove_unreferenced()
    assert keys(table.files(1)) == [1]


FULL = """
import pathlib, subprocess, sys
root = pathlib.Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(root)], check=True)
print("mounted", flush=True)
import pyarrow as pa
from symbolon.lake import DiskFull, Lake, ParquetStaging
from symbolon.lake.duckdb import DuckDbEngine
lake, schema = Lake(root / "lake"), pa.schema([("number", pa.int64())])
with DuckDbEngine(lake.root) as engine:
    small = engine.relation(pa.table({"number": [1]}))
    large = engine.relation(pa.table({"number": [i * 0x9E3779B97F4A7C15 % 2**63 for i in range(1_000_000)]}))
    with lake.attempt("x") as directory:
        lake.table("t").commit(engine.write(small, directory, schema), schema, mode="overwrite")
    for _ in range(2):
        try:
            with lake.attempt("x") as directory:
                engine.write(large, directory, schema)
        except DiskFull as error:
            print("engine", error.code)
        try:
            with lake.attempt("x") as directory:
                staging = ParquetStaging(directory, schema)
                for batch in engine.batches(large):
                    staging.write(batch)
                staging.close()
        except DiskFull as error:
            print("staging", error.code)
    with lake.attempt("x") as directory:
        files = engine.write(small, directory, schema)
        with open(root / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 512):
                    pass
            except OSError:
                pass
        try:
            lake.table("t").commit(files, schema, mode="overwrite")
        except DiskFull as error:
            print("commit", error.code)
        (root / "filler").unlink()
        print(lake.table("t").version, lake.table("t").commit(files, schema, mode="overwrite"))
    print(engine.count(engine.scan(lake.table("t").files(0), schema)))
print(sorted(path.name for path in (root / "lake" / "attempts").iterdir()))
"""


def test_a_full_disk(tmp_path: Path) -> None:
    mounts = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", FULL, str(tmp_path)]
    try:
        done = subprocess.run(mounts, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if "mounted" not in done.stdout:
        pytest.skip("needs the right to mount in a namespace of its own")
    lines = done.stdout.splitlines()[1:]
    assert lines == [
        *["engine engine.disk_full", "staging engine.disk_full"] * 2,
        "commit engine.disk_full",
        "0 1",
        "1",
        "[]",
    ], done.stderr
