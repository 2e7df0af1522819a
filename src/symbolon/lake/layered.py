"""A large table that small changes do not rewrite: a base, and layers of changed rows on top of it.

Invariant: the current rows are the base rows whose key is in no layer, and of each key in the layers the row of the
newest layer, unless it says that the key is deleted. A key stands at most once in the base, at most once in a layer.

On disk all rows have two more columns, `_seq` (0 in the base, the number of the layer above it) and `_deleted`. Files
are named by their layer, `base-...` and `delta-<seq>-...`, so without layers a reader scans the base as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symbolon.lake.errors import CommitConflict
from symbolon.lake.table import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis
    import pyarrow as pa

    from symbolon.lake.engine import Engine
    from symbolon.lake.lake import Lake
    from symbolon.lake.written import WrittenFile

#: compact when the layers hold more than this share of the base's rows
COMPACT_SHARE = 0.10
#: ... or when there are more layers than this
COMPACT_LAYERS = 16
_SEQ_DIGITS = 12


class LayeredTable:
    """A table of base and layers.

    Args:
        lake: where it lives.
        name: its name, as in `Lake.table`.
        schema: columns of the current rows. Columns may be added behind them later.
        key: the columns that name a row.
    """

    def __init__(self, lake: Lake, name: str, schema: pa.Schema, key: tuple[str, ...]) -> None:
        import pyarrow as pa  # noqa: PLC0415 - heavy

        #: the Delta table below
        self.table = lake.table(name)
        #: columns of the current rows
        self.schema = schema
        #: columns that name a row
        self.key = key
        #: columns on disk: those of `schema`, then `_seq` and `_deleted`
        self.stored_schema = pa.schema([("_seq", pa.int64()), ("_deleted", pa.bool_()), *schema])

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return self.table.exists

    @property
    def version(self) -> int:
        """The newest lake version; `ABSENT` if there is none."""
        return self.table.version

    def current(self, engine: Engine, version: int | None = None) -> ibis.Table:
        """Give the current rows of a version (None = the newest), with the columns of `schema`.

        Without layers this is the scan of the base, with no join in it.
        """
        base, layers = self._files(version)
        if not layers:
            return engine.scan(base, self.schema)
        changed = self._latest(engine.scan(layers, self.stored_schema))
        standing = engine.scan(base, self.schema).anti_join(changed, list(self.key))
        return standing.union(changed.filter(~changed["_deleted"]).select(*self.schema.names))

    def changed(self, engine: Engine, version: int | None = None) -> ibis.Table:
        """Give the newest row of each key that stands in a layer, deleted ones included, as stored."""
        return self._latest(engine.scan(self._files(version)[1], self.stored_schema))

    def next_seq(self, version: int | None = None) -> int:
        """Give the number of the next layer: rows of it have this in `_seq`."""
        return max((_seq(name) for name in self._names(version)), default=0) + 1

    def layer(self, rows: ibis.Table, seq: int, *, deleted: bool = False) -> ibis.Table:
        """Give rows the columns that a layer has on disk; write them with `stored_schema`.

        Args:
            rows: the columns of `schema`, or for deleted rows at least those of the key.
            seq: number of the layer, 0 for a base.
            deleted: whether these rows say that their keys are gone.
        """
        import ibis  # noqa: PLC0415 - heavy

        types = ibis.Schema.from_pyarrow(self.schema)
        columns = {name: rows[name] if name in rows.columns else ibis.null(types[name]) for name in self.schema.names}
        return rows.select(_seq=ibis.literal(seq, "int64"), _deleted=ibis.literal(deleted, "boolean"), **columns)

    def append_delta(self, files: Sequence[WrittenFile], *, seq: int, expected_version: int | None = None) -> int:
        """Commit a layer of changed rows; see `layer`.

        Args:
            files: written with `stored_schema`.
            seq: what `next_seq` gave.
            expected_version: as in `LakeTable.commit`.

        Returns:
            The new version.

        Raises:
            CommitConflict: there is such a layer already, or the version is not the expected one.
        """
        before = self.version if expected_version is None else expected_version
        if before != ABSENT and seq < self.next_seq(before):
            raise CommitConflict(f"table `{self.table.name}` has a layer {seq} already; nothing was committed")
        return self.table.commit(
            files,
            self.stored_schema,
            mode="append",
            expected_version=before,
            layer=f"delta-{seq:0{_SEQ_DIGITS}d}",
        )

    def replace_base(self, files: Sequence[WrittenFile], *, expected_version: int | None = None) -> int:
        """Commit a new base in place of everything before: the table is compact.

        Args:
            files: written with `stored_schema`, every row with `_seq` 0 and not deleted.
            expected_version: as in `LakeTable.commit`.

        Returns:
            The new version.
        """
        return self.table.commit(
            files, self.stored_schema, mode="overwrite", expected_version=expected_version, layer="base"
        )

    def compact(self, engine: Engine, directory: Path) -> int:
        """Write the current rows as a new base; files of the old one stay until `forget`.

        Args:
            engine: what writes them.
            directory: where to stage them, an attempt's.

        Returns:
            The new version.
        """
        before = self.version
        rows = self.layer(self.current(engine, before), 0)
        files = engine.write(rows, directory, self.stored_schema, prefix="compacted")
        return self.replace_base(files, expected_version=before)

    def base_rows(self, version: int | None = None) -> int:
        """Count the rows of the base."""
        return sum(rows for name, rows in self._rows(version).items() if not _seq(name))

    def delta_rows(self, version: int | None = None) -> int:
        """Count the rows of all layers, repeated keys included."""
        return sum(rows for name, rows in self._rows(version).items() if _seq(name))

    def layers(self, version: int | None = None) -> int:
        """Count the layers above the base."""
        return len({_seq(name) for name in self._names(version)} - {0})

    @property
    def needs_compaction(self) -> bool:
        """Whether the layers have grown so much that reading them costs more than writing a new base."""
        return self.layers() > COMPACT_LAYERS or self.delta_rows() > COMPACT_SHARE * self.base_rows()

    def _rows(self, version: int | None) -> dict[str, int]:
        return self.table.file_rows(version) if self.exists else {}

    def _names(self, version: int | None) -> list[str]:
        return list(self._rows(version))

    def _files(self, version: int | None) -> tuple[list[str], list[str]]:
        files = self.table.files(version) if self.exists else []
        base = [file for file in files if not _seq(Path(file).name)]
        return base, [file for file in files if _seq(Path(file).name)]

    def _latest(self, rows: ibis.Table) -> ibis.Table:
        import ibis  # noqa: PLC0415 - heavy

        newest = ibis.window(group_by=list(self.key), order_by=ibis.desc("_seq"))
        ranked = rows.mutate(_rank=ibis.row_number().over(newest))
        return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def _seq(name: str) -> int:
    """Give the number of the layer that a file belongs to; 0 = the base."""
    return int(name.split("-", 2)[1]) if name.startswith("delta-") else 0
