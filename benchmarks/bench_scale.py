"""What the hashed import costs as the rows grow, beside DuckDB by hand.

    python -m benchmarks.bench_scale [--rows 1000000 3000000 10000000 30000000] [--write]

Data of sizes that no other benchmark uses are removed afterwards.
"""

from __future__ import annotations

import argparse
import shutil

from benchmarks import data
from benchmarks.bench_compare import OURS, ours
from benchmarks.bench_import import prepare
from benchmarks.competitors import duckdb_sql
from benchmarks.measure import Figure, measure
from benchmarks.report import write

#: sizes whose data stay
KEPT = {1_000_000, 10_000_000}
BY_HAND = "DuckDB by hand"
#: bytes of disk that a row costs at the most: file, profiles, project, digests, outputs, spilling
_BYTES_A_ROW = 900
_BUDGET_MIB = 4 * 1024


def cost(rows: int) -> tuple[Figure, Figure]:
    """Measure ours and DuckDB by hand at one size."""
    free = shutil.disk_usage(data.FOLDER).free
    if free < rows * _BYTES_A_ROW:
        raise SystemExit(f"{rows:,} rows need about {rows * _BYTES_A_ROW >> 30} GiB of disk; {free >> 30} are free")
    folder, incoming = prepare(rows), data.hashed(rows)
    known = data.FOLDER / f"digests-{rows}.parquet"
    if not known.exists():
        duckdb_sql.digests(data.profiles(rows), known)
    target = data.FOLDER / "hand"
    mine = ours(OURS, folder, incoming)
    hand = measure(BY_HAND, "benchmarks.competitors.duckdb_sql", [str(incoming), str(known), str(target)])
    if mine.output["members"] != hand.output["members"]:
        raise SystemExit(f"members: by hand {hand.output['members']}, ours {mine.output['members']}")
    shutil.rmtree(target, ignore_errors=True)
    if rows not in KEPT:
        shutil.rmtree(folder)
        for path in (incoming, known, data.profiles(rows)):
            path.unlink()
    return mine, hand


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000, 30_000_000])
    parser.add_argument("--write", action="store_true", help="put table and picture into the documentation")
    options = parser.parse_args()
    lines = ["| million IDs | | seconds | CPU seconds | peak MiB |", "|---:|---|---:|---:|---:|"]
    curves: dict[str, list[tuple[int, Figure]]] = {OURS: [], BY_HAND: []}
    for rows in options.rows:
        for one in cost(rows):
            curves[one.name].append((rows, one))
            lines.append(
                f"| {rows / 1e6:g} | {one.name} | {one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.peak_mib:,.0f} |"
            )
            print(lines[-1], flush=True)
    most = max(one.peak_mib for _, one in curves[OURS])
    print(
        f"peak memory, MiB: {most:,.0f} ({'within' if most <= _BUDGET_MIB else 'OVER'} the budget of {_BUDGET_MIB:,})"
    )
    if options.write:
        from benchmarks.pictures import curves as draw  # noqa: PLC0415 - only where a picture is wanted

        write("scale", "\n".join(lines))
        draw(curves, "bench-scale.svg")


if __name__ == "__main__":
    main()
