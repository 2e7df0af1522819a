"""The store on SQLAlchemy; see `symbolon.store.store.Store` for what each method gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceVersion, DataSource
from symbolon.store.errors import (
    BrokenReference,
    DuplicateRecord,
    NameTaken,
    SourceInUse,
    StoreConflict,
    StoreCorrupt,
    StoreVersionError,
)
from symbolon.store.sql.database import Database
from symbolon.store.sql.fitting import check_fit
from symbolon.store.sql.rows import to_record, to_row, to_state
from symbolon.store.sql.tables import (
    REVISION,
    VERSION_TABLE,
    audience_versions,
    audiences,
    sequences,
    source_keys,
    sources,
    states,
)
from symbolon.store.sql.workrecords import WorkRecords

if TYPE_CHECKING:
    from symbolon.store.fault import StoreFault
    from symbolon.store.state import TableState

_revision = sa.table(VERSION_TABLE, sa.column("version_num"))


class SqlStore(WorkRecords):
    """Control records in a SQL database.

    Args:
        url: a SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def sources(self) -> list[DataSource]:
        """Give all data sources."""
        return [to_record(DataSource, row) for row in self._rows(sa.select(sources).order_by(sources.c.id))]

    def source(self, name: str) -> DataSource:
        """Give a data source by name."""
        for row in self._rows(sa.select(sources).where(sources.c.name == name)):
            return to_record(DataSource, row)
        raise UnknownNameError.among("data source", name, self._names(sources))

    def source_by_id(self, source_id: int) -> DataSource:
        """Give a data source by id."""
        for row in self._rows(sa.select(sources).where(sources.c.id == source_id)):
            return to_record(DataSource, row)
        raise UnknownNameError(f"there is no data source with id {source_id}")

    def add_source(self, source: DataSource) -> DataSource:
        """Save a new data source."""
        added: DataSource = self._add(sources, source, "data source")
        return added

    def update_source(self, source: DataSource) -> None:
        """Save a changed data source."""
        values = _row(sources, _dated(source))
        del values["id"]
        try:
            with self._database.writing() as connection:
                changed = connection.execute(sa.update(sources).where(sources.c.id == source.id).values(values))
        except DuplicateRecord:
            raise _taken("data source", source.name) from None
        if not changed.rowcount:
            raise UnknownNameError(f"there is no data source with id {source.id}")

    def delete_source(self, name: str) -> None:
        """Remove a data source and its keys."""
        try:
            with self._database.writing() as connection:
                gone = connection.execute(sa.delete(sources).where(sources.c.name == name)).rowcount
        except BrokenReference:
            raise SourceInUse(f"data source `{name}` has audiences") from None
        if not gone:
            raise UnknownNameError.among("data source", name, self._names(sources))

    def add_key(self, source_id: int, wrapped: bytes) -> int:
        """Keep a wrapped key."""
        # the source's row is held, so that two that add a key at once get two versions
        held = sa.select(sources.c.id).where(sources.c.id == source_id).with_for_update(key_share=True)
        newest = sa.select(sa.func.max(source_keys.c.version)).where(source_keys.c.source_id == source_id)
        with self._database.writing() as connection:
            if connection.execute(held).first() is None:
                raise UnknownNameError(f"there is no data source with id {source_id}")
            version = int(connection.execute(newest).scalar() or 0) + 1
            row = {"source_id": source_id, "version": version, "wrapped": wrapped, "created": _now()}
            connection.execute(sa.insert(source_keys).values(row))
        return version

    def keys(self, source_id: int) -> list[tuple[int, bytes]]:
        """Give the wrapped keys of a source."""
        kept = sa.select(source_keys).where(source_keys.c.source_id == source_id)
        return [
            (int(row["version"]), bytes(row["wrapped"]))
            for row in self._rows(kept.order_by(source_keys.c.version.desc()))
        ]

    def audiences(self) -> list[Audience]:
        """Give all audiences."""
        found = [to_record(Audience, row) for row in self._rows(sa.select(audiences))]
        return sorted(found, key=lambda audience: audience.name)  # a database sorts as its language does

    def audience(self, name: str) -> Audience:
        """Give an audience by name."""
        for row in self._rows(sa.select(audiences).where(audiences.c.name == name)):
            return to_record(Audience, row)
        raise UnknownNameError.among("audience", name, self._names(audiences))

    def add_audience(self, audience: Audience) -> Audience:
        """Save a new audience."""
        added: Audience = self._add(audiences, audience, "audience")
        return added

    def update_audience(self, audience: Audience) -> None:
        """Save what a person may change of an audience."""
        values = _changeable(audience)
        if audience.counted is not None:
            values["members"] = audience.members
        try:
            with self._database.writing() as connection:
                changed = connection.execute(sa.update(audiences).where(audiences.c.id == audience.id).values(values))
        except DuplicateRecord:
            raise _taken("audience", audience.name) from None
        if not changed.rowcount:
            raise UnknownNameError(f"there is no audience with id {audience.id}")

    def delete_audience(self, name: str) -> None:
        """Remove an audience and the records of its versions."""
        with self._database.writing() as connection:
            gone = connection.execute(sa.delete(audiences).where(audiences.c.name == name)).rowcount
        if not gone:
            raise UnknownNameError.among("audience", name, self._names(audiences))

    def versions(self, audience_id: int) -> list[AudienceVersion]:
        """Give the versions of an audience."""
        kept = sa.select(audience_versions).where(audience_versions.c.audience_id == audience_id)
        return [
            to_record(AudienceVersion, row) for row in self._rows(kept.order_by(audience_versions.c.version.desc()))
        ]

    def version(self, audience_id: int, number: int) -> AudienceVersion:
        """Give one version of an audience."""
        of = audience_versions.c.audience_id == audience_id
        for row in self._rows(sa.select(audience_versions).where(of, audience_versions.c.version == number)):
            return to_record(AudienceVersion, row)
        known = [str(row["version"]) for row in self._rows(sa.select(audience_versions.c.version).where(of))]
        raise UnknownNameError.among("version", str(number), known)

    def publish(self, version: AudienceVersion, *, base: int, changed: Audience | None = None) -> Audience:
        """Add a version and point its audience to it."""
        found = sa.select(audiences).where(audiences.c.id == version.audience_id)
        pointer: dict[str, Any] = {} if changed is None else _changeable(changed)
        pointer |= {"version": version.version, "members": version.members, "modified": version.created}
        row_of_version = _row(audience_versions, version)
        try:
            with self._database.writing() as connection:
                moved = connection.execute(
                    sa.update(audiences)
                    .where(audiences.c.id == version.audience_id, audiences.c.version == base)
                    .values(pointer)
                )
                row = connection.execute(found).mappings().first()
                if row is None:
                    raise UnknownNameError("the audience does not exist any more")
                if not moved.rowcount:
                    raise StoreConflict(
                        f"audience `{row['name']}` has version {row['version']}, not {base} any more; "
                        "nothing was published",
                        details={"version": row["version"], "base": base},
                    )
                connection.execute(sa.insert(audience_versions).values(row_of_version))
                return to_record(Audience, row)
        except DuplicateRecord:
            raise StoreConflict(f"the audience has a version {version.version} already") from None

    def state(self, name: str) -> TableState | None:
        """Give the state of a derived table."""
        for row in self._rows(sa.select(states).where(states.c.name == name)):
            return to_state(row)
        return None

    def set_state(self, name: str, state: TableState, expected: int | None) -> None:
        """Replace the state of a derived table."""
        values = _row(states, state)
        check_fit(states, {"name": name})
        try:
            with self._database.writing() as connection:
                if expected is None:
                    connection.execute(sa.insert(states).values(name=name, **values))
                    return
                changed = connection.execute(
                    sa.update(states).where(states.c.name == name, states.c.revision == expected).values(values)
                )
        except DuplicateRecord:
            raise StoreConflict(f"`{name}` was made by somebody else in the meantime") from None
        if not changed.rowcount:
            raise StoreConflict(f"`{name}` was changed by somebody else in the meantime")

    def delete_state(self, name: str) -> None:
        """Remove the state of a derived table."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(states).where(states.c.name == name))

    def states(self) -> dict[str, TableState]:
        """Give the states of all derived tables."""
        found = {row["name"]: to_state(row) for row in self._rows(sa.select(states))}
        return dict(sorted(found.items()))

    def next_ids(self, sequence: str, count: int) -> int:
        """Reserve numbers of a sequence."""
        if count < 0:
            raise ValueError("count is negative")
        named = sequences.c.name == sequence
        for attempt in (1, 2):
            try:
                with self._database.writing() as connection:
                    taken = sa.update(sequences).where(named).values(next=sequences.c.next + count)
                    after = connection.execute(taken.returning(sequences.c.next)).scalar()
                    if after is None:
                        after = 1 + count
                        connection.execute(sa.insert(sequences).values(name=sequence, next=after))
                    return int(after) - count
            except DuplicateRecord:  # somebody else began the sequence at the same moment
                if attempt == 2:
                    break
        raise StoreConflict(f"the numbers of `{sequence}` are being given out by somebody else")

    @property
    def schema_version(self) -> str:
        """Revision of the store's tables."""
        return self._database.read(read_revision)

    def check(self) -> None:
        """Make sure that this release can work on the store."""
        found = self.schema_version
        if found == REVISION:
            return
        if not found:
            raise StoreCorrupt(
                f"the store has no tables ({self.place})", hint="make them with `symbolon init`, or restore a backup"
            )
        if found > REVISION:
            raise newer_release(found)
        raise StoreVersionError(
            f"the store has revision {found}; this release works on revision {REVISION}",
            hint=f"{self._database.flavour.backup}, then bring it up to date: symbolon upgrade",
            details={"found": found, "wanted": REVISION},
        )

    @property
    def place(self) -> str:
        """Where the store is."""
        return self._database.flavour.place

    def faults(self) -> list[StoreFault]:
        """Look for what would make later calls fail."""
        return self._database.read(self._database.flavour.faults)

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()

    def _rows(self, statement: sa.Select[Any]) -> list[sa.RowMapping]:
        return self._database.read(lambda connection: list(connection.execute(statement).mappings()))

    def _names(self, table: sa.Table) -> list[str]:
        return [str(row["name"]) for row in self._rows(sa.select(table.c.name))]

    def _add(self, table: sa.Table, record: Any, noun: str) -> Any:
        dated = _dated(record)
        values = _row(table, dated)
        del values["id"]
        try:
            with self._database.writing() as connection:
                key = connection.execute(sa.insert(table).values(values)).inserted_primary_key
        except DuplicateRecord:
            raise _taken(noun, record.name) from None
        return msgspec.structs.replace(dated, id=int(key[0]) if key else 0)


