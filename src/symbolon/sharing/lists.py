"""Populations of workflows as List and File audiences: the saving half of *Save audience*.

Invariant: a version is published whole or not at all, and once: the version carries the run and the activity that made
it, and publishing under the same name again gives what is there.

Source: Adobe Campaign Standard, "Save audience": update, create or update, create; replace or complete; an audience is
a List when the targeting dimension is known and a File when it is not; completing another type is an error.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from datetime import time as day_time
from typing import TYPE_CHECKING

import msgspec

from symbolon.errors import DefinitionError, UnknownNameError
from symbolon.records import Audience, AudienceType, AudienceVersion, Origin, Receipt
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.reading import NO_ROWS
from symbolon.sharing.shapes import completed, count_changes, stored
from symbolon.targeting import Content, SaveMode
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.sharing.reading import AudienceReader
    from symbolon.store import Store
    from symbolon.targeting import SaveRequest

_MOMENT = re.compile(r"(\d{8})T(\d{6})")
_MOST_NUMBERED = 10_000


class ListSaver:
    """Saves populations as audiences."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        engine: Engine,
        lake: Lake,
        profiles: Profiles,
        reader: AudienceReader,
    ) -> None:
        self._settings = settings
        self._store = store
        self._engine = engine
        self._lake = lake
        self._profiles = profiles
        self._reader = reader

    def save(
        self,
        request: SaveRequest,
        relation: ibis.Table,
        *,
        dimension: str,
        directory: Path,
        plan: bool = False,
        origin: Origin = Origin.WORKFLOW,
    ) -> Receipt:
        """Save a population; see `symbolon.targeting.publishing.Library.save`.

        Raises:
            UnknownNameError: it is to be updated, and nothing has this name.
            AudienceTypeError: it is to be completed, and has another type; or its content comes from elsewhere.
            LockHeld: somebody else changes the audience for longer than this call waits.
        """
        started = time.monotonic()
        name = self._name(request)
        with audience_lock(self._settings, name):
            if self._name(request) == name:
                return self._save(request, name, relation, dimension, directory, plan, origin, started)
        # somebody else took the name of this second meanwhile
        return self.save(request, relation, dimension=dimension, directory=directory, plan=plan, origin=origin)

    def _save(
        self,
        request: SaveRequest,
        name: str,
        relation: ibis.Table,
        dimension: str,
        directory: Path,
        plan: bool,
        origin: Origin,
        started: float,
    ) -> Receipt:
        found = next((one for one in self._store.audiences() if one.name == name), None)
        done = self._published(found, request)
        if done is not None:
            return done
        audience = self._target(request, name, dimension, found)
        before = self._before(found)
        rows = stored(relation, dimension)
        if request.content is Content.COMPLETE and before is not None:
            rows = completed(before, rows, dimension)
        schema = rows.schema().to_pyarrow()
        files = self._engine.write(rows, directory / "audience", schema)
        members = sum(file.rows for file in files)
        changes = None
        if before is not None:
            after = self._engine.scan([str(file.path) for file in files], schema)
            changes = count_changes(self._engine, audience, before, after)
        added, removed = changes or (members, audience.members)
        receipt = Receipt(
            audience=name,
            version=audience.version + 1,
            lines=members,
            received=members,
            accepted=members,
            matched=members,
            members=members,
            added=added,
            removed=removed,
            seconds=round(time.monotonic() - started, 3),
        )
        if not plan:
            self._publish(audience, request, receipt, files, schema, origin)
        return receipt

    def _name(self, request: SaveRequest) -> str:
        """Give the name that is saved to; a unique one ends in the moment of the run, and a number where that is taken.

        The moment is that of the run, so that a step that is done again finds the audience that it made.
        """
        if request.mode is not SaveMode.CREATE_UNIQUE:
            return request.audience
        moment = _MOMENT.match(request.run_id)
        stamp = f"{moment[1]}_{moment[2]}" if moment else f"{datetime.now(UTC):%Y%m%d_%H%M%S}"
        # one without a version is what a killed save left: its name is free
        taken = {one.name: one for one in self._store.audiences() if one.version}
        for number in range(1, _MOST_NUMBERED):
            name = f"{request.audience}_{stamp}" + (f"_{number}" if number > 1 else "")
            if name not in taken or self._published(taken[name], request) is not None:
                return name
        raise AudienceTypeError(f"no name is left for another `{request.audience}` of this second")

    def _target(self, request: SaveRequest, name: str, dimension: str, found: Audience | None) -> Audience:
        """Give the audience to be saved, with the type and dimension that it will have."""
        kind = AudienceType.LIST if dimension == PROFILE else AudienceType.FILE
        if found is None or not found.version:
            if request.mode is SaveMode.UPDATE:
                known = [one.name for one in self._store.audiences() if one.version]
                raise UnknownNameError.among("audience", name, known)
            now = datetime.now(UTC)
            return _changed(found or Audience(name=name, type=kind, created=now, modified=now), request, dimension)
        if found.source_id is not None:
            raise AudienceTypeError(
                f"audience `{name}` is imported from a data source; a workflow cannot save to it",
                hint="choose another name",
            )
        takes_new = request.mode is SaveMode.CREATE_OR_UPDATE and request.content is Content.REPLACE
        if not takes_new and (found.type is not kind or found.dimension != dimension):
            is_, comes = _described(found.type, found.dimension), _described(kind, dimension)
            raise AudienceTypeError(
                f"audience `{name}` {is_}, and what comes in {comes}; it stays as it was",
                hint="`mode: create_or_update` with `content: replace` takes the new type, and drops what it holds",
            )
        return _changed(found, request, dimension)

    def _published(self, audience: Audience | None, request: SaveRequest) -> Receipt | None:
        """Give the receipt of what this run and activity published before."""
        if audience is None or not request.run_id:
            return None
        versions = self._store.versions(audience.id)
        return next((one.receipt for one in versions if one.run_id == request.run_id), None)

    def _before(self, audience: Audience | None) -> ibis.Table | None:
        """Give the rows that are replaced or completed; None = there are none, or nobody can tell them any more."""
        if audience is None or not audience.version:
            return None
        version = self._store.version(audience.id, audience.version)
        try:
            return self._reader.rows(audience, version)
        except DefinitionError:
            if version.rows_version == NO_ROWS:  # a rule that does not hold any more may be replaced
                return None
            raise

    def _publish(
        self,
        audience: Audience,
        request: SaveRequest,
        receipt: Receipt,
        files: list[WrittenFile],
        schema: pa.Schema,
        origin: Origin,
    ) -> None:
        if not audience.id:
            audience = self._store.add_audience(audience)
        table = self._lake.table(f"audiences/{audience.id}/rows")
        version = AudienceVersion(
            audience_id=audience.id,
            version=receipt.version,
            origin=origin,
            run_id=request.run_id,
            rows_version=table.commit(files, schema, mode="overwrite"),
            members=receipt.members,
            receipt=receipt,
            profiles_revision=self._profiles.revision,
            created=datetime.now(UTC),
        )
        self._store.publish(version, base=audience.version, changed=audience)


def _changed(audience: Audience, request: SaveRequest, dimension: str) -> Audience:
    expires = request.expires
    return msgspec.structs.replace(
        audience,
        type=AudienceType.LIST if dimension == PROFILE else AudienceType.FILE,
        dimension=dimension,
        source_id=None,  # of a first import that was killed
        segment="",
        rule="",
        counted=None,
        workflow=request.workflow,
        description=audience.description if request.description is None else request.description,
        expires=audience.expires if expires is None else datetime.combine(expires, day_time(), UTC),
    )


def _described(kind: AudienceType, dimension: str) -> str:
    return f"is a {kind.value.title()} audience of " + ("profiles" if dimension == PROFILE else "unknown people")
