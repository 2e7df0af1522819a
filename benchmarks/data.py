"""Synthetic data for the benchmarks: made once per size, kept under benchmarks/data (not in git)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from symbolon.ids import encrypt

FOLDER = Path(__file__).parent / "data"
KEY = bytes.fromhex("0123456789ABCDEF0123456789ABCDEF")
IV = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SEGMENT = "24"


def profiles(rows: int) -> Path:
    """Give a CSV of `rows` profiles: external_id, email."""
    path = FOLDER / f"profiles-{rows}.csv"
    if not path.exists():
        _copy(
            f"select 'C' || i as external_id, 'person' || i || '@example.com' as email from range({rows}) t(i)",
            path,
            "header true",
        )
    return path


def hashed(rows: int, known: int | None = None) -> Path:
    """Give a segment file of `rows` SHA-256 digests, 80 % of them of known profiles, in random order."""
    known = rows if known is None else known
    path = FOLDER / f"S3_1_{known}_full_{1486140844000 + rows}.sync"
    if not path.exists():
        offset = max(0, known - rows * 8 // 10)
        _copy(
            f"select sha256('person' || (i + {offset}) || '@example.com') || ' {SEGMENT},' || (i % 50 + 30) "
            f"from range({rows}) t(i) order by hash(i)",
            path,
            "header false, quote '', delimiter '\t'",
        )
    return path


def encrypted(rows: int) -> Path:
    """Give a segment file of the same people as `hashed`, as AES-128-CBC hex with one IV."""
    path = FOLDER / f"S3_2_{rows}_full_{1486140844000 + rows}.sync"
    if not path.exists():
        step, offset = 1_000_000, rows - rows * 8 // 10
        partial = path.with_suffix(".partial")
        with partial.open("wb") as out:
            for start in range(0, rows, step):
                numbers = range(start, min(start + step, rows))
                values = pa.array([f"person{number + offset}@example.com" for number in numbers])
                for number, value in zip(numbers, encrypt(values, KEY, IV).to_pylist(), strict=True):
                    out.write(b"%s %s,%d\n" % (value.hex().encode(), SEGMENT.encode(), number % 50 + 30))
        partial.rename(path)
    return path


def _copy(query: str, path: Path, options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    connection = duckdb.connect()
    connection.execute(f"copy ({query}) to '{partial}' (format csv, {options})")
    connection.close()
    partial.rename(path)
