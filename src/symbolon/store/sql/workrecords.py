"""The records of work: runs and their steps, definitions, arrivals. A part of `SqlStore`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from symbolon.errors import UnknownNameError
from symbolon.records import Arrival, ArrivalState, Definition, DefinitionKind, Run, RunState, RunStep
from symbolon.store.errors import BrokenReference, DuplicateRecord, StoreConflict, StoreUncertain, StoreUnreachable
from symbolon.store.sql.fitting import check_fit
from symbolon.store.sql.rows import to_record, to_row
from symbolon.store.sql.tables import arrivals, definitions, run_steps, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.store.sql.database import Database

_ENDED = tuple(state.value for state in RunState if state.is_final)
#: names in one statement; databases bound how many values one takes
_MOST_NAMED = 1000


class WorkRecords:
    """What was done and what is to be done; see `symbolon.store.store.Store` for what each method gives."""

    _database: Database

    def start_run(self, run: Run) -> None:
        """Note that a run begins."""
        values = _row(runs, run)
        with self._database.writing() as connection:
            connection.execute(sa.insert(runs).values(values))

    def finish_run(self, run_id: str, state: RunState, error: str = "") -> None:
        """Note how a run ended."""
        values = {"state": state.value, "error": error, "finished": _now()}
        check_fit(runs, values)
        try:
            with self._database.writing() as connection:
                connection.execute(sa.update(runs).where(runs.c.id == run_id).values(values))
        except StoreUnreachable:  # it says that nothing counts, which is true of this note, not of the run
            raise StoreUncertain(
                f"the connection to the store ({self._database.flavour.place}) was lost before the end of the run was "
                "noted; whether its change counts is not known here"
            ) from None

    def update_run(self, run: Run) -> None:
        """Save what changes of a run."""
        if not self._changed(run, runs.c.id == run.id):
            raise self._no_run(run.id)

    def move_run(self, run: Run, before: RunState) -> bool:
        """Save what changes of a run, if its state is still the one before."""
        return self._changed(run, (runs.c.id == run.id) & (runs.c.state == before.value))

    def _changed(self, run: Run, which: sa.ColumnElement[bool]) -> bool:
        row = _row(runs, run)
        values = {name: row[name] for name in ("state", "facts", "error", "finished", "pid")}
        with self._database.writing() as connection:
            return bool(connection.execute(sa.update(runs).where(which).values(values)).rowcount)

    def runs(self, limit: int = 100, *, work: str = "", workflow: str = "") -> list[Run]:
        """Give the last runs."""
        last = sa.select(runs).order_by(runs.c.started.desc(), runs.c.id.desc()).limit(limit)
        if work:
            last = last.where(runs.c.work == work)
        if workflow:
            last = last.where(runs.c.workflow == workflow)
        return [to_record(Run, row) for row in self._found(last)]

    def run(self, run_id: str) -> Run:
        """Give one run."""
        for row in self._found(sa.select(runs).where(runs.c.id == run_id)):
            return to_record(Run, row)
        raise self._no_run(run_id)

    def delete_runs(self, run_ids: Sequence[str]) -> int:
        """Remove ended runs with their steps."""
        named, gone = list(run_ids), 0
        with self._database.writing() as connection:
            for first in range(0, len(named), _MOST_NAMED):
                some = runs.c.id.in_(named[first : first + _MOST_NAMED]) & runs.c.state.in_(_ENDED)
                gone += int(connection.execute(sa.delete(runs).where(some)).rowcount)
        return gone

    def steps(self, run_id: str) -> list[RunStep]:
        """Give the steps of a run."""
        of = sa.select(run_steps).where(run_steps.c.run_id == run_id)
        order = run_steps.c.place, run_steps.c.started, run_steps.c.step  # branches may take one place together
        return [to_record(RunStep, row) for row in self._found(of.order_by(*order))]

    def put_step(self, step: RunStep) -> None:
        """Save a step of a run."""
        values = _row(run_steps, step)
        own = (run_steps.c.run_id == step.run_id) & (run_steps.c.step == step.step)
        place = sa.select(sa.func.count()).where(run_steps.c.run_id == step.run_id).scalar_subquery()
        change = sa.update(run_steps).where(own).values(values)
        try:
            with self._database.writing() as connection:
                if not connection.execute(change).rowcount:
                    connection.execute(sa.insert(run_steps).values(**values, place=place))
        except BrokenReference:
            raise self._no_run(step.run_id) from None
        except DuplicateRecord:  # somebody else noted it at the same moment
            with self._database.writing() as connection:
                connection.execute(change)

    def definitions(self, kind: DefinitionKind) -> list[Definition]:
        """Give the newest version of each definition of a kind."""
        newest = (
            sa.select(definitions.c.name, sa.func.max(definitions.c.version).label("version"))
            .where(definitions.c.kind == kind.value)
            .group_by(definitions.c.name)
            .subquery()
        )
        joined = sa.select(definitions).join(
            newest, (definitions.c.name == newest.c.name) & (definitions.c.version == newest.c.version)
        )
        found = [to_record(Definition, row) for row in self._found(joined.where(definitions.c.kind == kind.value))]
        return sorted(found, key=lambda one: one.name)  # a database sorts as its language does

    def definition(self, kind: DefinitionKind, name: str, version: int | None = None) -> Definition:
        """Give a version of a definition."""
        versions = self.definition_versions(kind, name)
        for one in versions:
            if version in (None, one.version):
                return one
        if versions:
            numbers = [str(one.version) for one in versions]
            raise UnknownNameError.among(f"version of {kind.value} `{name}`", str(version), numbers)
        raise UnknownNameError.among(kind.value, name, [one.name for one in self.definitions(kind)])

    def definition_versions(self, kind: DefinitionKind, name: str) -> list[Definition]:
        """Give all versions of a definition."""
        of = sa.select(definitions).where(definitions.c.kind == kind.value, definitions.c.name == name)
        return [to_record(Definition, row) for row in self._found(of.order_by(definitions.c.version.desc()))]

    def put_definition(self, definition: Definition, *, base: int) -> Definition:
        """Save the next version of a definition."""
        after = msgspec.structs.replace(definition, version=base + 1, created=_now())
        values = _row(definitions, after)
        own = (definitions.c.kind == after.kind.value) & (definitions.c.name == after.name)
        try:
            with self._database.writing() as connection:
                found = _held(connection, own)
                if found != base:
                    raise _moved(after, found, base)
                connection.execute(sa.insert(definitions).values(values))
        except DuplicateRecord:
            raise _moved(after, base + 1, base) from None
        return after

    def delete_definition(self, kind: DefinitionKind, name: str) -> None:
        """Remove a definition."""
        own = (definitions.c.kind == kind.value) & (definitions.c.name == name)
        with self._database.writing() as connection:
            _held(connection, own)
            gone = connection.execute(sa.delete(definitions).where(own)).rowcount
        if not gone:
            raise UnknownNameError.among(kind.value, name, [one.name for one in self.definitions(kind)])

    def arrivals(self, feed: str, *, state: ArrivalState | None = None, limit: int = 1000) -> list[Arrival]:
        """Give the file sets that arrived for a feed."""
        of = sa.select(arrivals).where(arrivals.c.feed == feed)
        if state is not None:
            of = of.where(arrivals.c.state == state.value)
        newest = of.order_by(arrivals.c.first_seen.desc(), arrivals.c.name.desc()).limit(limit)
        return [to_record(Arrival, row) for row in self._found(newest)]

    def arrival(self, feed: str, name: str) -> Arrival | None:
        """Give one file set of a feed."""
        for row in self._found(sa.select(arrivals).where(arrivals.c.feed == feed, arrivals.c.name == name)):
            return to_record(Arrival, row)
        return None

    def put_arrival(self, arrival: Arrival) -> None:
        """Save a file set."""
        now = _now()
        values = _row(arrivals, msgspec.structs.replace(arrival, first_seen=arrival.first_seen or now, changed=now))
        own = (arrivals.c.feed == arrival.feed) & (arrivals.c.name == arrival.name)
        changed = {name: value for name, value in values.items() if name != "first_seen"}
        try:
            with self._database.writing() as connection:
                if not connection.execute(sa.update(arrivals).where(own).values(changed)).rowcount:
                    connection.execute(sa.insert(arrivals).values(values))
        except DuplicateRecord:  # somebody else saw it at the same moment
            with self._database.writing() as connection:
                connection.execute(sa.update(arrivals).where(own).values(changed))

    def _no_run(self, run_id: str) -> UnknownNameError:
        return UnknownNameError.among("run", run_id, [run.id for run in self.runs(20)])

    def _found(self, statement: sa.Select[Any]) -> list[sa.RowMapping]:
        return self._database.read(lambda connection: list(connection.execute(statement).mappings()))


def _moved(definition: Definition, found: int, base: int) -> StoreConflict:
    return StoreConflict(
        f"{definition.kind.value} `{definition.name}` has version {found}, not {base} any more; nothing was changed",
        details={"version": found, "base": base},
    )


def _held(connection: sa.Connection, own: sa.ColumnElement[bool]) -> int:
    """Give the newest version of a definition, held so that whoever changes or removes it comes after; 0 = none."""
    newest = sa.select(definitions.c.version).where(own).order_by(definitions.c.version.desc()).limit(1)
    return int(connection.execute(newest.with_for_update()).scalar() or 0)


def _row(table: sa.Table, record: msgspec.Struct) -> dict[str, Any]:
    values = to_row(record)
    check_fit(table, values)
    return values


def _now() -> datetime:
    return datetime.now(UTC)
