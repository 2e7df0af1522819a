"""Export of hashed members beside a bare DuckDB COPY of the same text, and what changed between two versions.

    python -m benchmarks.bench_export [--rows 10000000]

Each figure is of a process of its own. The digests of the profiles are known, and COPY is given them as text. The
second export of a share compares two versions of nine tenths of the profiles, which differ by a ninth each way.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import duckdb

import symbolon
from benchmarks import bench_import, data
from benchmarks.competitors import duckdb_sql
from benchmarks.measure import Figure, measure, table

#: the size that the budgets speak of
BUDGET_ROWS = 10_000_000
RULES = {"all": "external_id IS NOT NULL", "before": "NOT external_id LIKE '%7'", "after": "NOT external_id LIKE '%3'"}


def prepare(rows: int) -> Path:
    """Make a project with `rows` profiles, digests known, and three lists of them; kept between runs."""
    folder = data.FOLDER / f"export-{rows}"
    if (folder / "exportable").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bench_import.prepare(rows), folder)
    with symbolon.init(folder) as project:  # brings an older one up to date
        project.sources.edit("hashed", {"dpid": 33})
        for name, rule in RULES.items():
            project.audiences.queries.create(f"{name}-rule", rule)
            project.audiences.queries.freeze(project.audiences.show(f"{name}-rule"), name)
    (folder / "exportable").touch()
    return folder


def by_hand(known: str, target: str) -> None:
    """Write the same text by one statement."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '2GB'")
    text = f"SELECT h || chr(9) || 'd_sid={data.SEGMENT}' FROM '{known}'"
    connection.execute(f"COPY ({text}) TO '{target}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '|')")
    rows = connection.execute(f"SELECT count(*) FROM '{known}'").fetchall()[0][0]
    print(json.dumps({"ids": rows, "bytes": Path(target).stat().st_size}))


def ours(folder: Path, name: str, audience: str, share: str, target: Path, *options: str) -> Figure:
    """Measure one whole command; each share has a place of its own, as two shares of one segment must."""
    (target / share).mkdir(exist_ok=True)
    arguments = ["--project", str(folder), "audience", "export", audience, "--source", "hashed", "--as", share]
    arguments += ["--segment", data.SEGMENT, "--to", f"{target / share}/", "--mode", "sync", "--yes", "--json"]
    arguments += options
    return measure(name, "symbolon.cli", arguments)


def main() -> None:
    if sys.argv[1:2] == ["--by-hand"]:
        by_hand(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=BUDGET_ROWS)
    rows = parser.parse_args().rows
    folder = prepare(rows)
    known = data.FOLDER / f"digests-{rows}.parquet"
    if not known.exists():
        duckdb_sql.digests(data.profiles(rows), known)
    target = data.FOLDER / f"exported-{rows}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with symbolon.open(folder) as project:
        number = len(project.store.runs(10_000)) + 1  # shares that nobody has seen before
    figures = [
        measure("bare COPY", "benchmarks.bench_export", ["--by-hand", str(known), str(target / "by-hand")]),
        ours(folder, "export", "all", f"all-{number}", target),
        ours(folder, "export, gzip", "all", f"packed-{number}", target, "--gzip"),
        ours(folder, "first of two", "before", f"two-{number}", target),
        ours(folder, "what changed", "after", f"two-{number}", target),
    ]
    hand, export, _, _, change = figures
    if (hand.output["ids"], hand.output["bytes"]) != (export.output["added"], export.output["files"][0]["bytes"]):  # type: ignore[index]
        raise SystemExit("not the same text")
    if change.output["added"] != change.output["removed"]:
        raise SystemExit("not the change that was made")
    shutil.rmtree(target, ignore_errors=True)
    print(f"\n{rows:,} members\n")
    print(table(figures, "bare COPY"))
    print()
    if rows < BUDGET_ROWS:
        print(f"the budgets are for {BUDGET_ROWS:,} rows: with fewer, start-up is most of it")
    _budget("export / bare COPY", export.seconds / hand.seconds, 1.5)
    _budget("what changed, seconds", change.seconds, 10.0)
    _budget("peak memory, GiB", max(one.peak_mib for one in figures[1:]) / 1024, 3.0)


def _budget(what: str, found: float, budget: float) -> None:
    verdict = "within" if found <= budget else "OVER"
    print(f"{what}: {found:.2f} ({verdict} the budget of {budget:g})")


if __name__ == "__main__":
    main()
