"""A process may be killed at any moment, and two may commit at once: a table has its old version or its new one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from symbolon.lake import Lake
from symbolon.lake.duckdb import DuckDbEngine

SCHEMA = pa.schema([("version", pa.int64()), ("number", pa.int64())])
ROWS = 20_000

WRITER = f"""
import itertools, pathlib, sys
import pyarrow as pa
from symbolon.lake import Lake, ParquetStaging
from symbolon.lake.duckdb import DuckDbEngine
schema = pa.schema([("version", pa.int64()), ("number", pa.int64())])
lake = Lake(pathlib.Path(sys.argv[1]))
table = lake.table("audiences/1/rows")
engine = DuckDbEngine(lake.root, threads=1)
print("begun", flush=True)
for version in itertools.count(table.version + 1):
    with lake.attempt("import") as directory:
        staging = ParquetStaging(directory / "incoming", schema)
        for part in range(4):
            numbers = range(part * {ROWS // 4}, (part + 1) * {ROWS // 4})
            staging.write(pa.record_batch([[version] * {ROWS // 4}, list(numbers)], schema=schema))
        staged = engine.scan([str(file.path) for file in staging.close()], schema)
        files = [
            *engine.write(staged.filter(staged.number % 2 == 0), directory, schema, prefix="even"),
            *engine.write(staged.filter(staged.number % 2 == 1), directory, schema, prefix="odd"),
        ]
        committed = table.commit(files, schema, mode="overwrite", expected_version=version - 1)
        assert committed == version
        print(version, flush=True)
"""

RACER = """
import pathlib, sys
import pyarrow as pa
from symbolon.lake import CommitConflict, Lake, ParquetStaging
schema = pa.schema([("version", pa.int64()), ("number", pa.int64())])
lake = Lake(pathlib.Path(sys.argv[1]))
table = lake.table("t")
with lake.attempt("race") as directory:
    staging = ParquetStaging(directory, schema)
    staging.write(pa.record_batch([[int(sys.argv[2])], [0]], schema=schema))
    files = staging.close()
    before = table.version
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print("won", table.commit(files, schema, mode=sys.argv[3], expected_version=before), flush=True)
    except CommitConflict as error:
        print("lost", error.code, flush=True)
"""


def check(lake: Lake, engine: DuckDbEngine, told: int) -> int:
    """Every version that was told is whole; the newest is the last one told, or the one after it."""
    table = lake.table("audiences/1/rows")
    newest = table.version
    assert newest in (told, told + 1)
    for version in {max(newest - 1, 0), newest} if newest >= 0 else set():
        found = engine.fetch(engine.scan(table.files(version), SCHEMA), limit=None)
        assert found.num_rows == table.rows(version) == ROWS
        assert set(found["version"].to_pylist()) == {version}
        assert sorted(found["number"].to_pylist()) == list(range(ROWS))
    return newest


def test_kills_at_random_moments(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    chance = random.Random(20261123)
    told = -1
    with DuckDbEngine(lake.root, threads=1) as engine:
        for _ in range(10):
            process = subprocess.Popen(
                [sys.executable, "-c", WRITER, str(lake.root)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            for _ in range(chance.randrange(3)):
                told = int(process.stdout.readline())
            time.sleep(chance.random() * 0.08)  # a round takes about as long: any moment of it may be hit
            process.kill()
            rest = process.communicate()[0].split()
            told = int(rest[-1]) if rest else told
            told = check(lake, engine, told)
        lake.vacuum_debris()
        assert list((lake.root / "attempts").iterdir()) == []
        assert [path.name.split("-")[0] for path in (lake.root / "tmp").iterdir() if path.is_dir()] == ["spill"]
        table = lake.table("audiences/1/rows")
        known = {path for version in range(told + 1) for path in table.files(version)}
        assert {str(path) for path in table.path.glob("*.parquet")} == known
        assert check(lake, engine, told) == told


@pytest.mark.parametrize("mode", ["overwrite", "append"])
@pytest.mark.parametrize("fresh", [True, False], ids=["first", "next"])
def test_of_two_commits_one_wins(tmp_path: Path, mode: str, fresh: bool) -> None:
    lake = Lake(tmp_path / "lake")
    table = lake.table("t")
    if not fresh:
        table.commit([], SCHEMA, mode="overwrite")
    before = table.version
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(lake.root), str(number), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    said = sorted(racer.communicate()[0].strip() for racer in racers)
    assert said == ["lost conflict.version", "lost conflict.version", f"won {before + 1}"]
    assert table.version == before + 1
    assert table.rows() == 1
    assert len(list(table.path.glob("*.parquet"))) == 1
