"""Spark passes the suite of all engines, and says clearly what is wrong with it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.lake import (
    EngineMissing,
    EngineUnreachable,
    JavaMissing,
    Lake,
    LakeCorrupt,
    StatementFailed,
    open_engine,
)
from symbolon.lake.spark import SparkEngine
from symbolon.lake.spark.java import find_java, java_version
from symbolon.lake.spark.options import megabytes, shown
from symbolon.settings import Settings, load_settings
from symbolon.testing import EngineConformance

pytestmark = [pytest.mark.usefixtures("warm_spark"), pytest.mark.spark]

NUMBERS = pa.schema([("number", pa.int64())])


class TestSpark(EngineConformance):
    @pytest.fixture
    def engine(self, lake: Lake):
        with SparkEngine(lake.root, "local[2]") as engine:
            yield engine


@pytest.fixture
def engine(tmp_path: Path):
    with SparkEngine(tmp_path / "lake", "local[2]") as engine:
        yield engine


def test_engine_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "symbolon.toml").write_text(
        'engine = "local[2]"\n[spark]\n"spark.sql.shuffle.partitions" = 3\n"spark.speculation" = true\n'
    )
    given: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbolon.lake.spark.SparkEngine", lambda *_, options, **__: given.update(options))
        open_engine(load_settings(tmp_path, {}))
    assert given == {"spark.sql.shuffle.partitions": "3", "spark.speculation": "true"}
    engine = open_engine(Settings(project=tmp_path, engine="local[2]"))
    assert engine.name == "spark"
    assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1
    engine.close()


def test_paths_with_signs_that_spark_reads_as_patterns(tmp_path: Path) -> None:
    with SparkEngine(tmp_path / "a [b]{c} *x", "local[2]") as engine:
        engine.examine()
        files = engine.write(engine.relation(pa.table({"number": [1, 2]})), tmp_path / "a [b]{c} *x" / "d", NUMBERS)
        assert engine.count(engine.scan([str(file.path) for file in files], NUMBERS)) == 2
    with pytest.raises(LakeCorrupt, match="colon"):
        SparkEngine(tmp_path / "a:b", "local[2]")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = set(Path.cwd().iterdir())
    with SparkEngine(tmp_path, "local[2]") as engine:
        relation = engine.relation(pa.table({"number": list(range(1000))}))
        assert sum(batch.num_rows for batch in engine.batches(relation)) == 1000
        reading = engine.batches(relation, 10)
        next(reading)
        reading.close()
        del relation, reading
        assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1
        spilled = [path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".parquet"]
        assert len(spilled) <= 1  # of the relation that is gone since the last statement
    assert [path for path in (tmp_path / "tmp").iterdir() if path.name.startswith("spill")] == []
    assert set(Path.cwd().iterdir()) == before


def test_it_stays_inside_the_lake(engine: SparkEngine, tmp_path: Path) -> None:
    outside = tmp_path / "outside.parquet"
    pq.write_table(pa.table({"number": [1]}), outside)
    for path in (outside, tmp_path / "lake" / ".." / "outside.parquet"):
        with pytest.raises(StatementFailed):
            engine.count(engine.scan([str(path)], NUMBERS))
    with pytest.raises(StatementFailed):
        engine.write(engine.relation(pa.table({"number": [1]})), tmp_path / "elsewhere", NUMBERS)


def test_private_files(engine: SparkEngine, tmp_path: Path) -> None:
    relation = engine.relation(pa.table({"number": [1]}))
    engine.write(relation, tmp_path / "lake" / "x", NUMBERS)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "lake").rglob("*")}
    assert modes == {0}


def test_one_spark_a_process(tmp_path: Path) -> None:
    with SparkEngine(tmp_path / "a", "local[2]"), pytest.raises(EngineUnreachable, match="open already"):
        SparkEngine(tmp_path / "b", "local[1]")


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolon.lake.engine.find_spec", lambda name: None)
    with pytest.raises(EngineMissing, match=r"not installed"):
        open_engine(Settings(project=tmp_path, engine="local[2]"))


@pytest.mark.parametrize("url", ["spark://127.0.0.1:{port}", "sc://127.0.0.1:{port}"])
def test_nobody_answers(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolon.lake.spark.connection.START_S", 3)
    with socket.socket() as taken:  # bound and not listening: refused
        taken.bind(("127.0.0.1", 0))
        address = url.format(port=taken.getsockname()[1])
        monkeypatch.setattr("symbolon.lake.spark.context.Context._one", None)
        monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
        with pytest.raises(EngineUnreachable):
            SparkEngine(tmp_path, address)


def test_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolon.lake.spark.connection.START_S", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(EngineUnreachable, match="2 s"):
            SparkEngine(tmp_path, f"sc://127.0.0.1:{silent.getsockname()[1]}")


def test_a_token_is_not_shown() -> None:
    assert shown("sc://host:15002/;token=secret;use_ssl=true") == "sc://host:15002"
    assert shown("spark://a:1,b:2") == "spark://a:1,b:2"


@pytest.mark.parametrize(("limit", "found"), [("2GB", 2048), ("500MB", 500), ("1.5 GiB", 1536), ("80%", 2048)])
def test_memory(limit: str, found: int) -> None:
    assert megabytes(limit) == found


def test_java_of_java_home(tmp_path: Path) -> None:
    home = _java(tmp_path / "eleven", "11.0.2")
    with pytest.raises(JavaMissing, match="Java 11"):
        find_java({"JAVA_HOME": str(home), "PATH": os.environ["PATH"]}, tmp_path)
    with pytest.raises(JavaMissing, match="without a Java"):
        find_java({"JAVA_HOME": str(tmp_path / "none"), "PATH": os.environ["PATH"]}, tmp_path)
    good = _java(tmp_path / "good", "21.0.4")
    assert find_java({"JAVA_HOME": str(good)}, tmp_path) == good


def test_java_on_path_is_asked(tmp_path: Path) -> None:
    good = _java(tmp_path / "good", "17.0.1")
    assert find_java({"PATH": str(good / "bin")}, tmp_path) == good
    old = _java(tmp_path / "old", "1.8.0_432")
    assert java_version(old) == 8
    (old / "release").write_text("nothing of use")
    assert java_version(old) is None
    answering = _java(tmp_path / "answering", "17.0.1", says='openjdk version "17.0.1" 2021-10-19')
    (answering / "release").unlink()
    assert java_version(answering) == 17


def test_java_of_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = find_java({"PATH": str(_java(tmp_path / "old", "1.8.0") / "bin")}, tmp_path)
    assert shim == tmp_path / "java"
    assert (shim / "bin" / "java").stat().st_mode & 0o777 == 0o700
    assert java_version(shim) == 21
    monkeypatch.setattr("symbolon.lake.spark.java.find_spec", lambda name: None)
    with pytest.raises(JavaMissing, match="Java on PATH is 8"):
        find_java({"PATH": str(tmp_path / "old" / "bin")}, tmp_path)
    with pytest.raises(JavaMissing, match="none on this machine"):
        find_java({"PATH": str(tmp_path)}, tmp_path)


def test_several_close_at_once(tmp_path: Path) -> None:
    engines = [SparkEngine(tmp_path / str(number), "local[2]") for number in range(3)]
    threads = [threading.Thread(target=engine.close) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with SparkEngine(tmp_path, "local[2]") as engine:
        assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1


def _java(home: Path, version: str, says: str = "") -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    binary = home / "bin" / "java"
    binary.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    binary.chmod(0o755)
    return home
