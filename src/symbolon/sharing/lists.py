"""Populations of workflows as List and File audiences: the saving half of *Save audience*.

Invariant: a version is published whole or not at all, and once: the version carries the run and the activity that made
it, and publishing under the same name again gives what is there.

Shape of the rows in the lake:
    List   profile_id, status (member), ambiguous (no), x_<column> ...    one row a member
    File   position, x_<column> ...                                       one row a line

Source: Adobe Campaign Standard, "Save audience": update, create or update, create; replace or complete; an audience is
a List when the targeting dimension is known and a File when it is not; completing another type is an error.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from datetime import time as day_time
from typing import TYPE_CHECKING

import ibis
import msgspec
import pyarrow as pa

from symbolon import matching
from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceType, AudienceVersion, Origin, Receipt
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.targeting import Content, SaveMode
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.store import Store
    from symbolon.targeting import SaveRequest

#: in front of the columns of the inbound transition, so that none can be taken for one of ours
EXTRA = "x_"
_OWN = [pa.field("profile_id", pa.int64()), pa.field("status", pa.int8()), pa.field("ambiguous", pa.bool_())]
_MOMENT = re.compile(r"(\d{8})T(\d{6})")


def is_wordless(rows: ibis.Table) -> bool:
    """Say whether rows of a File audience came from a workflow: they have columns of their own, and no match keys."""
    return "profile_id" not in rows.columns and "d0" not in rows.columns


def shown(rows: ibis.Table) -> ibis.Table:
    """Give the rows that a workflow saved as they came in: `profile_id` for a List, and the further columns."""
    extra = {name.removeprefix(EXTRA): name for name in rows.columns if name.startswith(EXTRA)}
    kept = ["profile_id"] if "profile_id" in rows.columns else []
    return rows.select(*kept, **{name: rows[column] for name, column in extra.items()})


class ListSaver:
    """Saves populations as audiences."""

    def __init__(self, *, settings: Settings, store: Store, engine: Engine, lake: Lake, profiles: Profiles) -> None:
        self._settings = settings
        self._store = store
        self._engine = engine
        self._lake = lake
        self._profiles = profiles

    def save(
        self, request: SaveRequest, relation: ibis.Table, *, dimension: str, directory: Path, plan: bool = False
    ) -> Receipt:
        """Save a population; see `symbolon.targeting.publishing.Library.save`.

        Raises:
            UnknownNameError: it is to be updated, and nothing has this name.
            AudienceTypeError: it is to be completed, and has another type; or its content comes from elsewhere.
        """
        started = time.monotonic()
        name = self._name(request)
        with audience_lock(self._settings, name):
            audience = self._target(request, name, dimension)
            done = self._published(audience, request)
            if done is not None:
                return done
            before = self._before(audience)
            completed = request.content is Content.COMPLETE and before is not None
            rows = _stored(relation, dimension)
            if completed and before is not None:
                rows = _completed(before, rows, dimension)
            schema = rows.schema().to_pyarrow()
            files = self._engine.write(rows, directory / "audience", schema)
            receipt = self._receipt(name, audience, before, files, schema, dimension)
            receipt = msgspec.structs.replace(receipt, seconds=round(time.monotonic() - started, 3))
            if not plan:
                self._publish(audience, request, receipt, files, schema)
            return receipt

    def _name(self, request: SaveRequest) -> str:
        """Give the name that is saved to; a unique one ends in the moment of the run, and a number where that is taken.

        The moment is that of the run, so that a step that is done again finds the audience that it made.
        """
        if request.mode is not SaveMode.CREATE_UNIQUE:
            return request.audience
        moment = _MOMENT.match(request.run_id)
        stamp = f"{moment[1]}_{moment[2]}" if moment else f"{datetime.now(UTC):%Y%m%d_%H%M%S}"
        taken = {one.name: one for one in self._store.audiences()}
        for number in range(1, 10_000):
            name = f"{request.audience}_{stamp}" + (f"_{number}" if number > 1 else "")
            if name not in taken or self._published(taken[name], request) is not None:
                return name
        raise AudienceTypeError(f"no name is left for another `{request.audience}` of this second")

    def _target(self, request: SaveRequest, name: str, dimension: str) -> Audience:
        """Give the audience to be saved, with the type and dimension that it will have."""
        kind = AudienceType.LIST if dimension == PROFILE else AudienceType.FILE
        there = next((one for one in self._store.audiences() if one.name == name and one.version), None)
        if there is None:
            if request.mode is SaveMode.UPDATE:
                raise UnknownNameError.among(
                    "audience", name, [one.name for one in self._store.audiences() if one.version]
                )
            unfinished = next((one for one in self._store.audiences() if one.name == name), None)
            now = datetime.now(UTC)
            fresh = unfinished or Audience(name=name, type=kind, created=now, modified=now)
            return _changed(fresh, request, kind, dimension)
        if there.source_id is not None:
            raise AudienceTypeError(
                f"audience `{name}` is imported from a data source; a workflow cannot save to it",
                hint="choose another name",
            )
        takes_new = request.mode is SaveMode.CREATE_OR_UPDATE and request.content is Content.REPLACE
        if not takes_new and (there.type is not kind or there.dimension != dimension):
            is_, comes = _described(there.type, there.dimension), _described(kind, dimension)
            raise AudienceTypeError(
                f"audience `{name}` {is_}, and what comes in {comes}; it stays as it was",
                hint="`mode: create_or_update` with `content: replace` takes the new type, and drops what it holds",
            )
        return _changed(there, request, kind, dimension)

    def _published(self, audience: Audience, request: SaveRequest) -> Receipt | None:
        """Give the receipt of what this run and activity published before."""
        if not audience.id or not request.run_id:
            return None
        versions = self._store.versions(audience.id)
        return next((one.receipt for one in versions if one.run_id == request.run_id), None)

    def _before(self, audience: Audience) -> ibis.Table | None:
        if not audience.version:
            return None
        version = self._store.version(audience.id, audience.version)
        if version.rows_version < 0:
            return None  # a Query audience becomes a List
        table = self._lake.table(f"audiences/{audience.id}/rows")
        return self._engine.scan(table.files(version.rows_version), table.schema(version.rows_version))

    def _receipt(
        self,
        name: str,
        audience: Audience,
        before: ibis.Table | None,
        files: list[WrittenFile],
        schema: pa.Schema,
        dimension: str,
    ) -> Receipt:
        after = self._engine.scan([str(file.path) for file in files], schema)
        members = sum(file.rows for file in files)
        added, removed = members, 0
        if before is not None and dimension == PROFILE and "profile_id" in before.columns:
            row = self._engine.fetch(matching.change_counts(before, after)).to_pylist()[0]
            added, removed = int(row["added"] or 0), int(row["removed"] or 0)
        elif before is not None and is_wordless(before) and is_wordless(after):
            old, new = _aligned(before.drop("position"), after.drop("position"))
            added = self._engine.count(new.difference(old))
            removed = self._engine.count(old.difference(new))
        elif before is not None:
            removed = audience.members
        return Receipt(
            audience=name,
            version=audience.version + 1,
            lines=members,
            received=members,
            accepted=members,
            matched=members,
            members=members,
            added=added,
            removed=removed,
        )

    def _publish(
        self, audience: Audience, request: SaveRequest, receipt: Receipt, files: list[WrittenFile], schema: pa.Schema
    ) -> None:
        if not audience.id:
            audience = self._store.add_audience(audience)
        table = self._lake.table(f"audiences/{audience.id}/rows")
        version = AudienceVersion(
            audience_id=audience.id,
            version=receipt.version,
            origin=Origin.WORKFLOW,
            run_id=request.run_id,
            rows_version=table.commit(files, schema, mode="overwrite"),
            members=receipt.members,
            receipt=receipt,
            profiles_revision=self._profiles.revision,
            created=datetime.now(UTC),
        )
        self._store.publish(version, base=audience.version, changed=audience)


def _changed(audience: Audience, request: SaveRequest, kind: AudienceType, dimension: str) -> Audience:
    expires = request.expires
    return msgspec.structs.replace(
        audience,
        type=kind,
        dimension=dimension,
        rule="",
        counted=None,
        workflow=request.workflow,
        description=audience.description if request.description is None else request.description,
        expires=audience.expires if expires is None else datetime.combine(expires, day_time(), UTC),
    )


def _described(kind: AudienceType, dimension: str) -> str:
    return f"is a {kind.value.title()} audience of " + ("profiles" if dimension == PROFILE else "unknown people")


def _stored(relation: ibis.Table, dimension: str) -> ibis.Table:
    """Give a population the columns that it has in the lake."""
    extra = {f"{EXTRA}{name}": relation[name] for name in relation.columns if name != "profile_id"}
    if dimension != PROFILE:
        if "profile_id" in relation.columns:
            extra[f"{EXTRA}profile_id"] = relation.profile_id
        return relation.select(position=ibis.row_number().cast("int64"), **extra)
    member = ibis.literal(int(matching.Status.MEMBER), "int8")
    return relation.select("profile_id", status=member, ambiguous=ibis.literal(value=False), **extra)


def _completed(before: ibis.Table, rows: ibis.Table, dimension: str) -> ibis.Table:
    """Add rows to those there are; a profile that is there already gets its new columns."""
    if dimension != PROFILE:
        old, new = _aligned(before, rows)
        both = old.union(new)
        return both.select(position=ibis.row_number().cast("int64"), **{n: both[n] for n in both.columns[1:]})
    kept = before.filter(before.status == int(matching.Status.MEMBER)).anti_join(rows, "profile_id")
    own = [field.name for field in _OWN]
    kept = kept.select(*own, *(name for name in kept.columns if name.startswith(EXTRA)))
    old, new = _aligned(kept, rows)
    return old.union(new)


def _aligned(before: ibis.Table, after: ibis.Table) -> tuple[ibis.Table, ibis.Table]:
    """Give both the columns of both, in one order; what one does not have is null in its rows.

    Raises:
        AudienceTypeError: a column has another type in each.
    """
    types = {**dict(before.schema().items()), **dict(after.schema().items())}
    for name, kind in before.schema().items():
        if types[name].copy(nullable=True) != kind.copy(nullable=True):
            raise AudienceTypeError(
                f"column `{name.removeprefix(EXTRA)}` was {kind} and comes in as {types[name]}; nothing was changed",
                hint="cast it in the workflow, or replace the content",
            )
    return _with(before, types), _with(after, types)


def _with(rows: ibis.Table, types: dict[str, ibis.DataType]) -> ibis.Table:
    return rows.select(
        **{name: rows[name] if name in rows.columns else ibis.null(kind) for name, kind in types.items()}
    )
