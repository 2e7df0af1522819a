"""The kept indexes: found, built on first use, refreshed with the profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import msgspec
import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.profiles import digests
from symbolon.profiles.state import IndexState, ProfilesState

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.lake import Engine, Lake
    from symbolon.profiles.digests import Key

_SHARED = pa.schema([("d0", pa.int64())])


@dataclass(frozen=True, slots=True)
class Index:
    """A kept index, ready to be joined with."""

    #: `profile_id`, `d0..dW-1`: one row a profile that has a value
    relation: ibis.Table
    #: W
    words: int
    #: `d0`: a superset of the first words that several profiles hold; None = surely none
    shared: ibis.Table | None
    algorithm: str


class Indexes:
    """Builds, refreshes and opens the indexes of a lake."""

    def __init__(self, lake: Lake, engine: Engine) -> None:
        self._lake = lake
        self._engine = engine

    def open(self, state: IndexState) -> Index:
        """Give a kept index."""
        key = digests.key_of(state)
        relation = digests.table(self._lake, key).current(self._engine, state.version)
        shared = None
        if state.shared is not None:
            files = self._lake.table(f"shared/{key.name}").files(state.shared)
            shared = self._engine.scan(files, _SHARED)
        return Index(relation, ids.word_count(key.algorithm), shared, key.algorithm)

    def build(self, rows: ibis.Table, key: Key, directory: Path) -> tuple[digests.Built, Index]:
        """Stage an index of `rows` and give it; it is not kept yet (`keep`)."""
        built = digests.build(self._engine, rows, key, directory)
        relation = self._engine.scan([str(file.path) for file in built.files], digests.schema(key.algorithm))
        shared = self._engine.relation(pa.table({"d0": built.repeated})) if len(built.repeated) else None
        return built, Index(relation, ids.word_count(key.algorithm), shared, key.algorithm)

    def keep(self, built: digests.Built, key: Key, directory: Path) -> IndexState:
        """Commit a staged index to the lake; the state that names it makes it count."""
        version = digests.table(self._lake, key).replace_base(built.files)
        return IndexState(
            field=key.field,
            scheme=key.scheme,
            region=key.region,
            algorithm=key.algorithm,
            version=version,
            shared=self._keep_shared(key, built.repeated, directory),
        )

    def refresh(
        self, state: ProfilesState, changed: ibis.Table, fields: set[str] | None, directory: Path, *, anew: bool
    ) -> dict[str, IndexState]:
        """Bring all kept indexes up to date with changed profiles.

        Args:
            state: where they stand.
            changed: rows of the changed profiles, as they are now.
            fields: the fields that may have changed; None = any.
            directory: where to stage.
            anew: `changed` is all profiles.

        Returns:
            Where they stand now.
        """
        after = dict(state.indexes)
        for name, index in state.indexes.items():
            if anew:
                key = digests.key_of(index)
                built = digests.build(self._engine, changed.select("profile_id", key.field), key, directory / "anew")
                after[name] = self.keep(built, key, directory)
            elif fields is None or index.field in fields:
                after[name] = self._refresh(index, changed, directory)
        return after

    def compact(self, state: ProfilesState, directory: Path) -> dict[str, IndexState]:
        """Write the indexes whose layers have grown as a base again."""
        after = dict(state.indexes)
        for name, index in state.indexes.items():
            table = digests.table(self._lake, digests.key_of(index))
            if table.needs_compaction:
                after[name] = msgspec.structs.replace(index, version=table.compact(self._engine, directory / name))
        return after

    def _refresh(self, index: IndexState, changed: ibis.Table, directory: Path) -> IndexState:
        key = digests.key_of(index)
        table = digests.table(self._lake, key)
        seq = table.next_seq(index.version)
        built = digests.build(self._engine, changed.select("profile_id", key.field), key, directory / "layers", seq=seq)
        if not built.files:
            return index
        version = table.append_delta(built.files, seq=seq, expected_version=index.version)
        # who held one of the new digests before makes it shared; a superset is enough
        current = table.current(self._engine, version)
        layer = self._engine.scan([str(file.path) for file in built.files], digests.schema(key.algorithm))
        found = current.semi_join(layer, "d0").group_by("d0").having(ibis._.count() > 1).agg()
        again = self._engine.fetch(found, limit=None)["d0"].to_numpy()
        before = np.empty(0, dtype=np.int64)
        if index.shared is not None:
            files = self._lake.table(f"shared/{key.name}").files(index.shared)
            before = self._engine.fetch(self._engine.scan(files, _SHARED), limit=None)["d0"].to_numpy()
        every = np.union1d(before, again)
        shared = index.shared if len(every) == len(before) else self._keep_shared(key, every, directory)
        return msgspec.structs.replace(index, version=version, shared=shared)

    def _keep_shared(self, key: Key, firsts: NDArray[np.int64], directory: Path) -> int | None:
        if not len(firsts):
            return None
        relation = self._engine.relation(pa.table({"d0": firsts}))
        files = self._engine.write(relation, directory / "shared", _SHARED, prefix=key.name)
        return self._lake.table(f"shared/{key.name}").commit(files, _SHARED, mode="overwrite")
