"""All benchmarks, one after the other: `python -m benchmarks [--rows N]`."""

from __future__ import annotations

import argparse
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="profiles and IDs of the large ones")
    rows = parser.parse_args().rows
    runs = [
        ["benchmarks.bench_aes"],
        ["benchmarks.bench_digests", "--rows", str(rows)],
        # a tenth first: what grows in between is the cost of rows, what does not is start-up
        ["benchmarks.bench_import", "--rows", str(max(1, rows // 10))],
        ["benchmarks.bench_import", "--rows", str(rows)],
        ["benchmarks.bench_export", "--rows", str(rows)],
        ["benchmarks.bench_workflow", "--rows", str(rows)],
        ["benchmarks.bench_arrival"],
        ["benchmarks.bench_compare", "--rows", str(max(1, rows // 10)), str(rows)],
        ["benchmarks.bench_scale", "--rows", *[str(max(1, rows * part // 10)) for part in (1, 3, 10, 30)]],
    ]
    worst = 0
    for module, *arguments in runs:
        print(f"\n## {' '.join([module, *arguments])}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
