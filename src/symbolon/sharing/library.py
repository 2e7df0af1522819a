"""The audiences of a project: looked at, compared, rolled back, matched again, deleted.

Invariant: no published version ever changes. A roll-back is a new version that points at old rows, a refresh is a new
version of the same IDs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ibis
import msgspec

from symbolon import matching, policy
from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceType, AudienceVersion, NoProgress, Origin, Receipt, Run
from symbolon.sharing.diagnosing import MOST_IDS, SECONDS, Diagnoser, Diagnosis
from symbolon.sharing.errors import AudienceTypeError, VersionUnknown
from symbolon.sharing.exporting import Exporter
from symbolon.sharing.importing import Importer
from symbolon.sharing.lists import ListSaver, is_wordless, shown
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.publishing import Matcher, Publisher
from symbolon.sharing.queries import QueryAudiences, expired
from symbolon.sharing.reconciling import ListMaker
from symbolon.sharing.rejected import RejectedReader
from symbolon.sharing.request import ImportRequest
from symbolon.sharing.rows import Rows
from symbolon.sharing.runs import noted
from symbolon.sharing.targets import AudienceLibrary
from symbolon.targeting import ShareRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Progress
    from symbolon.settings import Settings
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store
    from symbolon.targeting import ExportReceipt
    from symbolon.transports.transport import Transport

_Audiences = list[Audience]
_Versions = list[AudienceVersion]
_Names = list[str]

#: an expiry in this year or later means never
_NEVER = 9999
#: columns of members where none are asked for
DEFAULT_COLUMNS = ("external_id", "email")


class Audiences:
    """The audience library of a project."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        lake: Lake,
        engine: Engine,
        profiles: Profiles,
        sources: Sources,
        open_transport: Callable[[str], Transport],
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._sources = sources
        self._publisher = Publisher(engine=engine, lake=lake, store=store)
        self._importer = Importer(
            settings=settings, store=store, lake=lake, engine=engine, profiles=profiles, sources=sources
        )
        self._diagnoser = Diagnoser(store=store, lake=lake, engine=engine, profiles=profiles, sources=sources)
        self._lists = ListMaker(settings=settings, store=store, engine=engine, lake=lake, profiles=profiles)
        saver = ListSaver(settings=settings, store=store, engine=engine, lake=lake, profiles=profiles)
        #: what shares populations with other solutions
        self.exporter = Exporter(
            settings=settings,
            store=store,
            lake=lake,
            engine=engine,
            profiles=profiles,
            sources=sources,
            open_transport=open_transport,
        )
        #: what workflows read, save and share with
        self.library = AudienceLibrary(audiences=self, lists=saver, engine=engine, profiles=profiles, sources=sources)
        #: audiences that are a rule
        self.queries = QueryAudiences(
            settings=settings,
            store=store,
            lake=lake,
            engine=engine,
            profiles=profiles,
            lists=saver,
            library=self.library,
        )

    def import_(self, request: ImportRequest, progress: Progress | None = None) -> list[Receipt]:
        """Import a file set; give one receipt for each audience it made. Raises as `Importer.run`."""
        return self._importer.run(request, progress)

    def import_file(self, *paths: str | Path, source: str, **options: Any) -> Receipt:
        """Import one audience; `options` are the fields of `ImportRequest`. Raises as `Importer.run`.

        Example:
            >>> audiences.import_file("segment.sync", source="crm", segment="24").members  # doctest: +SKIP
            2
        """
        from pathlib import Path  # noqa: PLC0415

        return self.import_(ImportRequest(paths=[Path(path) for path in paths], source=source, **options))[0]

    def list(self) -> _Audiences:
        """Give all audiences by name."""
        # one without a version is what a killed first import left: it does not count
        return sorted((one for one in self._store.audiences() if one.version), key=lambda audience: audience.name)

    def show(self, name: str) -> Audience:
        """Give one audience.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        audience = self._store.audience(name)
        if not audience.version:
            raise UnknownNameError.among("audience", name, [one.name for one in self.list()])
        return audience

    def versions(self, name: str) -> _Versions:
        """Give the published versions of an audience, the newest first."""
        return self._store.versions(self.show(name).id)

    def version(self, name: str, number: int | None = None) -> AudienceVersion:
        """Give one version; without a number the one that readers see.

        Raises:
            VersionUnknown: there is no such version.
        """
        audience = self.show(name)
        wanted = audience.version if number is None else number
        for version in self._store.versions(audience.id):
            if version.version == wanted:
                return version
        raise VersionUnknown(
            f"audience `{name}` has no version {wanted}" if wanted else f"audience `{name}` has no version yet",
            hint=f"symbolon audience versions {name}",
        )

    def members(self, name: str, *, columns: Sequence[str] | None = None, version: int | None = None) -> Rows:
        """Give the members with columns of their profiles, sorted by the first column.

        A File audience has no profiles: it gives one column, named after the reconciliation key, with its addresses.

        Raises:
            UnknownNameError: a column that profiles do not have.
        """
        audience = self.show(name)
        rows = self._rows(audience, self.version(name, version))
        if audience.type is AudienceType.FILE:
            addresses = shown(rows) if is_wordless(rows) else self.addresses(name, version)
            _known_columns(columns or [], addresses.columns)
            return self._sorted(addresses.select(*(columns or addresses.columns)))
        wanted = list(columns or DEFAULT_COLUMNS)
        return self._sorted(self._with_columns(matching.members(rows), wanted).select(*wanted))

    def rejects(
        self, name: str, *, version: int | None = None, reason: str | None = None, unmatched: bool = False
    ) -> Rows:
        """Give the rejected records: `file`, `line`, `reason`, `id` as it came.

        Args:
            name: the audience.
            version: a version; None = the current one.
            reason: only this reason.
            unmatched: give the accepted IDs that have no profile, or one that policy withholds, instead.
        """
        audience, chosen = self.show(name), self.version(name, version)
        reader = RejectedReader(self._engine, self._lake, self._algorithm(audience))
        if unmatched:
            return reader.unmatched(self._rows(audience, chosen), chosen, reason)
        return reader.rejected(audience, chosen, reason)

    def diff(
        self, name: str, before: int | None = None, after: int | None = None, *, columns: Sequence[str] | None = None
    ) -> Rows:
        """Give the members that joined or left between two versions: `change`, then columns of their profiles.

        Args:
            name: the audience.
            before: the older version; None = the one before `after`. 0 = the empty audience.
            after: the newer version; None = the current one.
            columns: profile columns; None = the default ones.
        """
        audience = self.show(name)
        newer = self.version(name, after)
        older_number = newer.version - 1 if before is None else before
        new_rows = self._rows(audience, newer)
        old_rows = self._rows(audience, self.version(name, older_number)) if older_number else new_rows.limit(0)
        if audience.type is AudienceType.FILE and is_wordless(new_rows):
            new, old = shown(new_rows), shown(old_rows)
            joined_lines = new.difference(old).mutate(change=ibis.literal("added"))
            left_lines = old.difference(new).mutate(change=ibis.literal("removed"))
            both = joined_lines.union(left_lines)
            return self._sorted(both.select("change", *new.columns), by=("change", new.columns[0]))
        if audience.type is AudienceType.FILE:
            key, words = self._key(audience), matching.words_of(new_rows)
            added = new_rows.anti_join(old_rows, words).mutate(change=ibis.literal("added"))
            removed = old_rows.anti_join(new_rows, words).mutate(change=ibis.literal("removed"))
            both = added.select("change", "value").union(removed.select("change", "value"))
            return self._sorted(both.rename({key: "value"}), by=("change", key))
        wanted = list(columns or DEFAULT_COLUMNS)
        joined = self._with_columns(matching.changes(old_rows, new_rows), wanted).select("change", *wanted)
        return self._sorted(joined, by=("change", wanted[0]))

    def rollback(self, name: str, version: int | None = None) -> AudienceVersion:
        """Publish the rows of an older version again, as a new version.

        Args:
            name: the audience.
            version: the version to go back to; None = the one before the current.
        """
        with audience_lock(self._settings, name):
            audience = self.show(name)
            current = self.version(name)
            target = self.version(name, current.version - 1 if version is None else version)
            counts = self._changes(audience, current, target)
            receipt = msgspec.structs.replace(
                target.receipt,
                version=current.version + 1,
                added=counts[0],
                removed=counts[1],
                warnings=[f"rolled back to version {target.version}"],
            )
            back = msgspec.structs.replace(
                target,
                version=current.version + 1,
                origin=Origin.ROLLBACK,
                run_id=Run.begin("audience rollback").id,
                receipt=receipt,
                content_digest="",  # importing the newer file again must not be taken for done
                file_timestamp=None,
                created=datetime.now(UTC),
            )
            self._store.publish(back, base=current.version)
            return back

    def refresh(self, name: str, *, plan: bool = False, progress: Progress | None = None) -> Receipt:
        """Match the IDs of an audience again, without a file: who was unknown joins when there is a profile now.

        Raises:
            AudienceTypeError: a List has no IDs to match again.
        """
        started = time.monotonic()
        progress = progress or NoProgress()
        with audience_lock(self._settings, name), self._lake.attempt("refresh") as directory:
            audience = self.show(name)
            if audience.source_id is None:
                raise AudienceTypeError(
                    f"audience `{name}` is a {audience.type} audience: it has no IDs to match again",
                    hint="only Shared and File audiences can be refreshed",
                )
            source = self._store.source_by_id(audience.source_id)
            policy.require_terms(source)
            current = self.version(name)
            before = self._rows(audience, current)
            schema = self._schema(audience, current)
            progress.started(f"matching {name}")
            revision = self._profiles.revision  # before matching: see Importer
            matcher = Matcher(
                engine=self._engine,
                profiles=self._profiles,
                source=source,
                region=self._sources.region(source),
                withheld=policy.withheld_from_imports(self._profiles),
                as_file=audience.type is AudienceType.FILE,
            )
            rows = matcher.reconcile(matching.unresolved(before)).select(*schema.names)
            matched = self._publisher.write(
                rows,
                schema,
                directory / "rows",
                before=before,
                one_id_a_profile=matcher.one_id_a_profile,
                is_file=audience.type is AudienceType.FILE,
            )
            progress.finished()
            tally = matched.tally
            ids = tally.matched + tally.unknown + tally.ambiguous_rejected
            reasons = {"unknown_id": tally.unknown, "ambiguous_id": tally.ambiguous_rejected}
            receipt = Receipt(
                audience=name,
                version=current.version + 1,
                source=source.name,
                segment=audience.segment,
                files=current.receipt.files,
                lines=ids,
                received=ids,
                accepted=ids,
                matched=tally.matched,
                unmatched=tally.unknown + tally.ambiguous_rejected,
                unmatched_reasons={reason: count for reason, count in reasons.items() if count},
                withheld=tally.withheld,
                ambiguous=tally.ambiguous,
                members=matched.members,
                added=matched.added,
                removed=matched.removed,
                seconds=round(time.monotonic() - started, 3),
            )
            if plan:
                return receipt
            with noted(self._store, "audience refresh", name) as run:
                self._publisher.publish(
                    audience,
                    matched,
                    None,
                    receipt,
                    origin=Origin.REFRESH,
                    run_id=run.id,
                    content_digest=current.content_digest,
                    profiles_revision=revision,
                    rejects_version=current.rejects_version,
                )
            return receipt

    def diagnose(
        self,
        name: str,
        *,
        version: int | None = None,
        sample: int = MOST_IDS,
        seconds: float = SECONDS,
        progress: Progress | None = None,
    ) -> Diagnosis:
        """Find out which setting would have matched the IDs that found nobody.

        Args:
            name: the audience.
            version: a version; None = the current one.
            sample: IDs to look at, at most 1,000.
            seconds: how long trying may take.
            progress: told what is tried.
        """
        audience, chosen = self.show(name), self.version(name, version)
        rows = self._rows(audience, chosen)
        return self._diagnoser.diagnose(audience, chosen, rows, sample=sample, seconds=seconds, progress=progress)

    def reconcile(
        self,
        name: str,
        *,
        key: str,
        target: str | None = None,
        create_profiles: bool = False,
        plan: bool = False,
    ) -> Receipt:
        """Make a List audience of profiles from a File audience of addresses. Raises as `ListMaker.make`."""
        audience = self.show(name)
        rows = self._rows(audience, self.version(name))
        return self._lists.make(
            audience, rows, key=key, target=target or f"{name}-profiles", create_profiles=create_profiles, plan=plan
        )

    def export(
        self, name: str, *, source: str, segment: str, to: str, shared_as: str = "", plan: bool = False, **options: Any
    ) -> ExportReceipt:
        """Share an audience; `options` are the further fields of `ShareRequest`. Raises as `Exporter.export`.

        Example:
            >>> audiences.export("vip", source="partner", segment="24", to="partner/in", mode="sync")  # doctest: +SKIP
        """
        request = ShareRequest(audience=shared_as, source=source, segment=segment, to=to, **options)
        return self.exporter.export(self.show(name), lambda: self.rows(name), request, plan=plan)

    def rows(self, name: str) -> ibis.Table:
        """Give the current rows of an audience, as the lake has them."""
        audience = self.show(name)
        return self._rows(audience, self.version(name))

    def addresses(self, name: str, version: int | None = None) -> ibis.Table:
        """Give the addresses of a File audience that came from decrypted IDs, in a column named after their key."""
        audience = self.show(name)
        rows = self._rows(audience, self.version(name, version))
        return rows.select(rows.value.name(self._key(audience))).distinct()

    def known_columns(self, wanted: Sequence[str]) -> None:
        """Make sure that profiles have these columns.

        Raises:
            UnknownNameError: they do not have one of them.
        """
        _known_columns(wanted, [column for column in self._profiles.schema().names if not column.startswith("_")])

    def edit(
        self, name: str, *, rule: str | None = None, description: str | None = None, expires: datetime | None = None
    ) -> Audience:
        """Change what may be changed of an audience by hand: its rule, its description, when it expires.

        Args:
            name: the audience.
            rule: of a Query audience.
            description: for people.
            expires: when it is deleted by itself; the year 9999 or later = never.
        """
        audience = self.show(name)
        if rule is not None:
            self.queries.edit(audience, rule)
            audience = self.show(name)
        if description is not None or expires is not None:
            moment = audience.expires if expires is None else None if expires.year >= _NEVER else expires
            text = audience.description if description is None else description
            changed = msgspec.structs.replace(audience, description=text, expires=moment, counted=None)
            self._store.update_audience(msgspec.structs.replace(changed, counted=audience.counted))
        return self.show(name)

    def expire(self, now: datetime | None = None) -> _Names:
        """Delete the audiences whose day has come; give their names."""
        gone = [one.name for one in expired(self._store, now or datetime.now(UTC))]
        for name in gone:
            self.delete(name)
        return gone

    def sweep(self) -> None:
        """Remove what killed processes left in the lake; safe at any time."""
        self._lake.sweep()

    def delete(self, name: str) -> None:
        """Delete an audience with all its versions and rows. Profiles stay."""
        with audience_lock(self._settings, name):
            audience = self.show(name)
            self._store.delete_audience(name)
            for part in ("rows", "rejects"):
                self._lake.table(f"audiences/{audience.id}/{part}").delete()

    def _rows(self, audience: Audience, version: AudienceVersion) -> ibis.Table:
        if version.rows_version < 0:
            return self.queries.rows(audience)
        rows = self._publisher.rows(audience, version)
        assert rows is not None  # noqa: S101 - a version is given
        return rows

    def _schema(self, audience: Audience, version: AudienceVersion) -> pa.Schema:
        return self._lake.table(f"audiences/{audience.id}/rows").schema(version.rows_version)

    def _key(self, audience: Audience) -> str:
        return self._store.source_by_id(audience.source_id).key if audience.source_id is not None else "value"

    def _algorithm(self, audience: Audience) -> str:
        if audience.source_id is None:
            return "sha256"
        source = self._store.source_by_id(audience.source_id)
        return "visitor" if source.kind == "visitor" else source.protection.match_algorithm

    def _with_columns(self, people: ibis.Table, wanted: _Names) -> ibis.Table:
        profiles = self._profiles.current()
        _known_columns(wanted, [column for column in profiles.columns if not column.startswith("_")])
        chosen = [column for column in wanted if column != "profile_id"]
        return people.inner_join(profiles.select("profile_id", *chosen), "profile_id")

    def _changes(self, audience: Audience, before: AudienceVersion, after: AudienceVersion) -> tuple[int, int]:
        old, new = self._rows(audience, before), self._rows(audience, after)
        if is_wordless(new) != is_wordless(old) or ("profile_id" in new.columns) != ("profile_id" in old.columns):
            raise AudienceTypeError(
                f"version {after.version} of audience `{audience.name}` is of another type; it cannot be rolled back",
                hint="run the workflow that made it again",
            )
        if is_wordless(new):
            new, old = shown(new), shown(old)
            return self._engine.count(new.difference(old)), self._engine.count(old.difference(new))
        if audience.type is AudienceType.FILE:
            words = matching.words_of(new)
            return self._engine.count(new.anti_join(old, words)), self._engine.count(old.anti_join(new, words))
        row = self._engine.fetch(matching.change_counts(old, new)).to_pylist()[0]
        return int(row["added"] or 0), int(row["removed"] or 0)

    def _sorted(self, relation: ibis.Table, by: tuple[str, ...] = ()) -> Rows:
        ordered = relation.order_by([ibis.asc(name, nulls_first=False) for name in by or relation.columns[:1]])
        return Rows(relation.schema().to_pyarrow(), lambda: self._engine.batches(ordered))


def _known_columns(wanted: Sequence[str], known: Sequence[str]) -> None:
    for column in wanted:
        if column not in known:
            raise UnknownNameError.among("column", column, known)
