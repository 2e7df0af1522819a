"""Building the kept digests of all profiles, beside the bare `sha256()` query, in one run.

    python -m benchmarks.bench_digests [--rows 10000000]

Both read the same Parquet files of profiles and write what they make; each figure is of a process of its own, the best
of several turns, taken in turn. Starting up is not counted: it is the same for both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import duckdb

import symbolon
from benchmarks import data
from benchmarks.measure import Figure, measure, table

BUDGET = 1.3
#: numbers are read with the memory limit and threads of the project
TURNS = 3
_SCRATCH = data.FOLDER / "digests"


def prepare(rows: int) -> Path:
    """Make a project with `rows` profiles and nothing else; kept between runs."""
    folder = data.FOLDER / f"profiles-{rows}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        with symbolon.init(folder) as project:
            receipt = project.profiles.import_file(data.profiles(rows))
            print(f"profiles: {rows:,} imported in {receipt.seconds:.1f} s")
        (folder / "ready").touch()
    return folder


def bare(folder: Path) -> int:
    """Run the bare query: what any build of digests does at least."""
    with symbolon.open(folder) as project:
        files = project.lake.table("profiles/rows").files()
        settings = project.settings
    connection = duckdb.connect(config={"threads": settings.thread_count, "memory_limit": settings.memory_limit})
    connection.execute("SET preserve_insertion_order = false")
    started = time.perf_counter()
    made = connection.execute(
        f"COPY (SELECT profile_id, sha256(lower(trim(email))) AS digest FROM read_parquet({files})) "
        f"TO '{_SCRATCH}/bare.parquet' (FORMAT parquet)"
    ).fetchall()
    print(json.dumps({"seconds": time.perf_counter() - started, "rows": made[0][0]}))
    return 0


def ours(folder: Path) -> int:
    """Build the index in a copy of the project that shares its files."""
    copy = _SCRATCH / "project"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=_linked)
    with symbolon.open(copy) as project:
        engine, profiles = project.engine, project.profiles
        started = time.perf_counter()
        index = profiles.index("email", "adobe", "", "sha256")
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "rows": engine.count(index.relation)}))
    shutil.rmtree(copy)
    return 0


def _linked(source: str, target: str) -> str:
    """Link what never changes, copy the rest."""
    if source.endswith(".parquet"):
        Path(target).hardlink_to(source)
        return target
    return str(shutil.copy2(source, target))


def _best(figures: list[Figure]) -> Figure:
    best = min(figures, key=lambda figure: float(str(figure.output["seconds"])))
    return Figure(best.name, float(str(best.output["seconds"])), best.cpu_seconds, best.peak_mib, best.output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--only", choices=("bare", "ours"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = prepare(given.rows)
    if given.only:
        return bare(folder) if given.only == "bare" else ours(folder)
    _SCRATCH.mkdir(exist_ok=True)
    module, rows = "benchmarks.bench_digests", ["--rows", str(given.rows)]
    turns: dict[str, list[Figure]] = {"bare sha256 query": [], "kept digests": []}
    for _ in range(TURNS):
        for name, only in zip(turns, ("bare", "ours"), strict=True):
            turns[name].append(measure(name, module, [*rows, "--only", only]))
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    figures = [_best(found) for found in turns.values()]
    if figures[0].output["rows"] != figures[1].output["rows"]:
        raise SystemExit("not the same work")
    print(f"\nDigests of {given.rows:,} profiles\n")
    print(table(figures, "bare sha256 query"))
    ratio = figures[1].seconds / figures[0].seconds
    print(
        f"\nkept digests / bare query: {ratio:.2f} ({'within' if ratio <= BUDGET else 'OVER'} the budget of {BUDGET})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
