"""The engine of Spark.

Rows go in and out as Parquet files in the lake, never through the connection: so there is one way for a Spark in this
process, on a cluster and behind a Connect server, and memory holds a few batches. The machines of a cluster must see
the lake under the same path; `examine` proves it.

Invariant: every view has a name of its own in our session and goes away with the last expression that uses it.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
import shutil
import weakref
from collections import deque
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.backends.sql import compilers
from ibis.backends.sql.datatypes import PySparkType

from symbolon.columns import empty_table
from symbolon.lake.errors import LakeCorrupt, PathsDiffer, StatementFailed, disk_errors
from symbolon.lake.locks import HeldDirectory, make_private
from symbolon.lake.spark.connection import Connection
from symbolon.lake.spark.failures import failures
from symbolon.lake.spark.options import shown
from symbolon.lake.typed import nullable, typed
from symbolon.lake.written import WrittenFile
from symbolon.later import pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROBE_ROWS = 32
_GLOB = re.compile(r"([\[\]{}*?\\])")
_DIGESTS = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})


class _CompilerOptions(ibis.config.Config):
    """What Ibis's compiler asks for at every floating-point column; only its own connection would set it."""

    treat_nan_as_null: bool = False


class SparkEngine:
    """Computes relations with Spark; see `symbolon.lake.engine.Engine` for what each method gives.

    Args:
        root: the lake.
        url: `local[N]`, `spark://host:port` or `sc://host:port`.
        threads: cores of a local Spark.
        memory_limit: memory of a local Spark, in DuckDB's notation.
        options: further configuration of Spark.
    """

    name = "spark"
    digests = _DIGESTS
    in_process = False

    def __init__(
        self,
        root: Path,
        url: str,
        *,
        threads: int = 2,
        memory_limit: str = "2GB",
        options: Mapping[str, str] | None = None,
    ) -> None:
        make_private(root)
        self._root = root.resolve()
        if ":" in str(self._root):
            raise LakeCorrupt(
                "Spark cannot read files below a folder that has a colon in its name",
                hint="move the project to a folder without one, or use the engine `duckdb`",
            )
        self._connection = Connection(url, self._root, threads=threads, memory_limit=memory_limit, options=options)
        self._spill = HeldDirectory(self._root / "tmp", "spill")
        self._numbers = itertools.count(1)
        self._dropped: deque[tuple[str, Path | None]] = deque()
        self._closed = False

    def scan(self, files: Sequence[str], schema: pa.Schema) -> ibis.Table:
        """Give a relation over Parquet files."""
        if not files:
            return self.relation(empty_table(schema))
        for file in files:
            self._check(Path(file))
        return self._view([str(file) for file in files], schema, None)

    def relation(self, table: pa.Table) -> ibis.Table:
        """Give a relation over rows in memory."""
        file = self._store(table)
        return self._view([str(file)], table.schema, file)

    def write(
        self,
        relation: ibis.Table,
        directory: Path,
        schema: pa.Schema,
        *,
        prefix: str = "part",
        order_by: Sequence[str] | None = None,
    ) -> list[WrittenFile]:
        """Write a relation as Parquet files."""
        self._inside(directory)
        make_private(directory)
        missing = [name for name in schema.names if name not in relation.columns]
        if missing:
            raise StatementFailed(f"the relation has no column {', '.join(missing)}")
        if any(directory.glob(f"{prefix}-[0-9]*.parquet")):
            raise StatementFailed(f"files `{prefix}-…` were written before")
        columns = ", ".join(_column(field, set(schema.names)) for field in schema)
        order = f" ORDER BY {', '.join(_quoted(name) for name in order_by)}" if order_by else ""
        written = []
        for number, part in enumerate(self._parts(f"SELECT {columns} FROM ({self.sql(relation)}){order}", relation)):
            target = directory / f"{prefix}-{number:05d}.parquet"
            part.path.replace(target)
            written.append(WrittenFile(target, part.rows, part.size_bytes))
        return written

    def batches(self, relation: ibis.Table, chunk_rows: int = 131_072) -> Iterator[pa.RecordBatch]:
        """Give the rows in batches."""
        schema = relation.schema().to_pyarrow()
        parts = self._parts(self.sql(relation), relation)
        try:
            for part in parts:
                with pq.ParquetFile(part.path) as file:
                    for batch in file.iter_batches(chunk_rows):
                        yield typed(batch, schema)
                part.path.unlink()
        finally:
            for part in parts:
                part.path.unlink(missing_ok=True)

    def fetch(self, relation: ibis.Table, limit: int | None = 100_000) -> pa.Table:
        """Give the rows in memory."""
        picked = relation if limit is None else relation.limit(limit)
        schema = relation.schema().to_pyarrow()
        found = self._run(lambda session: session.sql(self.sql(picked)).toArrow(), relation)
        return pa.Table.from_batches([typed(batch, schema) for batch in found.to_batches()], schema=schema)

    def count(self, relation: ibis.Table) -> int:
        """Count the rows."""
        return int(self.fetch(relation.count().name("rows").as_table())["rows"][0].as_py())

    def sql(self, relation: ibis.Table) -> str:
        """Give the statement."""
        if ibis.options.pyspark is None:
            ibis.options.pyspark = _CompilerOptions()
        return str(compilers.pyspark.compiler.to_sqlglot(relation).sql(dialect=compilers.pyspark.compiler.dialect))

    def examine(self) -> str:
        """Prove by a file written on each side that Spark and this process see the same files."""
        token = secrets.token_hex(16)
        probe = pa.table({"token": [token] * _PROBE_ROWS})
        file = self._store(probe)
        parts: list[WrittenFile] = []
        try:
            spread = self._view([str(file)], probe.schema, None)
            # many small tasks: every worker gets some of them, if it has a core free
            parts = self._parts(f"SELECT /*+ REPARTITION({_PROBE_ROWS}) */ token FROM ({self.sql(spread)})", spread)
            found = [value for part in parts for value in pq.read_table(part.path)["token"].to_pylist()]
        except LakeCorrupt:
            raise PathsDiffer("Spark does not see the files of this project") from None
        finally:
            for part in [file, *[part.path for part in parts]]:
                part.unlink(missing_ok=True)
        if found != probe["token"].to_pylist():
            raise PathsDiffer("Spark's workers write files that this process does not see")
        return f"Spark {self._connection.session.version}, {shown(self._connection.url)}, sees the files of the project"

    def close(self) -> None:
        """End the engine."""
        if self._closed:
            return
        self._closed = True
        self._connection.close()
        self._spill.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _parts(self, statement: str, relation: ibis.Table) -> list[WrittenFile]:
        """Let Spark write the rows of a statement; give its files, in order, those without rows left out."""
        directory = self._spill.path / self._name("written")
        try:
            written = self._run(lambda session: self._save(session, statement, directory), relation)
            if not directory.is_dir():
                raise PathsDiffer("Spark has written rows that this process does not see")
            parts: list[WrittenFile] = []
            for file in sorted(directory.glob("part-*.parquet")):
                rows = pq.read_metadata(file).num_rows
                if rows:
                    kept = self._spill.path / f"{directory.name}-{len(parts):05d}.parquet"
                    with disk_errors("a result"):
                        file.replace(kept)
                    kept.chmod(0o600)
                    parts.append(WrittenFile(kept, rows, kept.stat().st_size))
            if sum(part.rows for part in parts) != written:
                # a worker that writes elsewhere tells Spark that all is well
                for part in parts:
                    part.path.unlink()
                raise PathsDiffer("Spark's workers have written rows that this process does not see")
            return parts
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _save(self, session: Any, statement: str, directory: Path) -> int:
        """Let Spark write the rows of a statement; give how many it says it has written."""
        rows, passed = self._connection.counting(session.sql(statement))
        rows.write.parquet(f"file://{directory}")
        return int(passed.get["rows"])

    def _run(self, work: Any, relation: ibis.Table) -> Any:
        """Do something with the session, watched; show it the rows that `ibis.memtable` holds."""
        session = self._session()
        held = [
            (node.name, self._store(node.data.to_pyarrow(node.schema)))
            for node in relation.op().find(ops.InMemoryTable)
        ]
        try:
            for name, file in held:
                self._connection.run(partial(_show, session.read, [str(file)], name))
            return self._connection.run(lambda: work(session))
        finally:
            for name, file in held:
                file.unlink(missing_ok=True)
                self._drop(name)

    def _session(self) -> Any:
        if self._closed:
            raise StatementFailed("the engine is closed", hint="open the project again")
        with suppress(IndexError):  # another thread may have been quicker
            while True:
                name, file = self._dropped.popleft()
                self._drop(name)
                if file is not None:
                    file.unlink(missing_ok=True)
        return self._connection.session

    def _drop(self, view: str) -> None:
        with suppress(Exception):  # a Spark that is gone has no views either
            self._connection.run(partial(self._connection.session.catalog.dropTempView, view))

    def _view(self, files: list[str], schema: pa.Schema, owned: Path | None) -> ibis.Table:
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - heavy

        name = self._name("scan")
        session = self._session()
        with failures():
            reader = session.read.schema(from_arrow_schema(schema, prefer_timestamp_ntz=True))
        self._connection.run(partial(_show, reader, files, name))
        node = ops.DatabaseTable(
            name,
            schema=ibis.Schema.from_pyarrow(nullable(schema)),
            source=self,
            namespace=ops.Namespace(),
        )
        # only noted: the collector may run in the middle of another statement
        weakref.finalize(node, self._dropped.append, (name, owned)).atexit = False
        return cast("ibis.Table", node.to_expr())

    def _store(self, table: pa.Table) -> Path:
        """Put rows into a file that Spark can read."""
        file = self._spill.path / f"{self._name('rows')}.parquet"
        with disk_errors("rows for the engine"):
            pq.write_table(table, file, compression="none", store_schema=False)
        file.chmod(0o600)
        return file

    def _check(self, file: Path) -> None:
        """See that a file is one of the lake's, and Parquet: Spark would tell only when it reads."""
        self._inside(file)
        try:
            pq.read_metadata(file)
        except (OSError, pa.ArrowException):
            raise LakeCorrupt("a file of the lake cannot be read: it is missing or no Parquet file") from None

    def _inside(self, path: Path) -> None:
        if not Path(os.path.normpath(path)).is_relative_to(self._root):
            raise StatementFailed("the engine reads and writes inside the lake only")

    def _name(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"


def _show(reader: Any, files: Sequence[str], name: str) -> None:
    """Give Spark a view over files."""
    reader.parquet(*[_uri(file) for file in files]).createOrReplaceTempView(name)


def _uri(path: str) -> str:
    """Give a path as Spark takes it: it would read some signs as patterns."""
    return "file://" + _GLOB.sub(r"\\\1", path)


def _column(field: pa.Field, there: set[str]) -> str:
    name = _quoted(field.name)
    source = name if field.name in there else "NULL"
    kind = PySparkType.to_string(ibis.Schema.from_pyarrow(pa.schema([field]))[field.name])
    return f"CAST({source} AS {kind}) AS {name}"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
