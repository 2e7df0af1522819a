"""Spark in local mode, cold: as a job that is submitted for one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from benchmarks.competitors.script import main

if TYPE_CHECKING:
    from pathlib import Path


def run(incoming: Path, known: Path, target: Path, segment: str) -> dict[str, int]:
    """Import by hand."""
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    # the line number is Spark's row id: ordered as the lines are, with gaps between the splits
    lines = spark.read.csv(str(incoming), sep=" ", schema="id string, segments string", quote="")
    named = (
        lines.withColumn("line", f.monotonically_increasing_id())
        .filter(f.array_contains(f.split("segments", ","), segment))
        .select("line", f.lower("id").alias("id"))
        .withColumn("valid", f.col("id").rlike(r"^[0-9a-f]{64}\z"))
    )
    first = named.filter("valid").groupBy("id").agg(f.min("line").alias("line"))
    rows = first.join(spark.read.parquet(str(known)).withColumnRenamed("h", "id"), "id", "left")
    rows.select("id", "line", "profile_id").write.mode("overwrite").parquet(str(target / "rows"))
    good = spark.read.parquet(str(target / "rows"))
    again = named.filter("valid").join(good.select("line"), "line", "left_anti")
    rejects = named.filter("not valid").select("line", f.lit("malformed_id").alias("reason"), "id")
    rejects = rejects.union(again.select("line", f.lit("duplicate_id"), "id"))
    rejects.write.mode("overwrite").parquet(str(target / "rejects"))
    found = good.agg(f.count("*"), f.count("profile_id"), f.countDistinct("profile_id")).collect()[0]
    spark.stop()
    return {"accepted": found[0], "matched": found[1], "members": found[2]}


if __name__ == "__main__":
    main(run)
