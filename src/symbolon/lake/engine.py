"""What computes on rows: the few things an engine must be able to do, and which one a project has.

Invariant: an engine reads Parquet files and writes Parquet files; it never changes a table. Relations are Ibis
expressions, so one definition runs on every engine. An engine is a folder beside `duckdb/` and `spark/` with the same
file names inside, and one more line in `open_engine`.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from symbolon.lake.errors import EngineMissing, EngineUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from symbolon.lake.written import WrittenFile
    from symbolon.settings import Settings

#: what `engine` in the settings may be
ENGINES = ("duckdb", "local[2]", "spark://host:7077", "sc://host:15002")
_SPARK = re.compile(r"local(?:\[(?:\d{1,4}|\*)\])?|spark://[^/\s]+|sc://\S+")


class Engine(Protocol):
    """Computes relations. May be used from several threads at once."""

    #: what it is: `duckdb` or `spark`
    name: str
    #: the algorithms with which it can digest text itself
    digests: frozenset[str]
    #: whether rows come into this process cheaply: else what can be computed by the engine should be
    in_process: bool

    def scan(self, files: Sequence[str], schema: pa.Schema) -> ibis.Table:
        """Give a relation over Parquet files, with exactly the columns of `schema`.

        Columns that a file does not have are null in its rows. No file gives an empty relation of that schema.

        Args:
            files: absolute paths inside the lake.
            schema: names, types and order of the columns.

        Raises:
            LakeCorrupt: a file is missing or is no Parquet file.
        """
        ...

    def relation(self, table: pa.Table) -> ibis.Table:
        """Give a relation over rows in memory; kept as long as a relation made from it is."""
        ...

    def write(
        self,
        relation: ibis.Table,
        directory: Path,
        schema: pa.Schema,
        *,
        prefix: str = "part",
        order_by: Sequence[str] | None = None,
    ) -> list[WrittenFile]:
        """Write a relation as Parquet files, by one statement.

        Columns are picked by name, ordered and cast as `schema` says; further columns are left out.

        Args:
            relation: what to write.
            directory: where to; made where missing, inside the lake.
            schema: names, types and order of the columns.
            prefix: first part of the files' names; of calls with one directory only one may have it.
            order_by: columns to sort by; the files in the order given are then sorted.

        Returns:
            The files; none if there are no rows.

        Raises:
            StatementFailed: the statement cannot run, or a value does not fit its column.
            DiskFull: there is no space for it.
        """
        ...

    def batches(self, relation: ibis.Table, chunk_rows: int = 131_072) -> Iterator[pa.RecordBatch]:
        """Give the rows in batches of at most `chunk_rows`; memory holds a few of them."""
        ...

    def fetch(self, relation: ibis.Table, limit: int | None = 100_000) -> pa.Table:
        """Give the rows, at most `limit` of them (None = all), in memory."""
        ...

    def count(self, relation: ibis.Table) -> int:
        """Count the rows."""
        ...

    def sql(self, relation: ibis.Table) -> str:
        """Give the statement that computes a relation, as text for a person."""
        ...

    def examine(self) -> str:
        """Prove that it computes, and sees the same files as this process; give what it is, in words.

        Raises:
            PathsDiffer: it reads or writes other files.
            EngineLost: it does not answer.
        """
        ...

    def close(self) -> None:
        """End the engine and remove what it spilled. May be called twice."""
        ...


def open_engine(settings: Settings) -> Engine:
    """Start the engine that the settings name.

    Raises:
        EngineUnknown: this release has no such engine.
        EngineMissing: its packages are not installed.
        EngineUnreachable: it does not start, or does not answer.
        JavaMissing: Spark finds no Java.
    """
    lake, threads, memory = settings.lake_dir, settings.thread_count, settings.memory_limit
    if settings.engine == "duckdb":
        from symbolon.lake.duckdb import DuckDbEngine  # noqa: PLC0415 - heavy

        return DuckDbEngine(lake, threads=threads, memory_limit=memory)
    if not _SPARK.fullmatch(settings.engine):
        raise EngineUnknown(
            "there is no such engine as the settings name",
            hint=f"set `engine` in symbolon.toml or SYMBOLON_ENGINE to one of: {', '.join(ENGINES)}",
        )
    if find_spec("pyspark") is None or find_spec("grpc") is None:
        raise EngineMissing(
            "the engine is Spark, which is not installed here",
            hint="pip install 'symbolon[spark]', or set `engine` to duckdb",
        )
    from symbolon.lake.spark import SparkEngine  # noqa: PLC0415 - heavy

    # `true` in TOML is True here and `true` to Spark
    options = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.spark.items()
    }
    return SparkEngine(lake, settings.engine, threads=threads, memory_limit=memory, options=options)
