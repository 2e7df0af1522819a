"""Import of hashed and encrypted IDs against the same number of profiles, beside the hand-written best, in one run.

    python -m benchmarks.bench_import [--rows 10000000]

Each figure is of a process of its own. `digests known`: the kept digests were made by an import before, and the
hand-written script is given its digests too.
"""

from __future__ import annotations

import argparse
import shutil
from typing import TYPE_CHECKING

import symbolon
from benchmarks import data
from benchmarks.competitors import duckdb_sql
from benchmarks.measure import Figure, measure, table
from symbolon.records import Channel, DataSource, Protection

if TYPE_CHECKING:
    from pathlib import Path

#: IDs of the small import against all profiles
FEW = 1_000
#: the size that the budgets speak of
BUDGET_ROWS = 10_000_000


def prepare(rows: int) -> Path:
    """Make a project with `rows` profiles, its sources, and digests known; kept between runs."""
    folder = data.FOLDER / f"project-{rows}"
    if (folder / "ready").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with symbolon.init(folder) as project:
        receipt = project.profiles.import_file(data.profiles(rows))
        print(f"profiles: {rows:,} imported in {receipt.seconds:.1f} s")
        project.sources.add(DataSource(name="hashed", key="email", protection=Protection.SHA256))
        project.sources.add(
            DataSource(name="encrypted", key="email", protection=Protection.AES_CBC, channel=Channel.EMAIL),
            key=data.KEY,
            iv=data.IV,
        )
        project.audiences.import_file(data.hashed(FEW, rows), source="hashed", segment=data.SEGMENT, name="few")
    (folder / "ready").touch()
    return folder


def ours(folder: Path, name: str, source: str, incoming: Path) -> Figure:
    """Measure one whole command."""
    arguments = ["--project", str(folder), "audience", "import", str(incoming), "--source", source]
    arguments += ["--segment", data.SEGMENT, "--name", f"bench-{source}", "--force", "--json"]
    return measure(name, "symbolon.cli", arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    folder = prepare(rows)
    known = data.FOLDER / f"digests-{rows}.parquet"
    if not known.exists():
        duckdb_sql.digests(data.profiles(rows), known)
    incoming, encrypted = data.hashed(rows), data.encrypted(rows)
    target = data.FOLDER / "hand"
    figures = [
        measure("hand-written DuckDB", "benchmarks.competitors.duckdb_sql", [str(incoming), str(known), str(target)]),
        ours(folder, "hashed import", "hashed", incoming),
        ours(folder, "encrypted import", "encrypted", encrypted),
        ours(folder, f"{FEW:,} IDs", "hashed", data.hashed(FEW, rows)),
    ]
    hand, hashed, sealed, few = figures
    for key in ("accepted", "matched", "members"):
        if hand.output[key] != hashed.output[key]:
            raise SystemExit(f"{key}: by hand {hand.output[key]}, ours {hashed.output[key]}: not the same work")
    shutil.rmtree(target, ignore_errors=True)
    print(f"\n{rows:,} IDs against {rows:,} profiles\n")
    print(table(figures, "hand-written DuckDB"))
    print()
    if rows < BUDGET_ROWS:
        print(f"the budgets are for {BUDGET_ROWS:,} rows: with fewer, start-up is most of it")
        return
    _budget("hashed / hand-written", hashed.seconds / hand.seconds, 1.3)
    _budget("encrypted / hashed", sealed.seconds / hashed.seconds, 2.0)
    _budget("peak memory of the hashed import, GiB", hashed.peak_mib / 1024, 3.0)
    _budget(f"{FEW:,} IDs, seconds", few.seconds, 3.0)


def _budget(what: str, found: float, budget: float) -> None:
    verdict = "within" if found <= budget else "OVER"
    print(f"{what}: {found:.2f} ({verdict} the budget of {budget:g})")


if __name__ == "__main__":
    main()
