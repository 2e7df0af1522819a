"""The hashed import beside the same work written by hand with other tools, in one run.

    python -m benchmarks.bench_compare [--rows 1000000 10000000] [--repeat 3] [--write]

Same files in, same files and counts out, each in a process of its own; the tools take turns, and the median counts.
Slow ones (pandas, a loop, Spark) run once with more than a million rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from typing import TYPE_CHECKING

from benchmarks import data
from benchmarks.bench_import import prepare
from benchmarks.competitors import duckdb_sql
from benchmarks.measure import Figure, measure, table
from benchmarks.report import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS = "Symbolon, whole command"
ON_SPARK = "Symbolon on Spark local[2]"
COMPETITORS = {
    "DuckDB by hand": "duckdb_sql",
    "Polars by hand": "polars_frame",
    "chDB by hand": "chdb_sql",
    "pandas script": "pandas_script",
    "loop and dict": "dict_loop",
    "Spark by hand, cold": "spark_sql",
}
SLOW = {"pandas script", "loop and dict", "Spark by hand, cold", ON_SPARK}
_ONCE_FROM = 2_000_000


def compare(rows: int, repeat: int) -> list[Figure]:
    """Run all of them on one size; the median of each."""
    folder, incoming = prepare(rows), data.hashed(rows)
    known = data.FOLDER / f"digests-{rows}.parquet"
    if not known.exists():
        duckdb_sql.digests(data.profiles(rows), known)
    target = data.FOLDER / "hand"
    work: dict[str, Callable[[], Figure]] = {OURS: lambda: ours(OURS, folder, incoming)}
    for name, module in COMPETITORS.items():
        arguments = [str(incoming), str(known), str(target)]
        work[name] = lambda name=name, module=module, arguments=arguments: measure(  # type: ignore[misc]
            name, f"benchmarks.competitors.{module}", arguments
        )
    work[ON_SPARK] = lambda: ours(ON_SPARK, folder, incoming, engine="local[2]")
    found: dict[str, list[Figure]] = {name: [] for name in work}
    for turn in range(repeat):
        for name, run in work.items():
            if turn and name in SLOW and rows >= _ONCE_FROM:
                continue
            found[name].append(run())
            print(f"{rows:,} {name}: {found[name][-1].seconds:.2f} s", flush=True)
    shutil.rmtree(target, ignore_errors=True)
    figures = [_median(runs) for runs in found.values()]
    _same_work(figures)
    return figures


def ours(name: str, folder: Path, incoming: Path, engine: str = "duckdb") -> Figure:
    """Measure one whole command."""
    arguments = ["--project", str(folder), "audience", "import", str(incoming), "--source", "hashed"]
    arguments += ["--segment", data.SEGMENT, "--name", "bench-hashed", "--force", "--json"]
    return measure(name, "symbolon.cli", arguments, {**os.environ, "SYMBOLON_ENGINE": engine})


def _median(runs: list[Figure]) -> Figure:
    one = runs[0]
    return Figure(
        one.name,
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        statistics.median(run.peak_mib for run in runs),
        one.output,
    )


def _same_work(figures: list[Figure]) -> None:
    for one in figures[1:]:
        for key in ("accepted", "matched", "members"):
            if one.output[key] != figures[0].output[key]:
                raise SystemExit(f"{one.name}: {key} is {one.output[key]}, not {figures[0].output[key]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put tables and picture into the documentation")
    options = parser.parse_args()
    sizes = {}
    for rows in options.rows:
        figures = sizes[f"{rows / 1e6:g} M"] = compare(rows, options.repeat)
        print(f"\n{rows:,} IDs against {rows:,} profiles\n\n{table(figures, OURS)}\n")
        by_hand = next(one for one in figures if one.name == "chDB by hand")
        print(f"CPU seconds, ours / chDB by hand: {figures[0].cpu_seconds / by_hand.cpu_seconds:.2f} (goal: at most 1)")
        if options.write:
            write(f"compare {rows}", table(figures, OURS))
    if options.write:
        from benchmarks.pictures import bars  # noqa: PLC0415 - only where a picture is wanted

        bars(sizes, "bench-compare.svg")


if __name__ == "__main__":
    main()
