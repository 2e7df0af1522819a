"""A Spark of a process of its own: Java of the wheel, nothing on the terminal, and a Java that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.spark

_WORK = """
import json, sys
import pyarrow as pa
from symbolon.errors import SymbolonError
from symbolon.lake.spark import SparkEngine
with SparkEngine(__import__("pathlib").Path(sys.argv[1]), "local[2]") as engine:
    rows = engine.relation(pa.table({"text": ["canary@example.org", "1"]}))
    try:
        engine.fetch(rows.select(number=rows.text.cast("int64")))
    except SymbolonError as error:
        print(json.dumps({"code": error.code, "text": str(error), "count": engine.count(rows)}))
"""
_KILLED = """
import sys, threading
import psutil, pyarrow as pa, pytest
from pathlib import Path
from symbolon.lake import EngineLost
from symbolon.lake.spark import SparkEngine
root = Path(sys.argv[1])
with SparkEngine(root, "local[2]") as engine:
    java = [p for p in psutil.Process().children(recursive=True) if "java" in p.name()]
    rows = engine.relation(pa.table({"number": list(range(3000))}))
    endless = rows.cross_join(rows.view()).cross_join(rows.view())
    def kill():
        while not engine._connection.session.sparkContext.statusTracker().getActiveJobsIds():
            pass
        for process in java:
            process.kill()
    threading.Thread(target=kill).start()
    with pytest.raises(EngineLost):
        engine.write(endless.select("number"), root / "out", pa.schema([("number", pa.int64())]))
with SparkEngine(root, "local[2]") as engine:  # the same process may begin again
    assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1
assert not list((root / "out").glob("*.parquet"))
print("lost, and found again")
"""


def test_java_of_the_wheel_runs_spark_and_nothing_shows_a_value(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    tools = tmp_path / "bin"  # a PATH with what Spark's scripts need, and no Java
    tools.mkdir()
    for tool in (
        "bash",
        "sh",
        "dirname",
        "env",
        "cat",
        "basename",
        "ps",
        "uname",
        "readlink",
        "id",
        "python3",
        "chmod",
    ):
        found = next((Path(place, tool) for place in os.environ["PATH"].split(":") if Path(place, tool).exists()), None)
        if found:
            (tools / tool).symlink_to(found.resolve())
    ended = _run(_WORK, tmp_path / "lake", {**environment, "PATH": str(tools)})
    shown = json.loads(ended.stdout)
    assert shown["code"] == "engine.statement"
    assert "CAST_INVALID_INPUT" in shown["text"]
    assert shown["count"] == 2
    assert "canary" not in ended.stdout + ended.stderr
    assert ended.stderr == ""
    logs = [path.read_bytes() for path in tmp_path.rglob("*.log")]
    assert not any(b"canary" in log for log in logs)


def test_java_is_killed_in_the_middle(tmp_path: Path) -> None:
    ended = _run(_KILLED, tmp_path / "lake", dict(os.environ))
    assert ended.stdout.strip() == "lost, and found again"


def _run(text: str, lake: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-c", text, str(lake)],
        capture_output=True, text=True, timeout=300, env=environment, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended
