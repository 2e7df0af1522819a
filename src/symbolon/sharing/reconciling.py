"""From a File audience of addresses to a List audience of profiles.

Source: Adobe Campaign Standard: a File audience that came from decrypted IDs is reconciled by hand before use; and its
promise to "create new marketable profiles" from unknown contacts. Here that is asked for, counted, and never silent.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from symbolon import matching, policy
from symbolon.errors import UnknownNameError
from symbolon.ids import digest_words, field_for, normalise
from symbolon.lake import ParquetStaging
from symbolon.records import Audience, AudienceType, DataSource, Origin, Receipt
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.publishing import Matcher, Publisher, rows_schema
from symbolon.sharing.runs import noted
from symbolon.sharing.shapes import extra_columns, is_wordless
from symbolon.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import AudienceVersion
    from symbolon.settings import Settings
    from symbolon.store import Store

_SCHEME = "adobe"
_ALGORITHM = "sha256"
_INCOMING = pa.schema(
    [("position", pa.int64()), *[(f"d{index}", pa.int64()) for index in range(4)], ("value", pa.string())]
)


class ListMaker:
    """Reconciles the addresses of a File audience with a profile field."""

    def __init__(self, *, settings: Settings, store: Store, engine: Engine, lake: Lake, profiles: Profiles) -> None:
        self._settings = settings
        self._store = store
        self._engine = engine
        self._lake = lake
        self._profiles = profiles
        self._publisher = Publisher(engine=engine, lake=lake, store=store)

    def make(
        self, origin: Audience, rows: ibis.Table, *, key: str, target: str, create_profiles: bool, plan: bool
    ) -> Receipt:
        """Make the next version of List audience `target` from the addresses of `origin`.

        Args:
            origin: a File audience.
            rows: its rows.
            key: the profile field that holds the address.
            target: name of the List audience.
            create_profiles: make a profile with only this field for every address that has none.
            plan: tell what would happen and write nothing.

        Raises:
            AudienceTypeError: `origin` is no File audience, or has no column `key`, or `target` is no List audience.
            UnknownNameError: profiles have no field `key`.
        """
        started = time.monotonic()
        if origin.type is not AudienceType.FILE:
            raise AudienceTypeError(
                f"audience `{origin.name}` is a {origin.type} audience; only File audiences are reconciled by hand",
                hint=f"symbolon audience refresh {origin.name} matches its IDs again",
            )
        known = [name for name in self._profiles.schema().names if name != "profile_id"]
        if key not in known:
            raise UnknownNameError.among("profile field", key, known)
        addresses = _addresses(origin, rows, key)
        with audience_lock(self._settings, target), self._lake.attempt("reconcile") as directory:
            audience = self._target(target)
            incoming, count = self._stage(addresses, key, directory)
            matched_rows = self._reconcile(incoming, key, keep=not plan)
            missing = self._engine.count(matched_rows.filter(matched_rows.status == int(matching.Status.UNKNOWN_ID)))
            warnings = []
            if create_profiles and missing:
                if plan:
                    warnings.append(_created(missing, "would be"))
                else:
                    warnings.append(_created(self._create(matched_rows, key), "were"))
                    matched_rows = self._reconcile(incoming, key, keep=True)
            schema = rows_schema(_INCOMING)
            before = self._publisher.rows(audience, self._current(audience))
            final = matched_rows.mutate(since=ibis.literal(audience.version + 1, "int32"))
            kept = final.filter(final.status == int(matching.Status.MEMBER)).select(*schema.names)
            written = self._publisher.write(
                kept, schema, directory / "rows", before=before, one_id_a_profile=True, is_file=False
            )
            tally = matching.read_tally(self._engine.fetch(matching.tally(matched_rows, one_id_a_profile=True)))
            receipt = Receipt(
                audience=target,
                version=audience.version + 1,
                files=[origin.name],
                lines=count,
                received=count,
                accepted=count,
                matched=tally.matched,
                unmatched=tally.unknown,
                unmatched_reasons={"unknown_id": tally.unknown} if tally.unknown else {},
                withheld=tally.withheld,
                ambiguous=tally.ambiguous,
                members=written.members,
                added=written.added,
                removed=written.removed,
                warnings=warnings,
                seconds=round(time.monotonic() - started, 3),
            )
            if plan:
                return receipt
            if not audience.id:
                audience = self._store.add_audience(audience)
            with noted(self._store, "audience reconcile", target) as run:
                self._publisher.publish(
                    audience,
                    written,
                    None,
                    receipt,
                    origin=Origin.RECONCILE,
                    run_id=run.id,
                    profiles_revision=self._profiles.revision,
                )
            return receipt

    def _target(self, name: str) -> Audience:
        for audience in self._store.audiences():
            if audience.name == name:
                if audience.type is not AudienceType.LIST:
                    raise AudienceTypeError(
                        f"audience `{name}` exists and is a {audience.type} audience", hint="choose another --name"
                    )
                return audience
        now = datetime.now(UTC)
        return Audience(name=name, type=AudienceType.LIST, created=now, modified=now)

    def _current(self, audience: Audience) -> AudienceVersion | None:
        return self._store.version(audience.id, audience.version) if audience.version else None

    def _stage(self, addresses: ibis.Table, key: str, directory: Path) -> tuple[ibis.Table, int]:
        """Stage the addresses with the match keys of field `key`, one row a distinct address."""
        staging = ParquetStaging(directory / "incoming", _INCOMING)
        for batch in self._engine.batches(addresses):
            normal = normalise(batch.column("value"), _SCHEME, field_for(key), self._settings.region)
            words = digest_words(normal.fill_null(""), _ALGORITHM)
            columns = [batch.column("position"), *[pa.array(word) for word in words], batch.column("value")]
            staging.write(pa.record_batch(columns, schema=_INCOMING))
        files = staging.close()
        incoming = self._engine.scan([str(file.path) for file in files], _INCOMING)
        return incoming, sum(file.rows for file in files)

    def _reconcile(self, incoming: ibis.Table, key: str, *, keep: bool) -> ibis.Table:
        """Match the addresses as a source of plain values of this field would."""
        matcher = Matcher(
            engine=self._engine,
            profiles=self._profiles,
            source=DataSource(name=key, key=key),
            region=self._settings.region,
            withheld=policy.withheld_from_imports(self._profiles),
            keep=keep,
        )
        return matcher.reconcile(incoming)

    def _create(self, rows: ibis.Table, key: str) -> int:
        unknown = rows.filter(rows.status == int(matching.Status.UNKNOWN_ID)).select("value").distinct()
        values = self._engine.fetch(unknown, limit=None).column("value").combine_chunks()
        return self._profiles.create(key, values)


def _addresses(origin: Audience, rows: ibis.Table, key: str) -> ibis.Table:
    """Give the distinct addresses of a File audience: `position`, `value`."""
    if not is_wordless(rows):
        return rows.select("position", "value")
    extra = extra_columns(rows)
    if key not in extra:
        raise AudienceTypeError(
            f"audience `{origin.name}` has no column `{key}` that could be compared with the profiles",
            hint=f"it has {', '.join(f'`{name}`' for name in extra)}; a workflow can reconcile by any of them",
        )
    values = rows.select(value=rows[extra[key]].cast("string")).distinct()
    values = values.filter(values.value.notnull() & (values.value != ""))
    return values.select(position=ibis.row_number().over(order_by=values.value).cast("int64"), value=values.value)


def _created(count: int, verb: str) -> str:
    return f"{counted(count, 'profile')} {'was' if (verb, count) == ('were', 1) else verb} created"