def read_revision(connection: sa.Connection) -> str:
    """Give the revision of a store's tables; empty = it has none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.execute(sa.select(_revision.c.version_num)).scalar() or "")


def newer_release(found: str) -> StoreVersionError:
    """Give the error for a store of a release to come."""
    return StoreVersionError(
        f"the store has revision {found}; this release knows revisions up to {REVISION}",
        hint="use the newer release of Symbolon that wrote it",
        details={"found": found, "wanted": REVISION},
    )


def _changeable(audience: Audience) -> dict[str, Any]:
    """Give what changes of an audience beside its version."""
    row = _row(audiences, msgspec.structs.replace(_dated(audience), modified=_now()))
    return {name: value for name, value in row.items() if name not in ("id", "version", "members", "created")}


def _taken(noun: str, name: str) -> NameTaken:
    return NameTaken(f"there is {'an' if noun[0] in 'aeiou' else 'a'} {noun} `{name}` already", details={"name": name})


def _row(table: sa.Table, record: msgspec.Struct) -> dict[str, Any]:
    values = to_row(record)
    check_fit(table, values)
    return values


def _dated(record: Any) -> Any:
    now = _now()
    return msgspec.structs.replace(record, created=record.created or now, modified=record.modified or now)


def _now() -> datetime:
    return datetime.now(UTC)
