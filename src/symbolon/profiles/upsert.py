"""Profiles put in or brought up to date by a key: an absent column keeps, an empty cell clears.

The first load becomes the base of the table; later files become layers of whole, merged rows, so a thousand changed
profiles write a thousand rows, and only their digests.

Invariant: nothing counts before the one state record moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ibis

from symbolon.lake import LayeredTable

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles.staging import Staged
    from symbolon.profiles.state import ProfilesState
    from symbolon.store import Store

#: sequence of the store that numbers profiles
SEQUENCE = "profiles"
_KEPT = ("created", "modified")


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
    #: `line` of staged rows that are refused after all, by reason
    refused: dict[str, ibis.Table]


class Upsert:
    """Merges staged rows with the current profiles."""

    def __init__(self, lake: Lake, engine: Engine, store: Store) -> None:
        self._lake = lake
        self._engine = engine
        self._store = store

    def merge(self, staged: Staged, key: str, state: ProfilesState, directory: Path) -> Merged:
        """Write the rows that change.

        Args:
            staged: typed rows: `line`, then the fields of the file.
            key: the field by which profiles are found.
            state: where the profiles stand; its schema already has the file's extra columns.
            directory: where to write.
        """
        engine = self._engine
        table = LayeredTable(self._lake, "profiles/rows", state.schema, ("profile_id",))
        incoming = engine.scan([str(file.path) for file in staged.files], staged.schema)
        refused: dict[str, ibis.Table] = {}
        first, again = self._first_of_key(incoming, key)
        if again is not None:
            refused["duplicate_key"] = again
        now = ibis.literal(datetime.now(UTC)).cast("timestamp('UTC', 6)")
        if state.rows is None:
            # rows may be numbered by their line: unique, and the sequence is moved past all of them
            start = self._store.next_ids(SEQUENCE, self._highest_line(incoming) + 1)
            rows = self._complete(first, state.schema, first.line + start, now)
            files = engine.write(table.layer(rows, 0), directory, table.stored_schema, prefix="base")
            return Merged(files, True, 0, sum(file.rows for file in files), 0, 0, refused)
        fields = [name for name in staged.schema.names if name != "line"]
        current = table.current(engine, state.rows)
        hits = self._hits(first, current, key, fields, state.schema, directory)
        several = hits.group_by("line").having(ibis._.count() > 1).agg()
        found = engine.fetch(several, limit=None)
        if found.num_rows:
            refused["ambiguous_key"] = engine.relation(found)
            hits = hits.anti_join(refused["ambiguous_key"], "line")
        differs = ibis.or_(*[_differ(hits[f"new_{name}"], hits[name]) for name in fields])
        fresh = first.anti_join(hits.select("line"), "line")
        if found.num_rows:
            fresh = fresh.anti_join(refused["ambiguous_key"], "line")
        created, matched = engine.count(fresh), engine.count(hits)
        start = self._store.next_ids(SEQUENCE, self._highest_line(incoming) + 1) if created else 0
        updated_rows = hits.filter(differs).select(
            **{
                name: now if name == "modified" else hits[f"new_{name}"] if name in fields else hits[name]
                for name in state.schema.names
            }
        )
        new_rows = self._complete(fresh, state.schema, fresh.line + start, now)
        seq = table.next_seq(state.rows)
        layer = updated_rows.select(*state.schema.names).union(new_rows.select(*state.schema.names))
        files = engine.write(table.layer(layer, seq), directory, table.stored_schema, prefix="layer")
        updated = sum(file.rows for file in files) - created
        return Merged(files, False, seq, created, updated, matched - updated, refused)

    def _first_of_key(self, incoming: ibis.Table, key: str) -> tuple[ibis.Table, ibis.Table | None]:
        """Split rows into the first of each key and the `line` of the others (None = there are none)."""
        repeated = self._engine.fetch(incoming.group_by(key).having(ibis._.count() > 1).agg(), limit=None)
        if not repeated.num_rows:
            return incoming, None
        some = incoming.semi_join(self._engine.relation(repeated), key)
        order = ibis.window(group_by=key, order_by="line")
        later = some.mutate(nth=ibis.row_number().over(order)).filter(lambda t: t.nth > 0).select("line")
        again = self._engine.relation(self._engine.fetch(later, limit=None))
        return incoming.anti_join(again, "line"), again

    def _hits(
        self, first: ibis.Table, current: ibis.Table, key: str, fields: list[str], schema: pa.Schema, directory: Path
    ) -> ibis.Table:
        """Write the current rows that the file names, beside the file's values: small when the file is."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        given = first.select("line", **{f"new_{name}": first[name] for name in fields})
        joined = given.inner_join(current, given[f"new_{key}"] == current[key])
        columns = [pa.field("line", pa.int64()), *[pa.field(f"new_{name}", schema.field(name).type) for name in fields]]
        hit_schema = pa.schema([*columns, *schema])
        files = self._engine.write(joined.select(*hit_schema.names), directory, hit_schema, prefix="hits")
        return self._engine.scan([str(file.path) for file in files], hit_schema)

    def _complete(self, rows: ibis.Table, schema: pa.Schema, number: ibis.Value, now: ibis.Value) -> ibis.Table:
        """Give new profiles all columns."""
        types = ibis.Schema.from_pyarrow(schema)
        columns: dict[str, ibis.Value] = {}
        for name in schema.names:
            if name == "profile_id":
                columns[name] = number
            elif name in _KEPT:
                columns[name] = now
            else:
                columns[name] = rows[name] if name in rows.columns else ibis.null(types[name])
        return rows.select(**columns)

    def _highest_line(self, incoming: ibis.Table) -> int:
        return int(self._engine.fetch(incoming.agg(top=incoming.line.max()))["top"][0].as_py() or 0)


def _differ(left: ibis.Value, right: ibis.Value) -> Any:
    """Compare two values; two nulls are the same."""
    return ~left.identical_to(right)
