"""All benchmarks, one after the other: `python -m benchmarks [--rows N]`."""

from __future__ import annotations

import argparse
import subprocess
import sys

MODULES = ("benchmarks.bench_aes", "benchmarks.bench_digests", "benchmarks.bench_import")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="profiles and IDs of the large ones")
    rows = parser.parse_args().rows
    worst = 0
    for module in MODULES:
        print(f"\n## {module}\n", flush=True)
        arguments = [] if module.endswith("bench_aes") else ["--rows", str(rows)]
        worst = max(worst, subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
