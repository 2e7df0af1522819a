"""A pandas script, as many are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    lines = pd.read_csv(incoming, sep=" ", header=None, names=["id", "segments"], dtype=str, quoting=3)
    lines["line"] = lines.index + 1
    named = lines[("," + lines.segments + ",").str.contains(f",{segment},", regex=False)].copy()
    named["id"] = named.id.str.lower()
    valid = named.id.str.fullmatch("[0-9a-f]{64}")
    again = valid & named.id.duplicated()
    digests = pd.read_parquet(known)
    rows = named[valid & ~again][["id", "line"]].merge(digests, how="left", left_on="id", right_on="h")
    rows = rows[["id", "line", "profile_id"]]
    rows["profile_id"] = rows.profile_id.astype("Int64")
    rows.to_parquet(target / "rows.parquet")
    rejects = named[~valid | again][["line", "id"]].assign(reason="duplicate_id")
    rejects.loc[~valid, "reason"] = "malformed_id"
    rejects.to_parquet(target / "rejects.parquet")
    matched = rows.profile_id.dropna()
    return {"accepted": len(rows), "matched": len(matched), "members": int(matched.nunique())}


if __name__ == "__main__":
    main(run)
