"""Profiles put in or brought up to date by a key: an absent column keeps, an empty cell clears.

The first load becomes the base of the table; later files become layers of whole, merged rows, so a thousand changed
profiles write a thousand rows, and only their digests.

Invariant: nothing counts before the one state record moves. Names of our own columns begin with `_`, which no column of
a file can.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from symbolon.profiles.fields import is_address
from symbolon.profiles.state import rows_table
from symbolon.profiles.vocabulary import trim

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles.staging import Staged
    from symbolon.profiles.state import ProfilesState
    from symbolon.store import Store

#: sequence of the store that numbers profiles
SEQUENCE = "profiles"
_NEW = "_new_"
#: a staged row and the profile it is about, and whether it says anything new of it
_HITS = pa.schema([("_line", pa.int64()), ("profile_id", pa.int64()), ("_changed", pa.bool_())])


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows to be committed, and what they are."""

    #: written in the stored schema of the profiles' table
    files: list[WrittenFile]
    #: whether they are the base (first load) rather than a layer
    is_base: bool
    seq: int
    created: int
    updated: int
    unchanged: int
    #: `_line` and `_key` of staged rows that are refused after all, by reason
    refused: dict[str, ibis.Table]


def comparable(rows: ibis.Table, key: str) -> Any:
    """Give the values of a key as they are compared: addresses without the spaces around them, others as they are."""
    return trim(rows[key]) if is_address(key) else rows[key]


def changeable(names: list[str], key: str) -> set[str]:
    """Give the fields that a file may change of profiles there are: not its key, unless that is compared loosely."""
    return {name for name in names if name != key or is_address(key)}


class Upsert:
    """Merges staged rows with the current profiles."""

    def __init__(self, lake: Lake, engine: Engine, store: Store) -> None:
        self._lake = lake
        self._engine = engine
        self._store = store

    def merge(self, staged: Staged, key: str, state: ProfilesState, directory: Path, *, plan: bool = False) -> Merged:
        """Write the rows that change.

        Args:
            staged: typed rows: `_line`, then the fields of the file.
            key: the field by which profiles are found.
            state: where the profiles stand; its schema already has the file's extra columns.
            directory: where to write.
            plan: take no numbers: the rows are never committed.
        """
        engine, schema = self._engine, state.schema
        table = rows_table(self._lake, state)
        given = engine.scan([str(file.path) for file in staged.files], staged.schema)
        given = given.mutate(_key=comparable(given, key))
        first, again = self._first_of_key(given)
        refused = {} if again is None else {"duplicate_key": engine.relation(again)}
        count = staged.rows - (0 if again is None else again.num_rows)
        now = ibis.literal(datetime.now(UTC)).cast("timestamp('UTC', 6)")
        # rows are numbered by their line: unique in the file, and the sequence is moved past all of them
        start = self._store.next_ids(SEQUENCE, self._highest_line(given) + 1) if count and not plan else 0
        if not state.count:
            rows = _complete(first, schema, first["_line"] + start, now)
            files = engine.write(table.layer(rows, 0), directory, table.stored_schema, prefix="base")
            return Merged(files, bool(files) or state.rows is None, 0, count, 0, 0, refused)
        fields = [name for name in staged.schema.names if name != "_line"]
        current = table.current(engine, state.rows)
        hits = self._hits(first, current, key, fields, directory)
        several = engine.fetch(hits.group_by("_line").having(ibis._.count() > 1).agg(), limit=None)
        mine = hits
        if several.num_rows:
            ambiguous = engine.fetch(first.semi_join(engine.relation(several), "_line").select("_line", "_key"), None)
            refused["ambiguous_key"] = engine.relation(ambiguous)
            mine = hits.anti_join(refused["ambiguous_key"], "_line")
        counted = engine.fetch(mine.agg(matched=mine.count(), updated=mine["_changed"].sum())).to_pylist()[0]
        matched, updated = counted["matched"], counted["updated"] or 0
        created = count - matched - several.num_rows
        layers = []
        if updated:
            layers.append(_overlaid(first, current, mine.filter(mine["_changed"]), fields, schema, now))
        if created:
            fresh = first.anti_join(hits, "_line")
            layers.append(_complete(fresh, schema, fresh["_line"] + start, now))
        if not layers:
            return Merged([], False, 0, 0, 0, matched, refused)
        seq = table.next_seq(state.rows)
        files = engine.write(table.layer(ibis.union(*layers), seq), directory, table.stored_schema, prefix="layer")
        return Merged(files, False, seq, created, updated, matched - updated, refused)

    def _first_of_key(self, given: ibis.Table) -> tuple[ibis.Table, pa.Table | None]:
        """Split rows into the first of each key, and `_line` and `_key` of the others (None = there are none)."""
        repeated = self._engine.fetch(given.group_by("_key").having(ibis._.count() > 1).agg(), limit=None)
        if not repeated.num_rows:
            return given, None
        some = given.semi_join(self._engine.relation(repeated), "_key")
        order = ibis.window(group_by="_key", order_by="_line")
        ranked = some.mutate(_nth=ibis.row_number().over(order))
        again = self._engine.fetch(ranked.filter(ranked["_nth"] > 0).select("_line", "_key"), limit=None)
        return given.anti_join(self._engine.relation(again), "_line"), again

    def _hits(self, first: ibis.Table, current: ibis.Table, key: str, fields: list[str], directory: Path) -> ibis.Table:
        """Find the profiles that the file names, and whether it says anything new of them: three numbers each."""
        given = first.select("_line", "_key", **{_NEW + name: first[name] for name in fields})
        there = current.select("profile_id", *fields, _there=comparable(current, key))
        joined = given.inner_join(there, given["_key"] == there["_there"])
        # two nulls are the same
        changed = ibis.or_(*[~joined[_NEW + name].identical_to(joined[name]) for name in fields])
        hits = joined.select("_line", "profile_id", _changed=changed)
        files = self._engine.write(hits, directory, _HITS, prefix="hits")
        return self._engine.scan([str(file.path) for file in files], _HITS)

    def _highest_line(self, given: ibis.Table) -> int:
        return int(self._engine.fetch(given.agg(top=given["_line"].max()))["top"][0].as_py() or 0)


def _overlaid(
    first: ibis.Table, current: ibis.Table, changed: ibis.Table, fields: list[str], schema: pa.Schema, now: ibis.Value
) -> ibis.Table:
    """Lay the fields of the file over the profiles that change."""
    given = first.select("_line", **{_NEW + name: first[name] for name in fields})
    news = given.inner_join(changed.select("_line", "profile_id"), "_line").drop("_line")
    joined = current.inner_join(news, "profile_id")
    columns = {name: joined[_NEW + name] if name in fields else joined[name] for name in schema.names}
    return joined.select(**{**columns, "modified": now})


def _complete(rows: ibis.Table, schema: pa.Schema, number: ibis.Value, now: ibis.Value) -> ibis.Table:
    """Give new profiles all columns."""
    types = ibis.Schema.from_pyarrow(schema)
    own = {"profile_id": number, "created": now, "modified": now}
    columns = {name: rows[name] if name in rows.columns else ibis.null(types[name]) for name in schema.names}
    return rows.select(**{**columns, **own})
