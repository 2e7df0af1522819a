# ruff: noqa: SLF001 - a part of tests, and frames have no public way
"""Two engines as one: every relation that is asked for is computed by both, and their rows are compared.

Whatever runs on a project runs on `BothEngines` too, so each definition of the project is compared with the values that
really reach it. `reached` tells which places in the code have asked, so a test can name those that never did.

Invariant: rows are compared as bags, by EXCEPT ALL in both directions; what a relation is sorted by, as lists.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from typing import TYPE_CHECKING, Any, Self

import duckdb
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import ibis

    from symbolon.lake import Engine, WrittenFile


class EnginesDiffer(AssertionError):
    """Two engines computed different rows for one definition."""


class BothEngines:
    """An engine that asks two and answers with the first; see `symbolon.lake.Engine`.

    Args:
        first: whose answers are given.
        second: who must agree.
        directory: where the second writes, inside its lake.
        in_process: what definitions are told, for both: they may choose another way by it.
    """

    def __init__(self, first: Engine, second: Engine, directory: Path, *, in_process: bool = True) -> None:
        self.first = first
        self.second = second
        self.name = first.name
        self.digests = first.digests & second.digests
        self.in_process = in_process
        #: file and line of every call that asked for rows
        self.reached: set[tuple[str, int]] = set()
        #: how many relations were compared
        self.compared = 0
        self._directory = directory
        self._numbers = itertools.count(1)
        self._twins: weakref.WeakKeyDictionary[ops.Node, ops.Node] = weakref.WeakKeyDictionary()

    def scan(self, files: Sequence[str], schema: pa.Schema) -> ibis.Table:
        """Give a relation over Parquet files."""
        return self._paired(self.first.scan(files, schema), self.second.scan(files, schema))

    def relation(self, table: pa.Table) -> ibis.Table:
        """Give a relation over rows in memory."""
        return self._paired(self.first.relation(table), self.second.relation(table))

    def write(
        self,
        relation: ibis.Table,
        directory: Path,
        schema: pa.Schema,
        *,
        prefix: str = "part",
        order_by: Sequence[str] | None = None,
    ) -> list[WrittenFile]:
        """Write a relation as Parquet files; those of the second are compared and removed."""
        self._note(sys._getframe(1))
        files = self.first.write(relation, directory, schema, prefix=prefix, order_by=order_by)
        target = self._directory / f"twin-{next(self._numbers)}"
        again = self.second.write(self._twin(relation), target, schema, prefix=prefix, order_by=order_by)
        self._compare(_rows(files, schema), _rows(again, schema), relation, order=list(order_by or ()))
        for file in again:
            file.path.unlink()
        return files

    def batches(self, relation: ibis.Table, chunk_rows: int = 131_072) -> Iterator[pa.RecordBatch]:
        """Give the rows in batches."""
        self._note(sys._getframe(1))
        return self._batches(relation, chunk_rows)

    def _batches(self, relation: ibis.Table, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        schema = relation.schema().to_pyarrow()
        found = pa.Table.from_batches(self.first.batches(relation, chunk_rows), schema=schema)
        again = pa.Table.from_batches(self.second.batches(self._twin(relation), chunk_rows), schema=schema)
        self._compare(found, again, relation, order=_sorted_by(relation))
        yield from found.combine_chunks().to_batches(chunk_rows)

    def fetch(self, relation: ibis.Table, limit: int | None = 100_000) -> pa.Table:
        """Give the rows in memory."""
        self._note(sys._getframe(1))
        found = self.first.fetch(relation, limit)
        self._compare(found, self.second.fetch(self._twin(relation), limit), relation, order=_sorted_by(relation))
        return found

    def count(self, relation: ibis.Table) -> int:
        """Count the rows."""
        self._note(sys._getframe(1))
        found, again = self.first.count(relation), self.second.count(self._twin(relation))
        if found != again:
            raise EnginesDiffer(f"{self.first.name} counts {found}, {self.second.name} {again}: {self.sql(relation)}")
        self.compared += 1
        return found

    def sql(self, relation: ibis.Table) -> str:
        """Give the statements of both."""
        return f"{self.first.sql(relation)}\n-- {self.second.name}\n{self.second.sql(self._twin(relation))}"

    def examine(self) -> str:
        """Examine both."""
        return f"{self.first.examine()}; {self.second.examine()}"

    def close(self) -> None:
        """End both."""
        self.first.close()
        self.second.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _paired(self, mine: ibis.Table, twin: ibis.Table) -> ibis.Table:
        self._twins[mine.op()] = twin.op()
        return mine

    def _twin(self, relation: ibis.Table) -> ibis.Table:
        """Give the same definition over the second engine's tables."""
        mine = {node: self._twins[node] for node in relation.op().find(ops.DatabaseTable)}
        return relation.op().replace(mine).to_expr()

    def _compare(self, found: pa.Table, again: pa.Table, relation: ibis.Table, *, order: list[str]) -> None:
        self.compared += 1
        again = again.cast(found.schema)
        if found.equals(again):
            return
        missing, extra = except_all(found, again), except_all(again, found)
        if missing.num_rows or extra.num_rows:
            raise EnginesDiffer(
                f"only {self.first.name}: {missing.num_rows} rows {missing.slice(0, 5).to_pylist()}\n"
                f"only {self.second.name}: {extra.num_rows} rows {extra.slice(0, 5).to_pylist()}\n{self.sql(relation)}"
            )
        if not found.select(order).equals(again.select(order)):
            raise EnginesDiffer(f"the same rows in another order:\n{self.sql(relation)}")

    def _note(self, frame: Any) -> None:
        self.reached.add((frame.f_code.co_filename, frame.f_lineno))


def except_all(left: pa.Table, right: pa.Table) -> pa.Table:
    """Give the rows of `left` that `right` does not have, or not as often."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("one", left)
        connection.register("other", right)
        return connection.sql("SELECT * FROM one EXCEPT ALL SELECT * FROM other").to_arrow_table()


def _rows(files: Sequence[WrittenFile], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *[pq.read_table(file.path).cast(schema) for file in files]])


def _sorted_by(relation: ibis.Table) -> list[str]:
    """Name the columns by which a relation is sorted; what is equal in them may stand in any order."""
    node = relation.op()
    while isinstance(node, ops.Project | ops.Limit):
        node = node.parent
    if not isinstance(node, ops.Sort):
        return []
    names = [key.arg.name for key in node.keys if isinstance(key.arg, ops.Field)]
    return [name for name in names if name in relation.columns]
