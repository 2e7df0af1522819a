"""A loop and a dict: no library but the one that reads and writes Parquet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    table = pq.read_table(known)
    digests = dict(zip(table["h"].to_pylist(), table["profile_id"].to_pylist(), strict=True))
    seen: set[str] = set()
    ids, lines, profiles = [], [], []
    rejects: list[dict[str, object]] = []
    with incoming.open() as file:
        for number, line in enumerate(file, 1):
            one, _, segments = line.rstrip("\n").partition(" ")
            if segment not in segments.split(","):
                continue
            one = one.lower()
            if not _DIGEST.fullmatch(one):
                rejects.append({"line": number, "reason": "malformed_id", "id": one})
            elif one in seen:
                rejects.append({"line": number, "reason": "duplicate_id", "id": one})
            else:
                seen.add(one)
                ids.append(one)
                lines.append(number)
                profiles.append(digests.get(one))
    rows = pa.table({"id": ids, "line": lines, "profile_id": pa.array(profiles, pa.int64())})
    pq.write_table(rows, target / "rows.parquet")
    shape = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("id", pa.string())])
    pq.write_table(pa.Table.from_pylist(rejects, schema=shape), target / "rejects.parquet")
    matched = [one for one in profiles if one is not None]
    return {"accepted": len(ids), "matched": len(matched), "members": len(set(matched))}


if __name__ == "__main__":
    main(run)
