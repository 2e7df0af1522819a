"""Polars: one lazy scan, a window for repeated IDs, a join of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    text = {"id": pl.String, "segments": pl.String}
    lines = pl.scan_csv(
        incoming, has_header=False, separator=" ", quote_char=None, schema=text, row_index_name="line",
        row_index_offset=1, truncate_ragged_lines=True,
    )  # fmt: skip
    named = (
        lines.filter((pl.lit(",") + pl.col("segments") + ",").str.contains(f",{segment},", literal=True))
        .select("line", pl.col("id").str.to_lowercase())
        .with_columns(valid=pl.col("id").str.contains("^[0-9a-f]{64}$"))
        .with_columns(first=pl.col("id").is_first_distinct())
        .collect()
    )
    good = named.filter(pl.col("valid") & pl.col("first")).select("id", "line")
    rows = good.lazy().join(pl.scan_parquet(known), left_on="id", right_on="h", how="left").collect()
    rows.write_parquet(target / "rows.parquet", compression="snappy")
    reason = pl.when(~pl.col("valid")).then(pl.lit("malformed_id")).otherwise(pl.lit("duplicate_id"))
    rejects = named.filter(~(pl.col("valid") & pl.col("first"))).select("line", reason.alias("reason"), "id")
    rejects.write_parquet(target / "rejects.parquet", compression="snappy")
    matched = rows["profile_id"].drop_nulls()
    return {"accepted": rows.height, "matched": len(matched), "members": matched.n_unique()}


if __name__ == "__main__":
    main(run)
