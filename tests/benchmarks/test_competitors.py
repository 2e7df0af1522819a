"""Those who are measured beside each other do the same work."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {
    "duckdb_sql": "duckdb",
    "polars_frame": "polars",
    "chdb_sql": "chdb",
    "pandas_script": "pandas",
    "dict_loop": "pyarrow",
    "spark_sql": "pyspark",
}


def digest(number: int) -> str:
    return hashlib.sha256(f"person{number}@example.com".encode()).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 lines: known and unknown people, other segments, repeated IDs, upper case, no digests."""
    folder = tmp_path_factory.mktemp("competitors")
    lines = [f"{digest(number)} {'24,' if number % 9 else ''}{30 + number % 50}" for number in range(4_000)]
    lines += [f"{digest(number).upper()} 24,31" for number in range(3_500, 4_400)]
    lines += [f"{'z' * 64} 24", f"{digest(1)[:-1]} 24", f"{digest(2)}0 24,26"]
    (folder / "S3_1_2_full_1486140844000.sync").write_text("".join(f"{line}\n" for line in lines))
    known = {"profile_id": range(1, 3_001), "h": [digest(number) for number in range(3_000)]}
    pq.write_table(pa.table(known), folder / "known.parquet")
    return folder


@pytest.fixture(scope="module")
def expected(files: Path) -> dict[str, int]:
    known = {digest(number) for number in range(3_000)}
    seen: set[str] = set()
    for line in (files / "S3_1_2_full_1486140844000.sync").read_text().splitlines():
        one, segments = line.lower().split(" ")
        if "24" in segments.split(",") and len(one) == 64 and "z" not in one:
            seen.add(one)
    return {"accepted": len(seen), "matched": len(seen & known), "members": len(seen & known)}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "spark_sql" else []) for name in NEEDS]
)
def test_they_do_the_same_work(name: str, files: Path, expected: dict[str, int], tmp_path: Path) -> None:
    if find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed here: it comes with ./run bench")
    incoming = files / "S3_1_2_full_1486140844000.sync"
    command = [sys.executable, "-m", f"benchmarks.competitors.{name}", incoming, files / "known.parquet", tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.strip().splitlines()[-1]) == expected
    rejects = tmp_path / ("rejects/*.parquet" if name == "spark_sql" else "rejects.parquet")
    reasons = dict(duckdb.sql(f"select reason, count(*) from '{rejects}' group by 1").fetchall())
    assert reasons["malformed_id"] == 3
    assert reasons["duplicate_id"] > 0


def test_every_competitor_is_compared() -> None:
    compared = importlib.import_module("benchmarks.bench_compare").COMPETITORS.values()
    there = {path.stem for path in (ROOT / "benchmarks" / "competitors").glob("[a-z]*_*.py")}
    assert set(compared) == there == set(NEEDS)
