"""DuckDB passes the suite of all engines, and is shut in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.lake import DiskFull, EngineUnknown, Lake, LakeCorrupt, OutOfMemory, StatementFailed, open_engine
from symbolon.lake.duckdb import DuckDbEngine
from symbolon.lake.duckdb.failures import translate
from symbolon.lake.masking import mask
from symbolon.settings import Settings
from symbolon.testing import EngineConformance

NUMBERS = pa.schema([("number", pa.int64())])


class TestDuckDb(EngineConformance):
    @pytest.fixture
    def engine(self, lake: Lake):
        with DuckDbEngine(lake.root, threads=2, memory_limit="500MB") as engine:
            yield engine


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def engine(lake: Lake):
    with DuckDbEngine(lake.root) as engine:
        yield engine


def test_engine_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(project=tmp_path, threads=1, memory_limit="300MB")
    engine = open_engine(settings)
    assert engine.name == "duckdb"
    assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1
    engine.close()
    with pytest.raises(EngineUnknown, match="no such engine"):
        open_engine(Settings(project=tmp_path, engine="spark"))


def test_it_sees_the_lake_only(engine: DuckDbEngine, lake: Lake, tmp_path: Path) -> None:
    outside = tmp_path / "outside.parquet"
    pq.write_table(pa.table({"number": [1]}), outside)
    with pytest.raises(StatementFailed):
        engine.count(engine.scan([str(outside)], NUMBERS))
    with pytest.raises(StatementFailed):
        engine.write(engine.relation(pa.table({"number": [1]})), tmp_path / "elsewhere", NUMBERS)
    cursor = engine._connection.cursor()
    for statement in (
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        f"ATTACH '{tmp_path}/x.db'",
        f"SELECT * FROM read_text('{lake.root}/../secret')",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET allowed_directories",
        "INSTALL httpfs",
        "LOAD httpfs",
    ):
        with pytest.raises(duckdb.Error):
            cursor.execute(statement)


def test_cursors_share_the_settings(engine: DuckDbEngine, lake: Lake) -> None:
    wanted = "current_setting('TimeZone'), current_setting('preserve_insertion_order'), current_setting('threads')"
    assert engine._connection.cursor().execute(f"SELECT {wanted}").fetchall() == [("UTC", False, 2)]
    spill = engine._connection.cursor().execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    assert Path(spill).parent == lake.root / "tmp"
    assert Path(spill).stat().st_mode & 0o777 == 0o700


def test_hostile_folder_names(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "we[ir]d o'bri*en" / 'env=prod"{x}?' / "é#&")
    with DuckDbEngine(lake.root) as engine, lake.attempt("x") as directory:
        files = engine.write(engine.relation(pa.table({"number": [1, 2]})), directory, NUMBERS)
        table = lake.table("a/b")
        table.commit(files, NUMBERS, mode="overwrite")
        scanned = engine.scan(table.files(), NUMBERS)
        assert scanned.columns == ("number",)
        assert engine.count(scanned) == 2


def test_a_symlinked_lake(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lake = Lake(tmp_path / "link" / "lake")
    with DuckDbEngine(tmp_path / "link" / "lake") as engine, lake.attempt("x") as directory:
        files = engine.write(engine.relation(pa.table({"number": [1]})), directory, NUMBERS)
        through = tmp_path / "link" / files[0].path.relative_to(tmp_path / "real")
        assert engine.count(engine.scan([str(files[0].path)], NUMBERS)) == 1
        assert engine.count(engine.scan([str(through)], NUMBERS)) == 1


def test_memory_of_dropped_relations_is_freed(engine: DuckDbEngine) -> None:
    for _ in range(5):
        engine.count(engine.relation(pa.table({"number": [1]})))
    engine.count(engine.relation(pa.table({"number": [1]})))
    left = engine._connection.cursor().execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]
    assert left <= 2


def test_spilling_stays_in_the_lake_and_goes_away(lake: Lake, tmp_path: Path) -> None:
    with DuckDbEngine(lake.root, threads=1, memory_limit="60MB") as engine, lake.attempt("x") as directory:
        numbers = engine.relation(pa.table({"n": range(1_500_000)}))
        wide = numbers.select(number=numbers.n, text=numbers.n.cast("string").rpad(60, "x"))
        schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
        files = engine.write(wide, directory, schema, order_by=["text"])
        assert files[0].rows == 1_500_000
    assert list((lake.root / "tmp").iterdir()) == []


def test_too_little_memory(lake: Lake) -> None:
    with DuckDbEngine(lake.root, threads=1, memory_limit="50MB") as engine:
        numbers = engine.relation(pa.table({"number": range(1_000_000)}))
        in_one_piece = numbers.aggregate(text=numbers.number.cast("string").rpad(200, "x").group_concat())
        with pytest.raises(OutOfMemory):
            engine.fetch(in_one_piece)
        assert engine.count(numbers) == 1_000_000


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (duckdb.IOException('IO Error: Could not write file "/x/y": No space left on device'), DiskFull),
        (duckdb.OutOfMemoryException("failed to offload data block (max_temp_directory_size)"), DiskFull),
        (duckdb.OutOfMemoryException("could not allocate block"), OutOfMemory),
        (duckdb.IOException("IO Error: No files found that match the pattern"), LakeCorrupt),
        (duckdb.InvalidInputException("Invalid Input Error: No magic bytes found at end of file 'x'"), LakeCorrupt),
        (duckdb.ConversionException("Conversion Error: Could not convert string 'a' to INT64"), StatementFailed),
        (duckdb.InvalidInputException("Invalid Input Error: something else"), StatementFailed),
    ],
)
def test_what_failures_mean(error: duckdb.Error, meaning: type[Exception]) -> None:
    assert type(translate(error)) is meaning


def test_masking_keeps_plain_words_only() -> None:
    text = (
        "Conversion Error: Could not convert string 'maria@example.org' to INT64 (value 4711) "
        'maria@example.org 0x8f43c1d2 "email" "Smith" Type INT64 with value +491701234567 can\'t\nLINE 1: \'secret\''
    )
    masked = mask(text, {"email"})
    assert masked.startswith("Conversion Error: Could not convert string '…' to INT64")
    assert '"email"' in masked
    for value in ("maria", "example", "4711", "8f43", "Smith", "49170", "secret"):
        assert value not in masked


def test_no_talk_at_exit(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, pyarrow as pa\n"
        "from symbolon.lake import Lake, open_engine\n"
        "from symbolon.settings import Settings\n"
        "engine = open_engine(Settings(project=pathlib.Path(sys.argv[1])))\n"
        "rows = engine.relation(pa.table({'a': [1]}))\n"
        "assert engine.count(rows) == 1\n"
        "engine.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_room_is_cheap() -> None:
    code = (
        "import sys, symbolon.lake, symbolon.store\n"
        "heavy = {'duckdb', 'ibis', 'pyarrow', 'deltalake', 'numpy', 'pandas', 'sqlalchemy', 'alembic', 'pytest'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
