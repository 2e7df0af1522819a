"""The audiences of a project: looked at, compared, rolled back, matched again, deleted.

Invariant: no published version ever changes. A roll-back is a new version that points at old rows, a refresh is a new
version of the same IDs.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import UnknownNameError
from symbolon.lake import LockHeld
from symbolon.records import Audience, AudienceType, AudienceVersion, NoProgress, Origin, Receipt, Run
from symbolon.sharing.errors import AudienceTypeError, ExpiryError, VersionUnknown
from symbolon.sharing.exporting import Exporter
from symbolon.sharing.importing import Importer
from symbolon.sharing.lists import ListSaver
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.queries import QueryAudiences
from symbolon.sharing.reading import NO_ROWS, AudienceReader
from symbolon.sharing.reconciling import ListMaker
from symbolon.sharing.refreshing import Refresher
from symbolon.sharing.rejected import RejectedReader
from symbolon.sharing.request import ImportRequest
from symbolon.sharing.shapes import is_lines, is_wordless
from symbolon.sharing.targets import AudienceLibrary
from symbolon.targeting import ShareRequest
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import ibis

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Progress
    from symbolon.settings import Settings
    from symbolon.sharing.diagnosing import Diagnoser, Diagnosis
    from symbolon.sharing.rows import Rows
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store
    from symbolon.targeting import ExportReceipt
    from symbolon.transports.transport import Transport

_Audiences = list[Audience]
_Versions = list[AudienceVersion]
_Names = list[str]


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
        self._importer = Importer(
            settings=settings, store=store, lake=lake, engine=engine, profiles=profiles, sources=sources
        )
        self._lists = ListMaker(settings=settings, store=store, engine=engine, lake=lake, profiles=profiles)
        self._reader = AudienceReader(
            store=store,
            lake=lake,
            engine=engine,
            profiles=profiles,
            rule_rows=self._rule_rows,
        )
        self._refresher = Refresher(
            settings=settings,
            store=store,
            lake=lake,
            engine=engine,
            profiles=profiles,
            sources=sources,
            reader=self._reader,
        )
        saver = ListSaver(
            settings=settings, store=store, engine=engine, lake=lake, profiles=profiles, reader=self._reader
        )
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

        A List has the columns that its workflow saved, too. A File audience has no profiles: it gives the columns of
        its file, or one, named after the reconciliation key, with its decrypted addresses.

        Raises:
            UnknownNameError: a column that there is not.
        """
        audience = self.show(name)
        return self._reader.members(audience, self.version(name, version), columns)

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
        if unmatched and audience.source_id is not None:
            return reader.unmatched(self._reader.rows(audience, chosen), chosen, reason)
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

        Raises:
            AudienceTypeError: it is a rule, or one version has people and the other one lines of a file.
        """
        audience = self.show(name)
        newer = self.version(name, after)
        older_number = newer.version - 1 if before is None else before
        older = self.version(name, older_number) if older_number else None
        return self._reader.diff(audience, older, newer, columns)

    def rollback(self, name: str, version: int | None = None) -> AudienceVersion:
        """Publish the rows of an older version again, as a new version.

        Args:
            name: the audience.
            version: the version to go back to; None = the one before the current.

        Raises:
            AudienceTypeError: that version was a rule.
        """
        with audience_lock(self._settings, name):
            audience = self.show(name)
            current = self.version(name)
            target = self.version(name, current.version - 1 if version is None else version)
            if target.rows_version == NO_ROWS:
                raise AudienceTypeError(
                    f"version {target.version} of audience `{name}` was a rule, and rules are not kept by version",
                    hint="`symbolon audience edit` gives a Query audience another rule, `create` makes a new one",
                )
            added, removed = self._reader.changes(audience, current, target)
            receipt = msgspec.structs.replace(
                target.receipt,
                version=current.version + 1,
                added=added,
                removed=removed,
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
            self._store.publish(back, base=current.version, changed=self._as_it_was(audience, target))
            return back

    def _as_it_was(self, audience: Audience, target: AudienceVersion) -> Audience:
        """Give an audience the type that it had when a version was made."""
        if audience.source_id is not None:
            return audience
        lines = is_lines(audience, self._reader.rows(audience, target))
        kind = AudienceType.FILE if lines else AudienceType.LIST
        return msgspec.structs.replace(audience, type=kind, dimension="" if lines else PROFILE, rule="", counted=None)

    def refresh(self, name: str, *, plan: bool = False, progress: Progress | None = None) -> Receipt:
        """Match the IDs of an audience again, without a file: who was unknown joins when there is a profile now.

        Raises:
            AudienceTypeError: a List has no IDs to match again.
        """
        return self._refresher.refresh(self.show(name), plan=plan, progress=progress or NoProgress())

    def diagnose(
        self,
        name: str,
        *,
        version: int | None = None,
        sample: int | None = None,
        seconds: float | None = None,
        progress: Progress | None = None,
    ) -> Diagnosis:
        """Find out which setting would have matched the IDs that found nobody.

        Args:
            name: the audience.
            version: a version; None = the current one.
            sample: IDs to look at, at most 1,000; None = as many.
            seconds: how long trying may take; None = a minute.
            progress: told what is tried.
        """
        audience, chosen = self.show(name), self.version(name, version)
        rows = self._reader.rows(audience, chosen)
        if is_wordless(rows):
            raise AudienceTypeError(
                f"audience `{name}` holds lines of a file, which nobody has reconciled; there are no IDs to diagnose",
                hint=f"symbolon audience reconcile {name} --key FIELD, or `reconciliation` in a workflow",
            )
        return self._diagnoser.diagnose(audience, chosen, rows, sample=sample, seconds=seconds, progress=progress)

    @cached_property
    def _diagnoser(self) -> Diagnoser:
        from symbolon.sharing.diagnosing import Diagnoser  # noqa: PLC0415 - heavy, and seldom asked for

        return Diagnoser(
            store=self._store, lake=self._lake, engine=self._engine, profiles=self._profiles, sources=self._sources
        )

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
        rows = self._reader.rows(audience, self.version(name))
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
        return self._reader.rows(audience, self.version(name))

    def lines(self, name: str) -> ibis.Table:
        """Give the lines of a File audience: the columns of its file, or its decrypted addresses."""
        audience = self.show(name)
        return self._reader.lines(audience, self._reader.rows(audience, self.version(name)))

    def known_columns(self, wanted: Sequence[str]) -> None:
        """Make sure that profiles have these columns.

        Raises:
            UnknownNameError: they do not have one of them.
        """
        self._reader.known_columns(wanted)

    def create(
        self, name: str, rule: str, *, description: str = "", expires: datetime | None = None, plan: bool = False
    ) -> Receipt:
        """Make a Query audience: a rule on profiles, evaluated whenever it is used. Raises as `QueryAudiences.create`.

        Example:
            >>> audiences.create("French readers", "country = 'FR' AND NOT opt_out_email").members  # doctest: +SKIP
            1204
        """
        checked_expiry(expires)
        return self.queries.create(name, rule, description=description, expires=expires, plan=plan)

    def edit(
        self,
        name: str,
        *,
        rule: str | None = None,
        description: str | None = None,
        expires: datetime | None = None,
        never_expires: bool = False,
        plan: bool = False,
    ) -> Receipt | None:
        """Change what may be changed of an audience by hand; None of it changes the members of a List or a File.

        Args:
            name: the audience.
            rule: of a Query audience.
            description: for people.
            expires: when it is deleted by itself.
            never_expires: it is not deleted by itself.
            plan: tell what another rule would change, and write nothing.

        Returns:
            What another rule changes; None without a rule.

        Raises:
            AudienceTypeError: it has no rule.
            ConditionError: the rule is no condition on profiles, or names audiences in a circle.
            ExpiryError: that moment has passed.
        """
        checked_expiry(expires)
        receipt = self.queries.edit(self.show(name), rule, plan=plan) if rule is not None else None
        if plan or (description is None and expires is None and not never_expires):
            self.show(name)
            return receipt
        with audience_lock(self._settings, name):
            audience = self.show(name)
            moment = None if never_expires else expires or audience.expires
            text = audience.description if description is None else description
            self._store.update_audience(msgspec.structs.replace(audience, description=text, expires=moment))
        return receipt

    def freeze(self, name: str, target: str | None = None, *, plan: bool = False) -> Receipt:
        """Keep the members that a Query audience has now as a List. Raises as `QueryAudiences.freeze`."""
        return self.queries.freeze(self.show(name), target or f"{name}-frozen", plan=plan)

    def count(self, name: str) -> int:
        """Count the members of a Query audience anew, and note when. Raises as `QueryAudiences.count`."""
        return self.queries.count(self.show(name))

    def expired(self, now: datetime | None = None) -> _Audiences:
        """Give the audiences whose day has come."""
        moment = now or datetime.now(UTC)
        return [one for one in self._store.audiences() if one.expires is not None and one.expires <= moment]

    def expire(self, now: datetime | None = None) -> _Names:
        """Delete the audiences whose day has come; give their names. One that is being changed is left for later."""
        moment = now or datetime.now(UTC)
        gone = []
        for one in self.expired(moment):
            with suppress(LockHeld, UnknownNameError), audience_lock(self._settings, one.name):
                audience = self._store.audience(one.name)  # the day may have been moved meanwhile
                if audience.expires is not None and audience.expires <= moment:
                    self._remove(audience)
                    gone.append(one.name)
        return gone

    def sweep(self) -> None:
        """Remove what killed processes left in the lake; safe at any time."""
        self._lake.sweep()

    def delete(self, name: str) -> None:
        """Delete an audience with all its versions and rows. Profiles stay."""
        with audience_lock(self._settings, name):
            self._remove(self.show(name))

    def _rule_rows(self, audience: Audience) -> ibis.Table:
        return self.queries.rows(audience)

    def _remove(self, audience: Audience) -> None:
        self._store.delete_audience(audience.name)
        for part in ("rows", "rejects"):
            self._lake.table(f"audiences/{audience.id}/{part}").delete()

    def _algorithm(self, audience: Audience) -> str:
        if audience.source_id is None:
            return "sha256"
        source = self._store.source_by_id(audience.source_id)
        return "visitor" if source.kind == "visitor" else source.protection.match_algorithm


def checked_expiry(expires: datetime | None) -> None:
    """Make sure that an audience is not made to expire at once.

    Raises:
        ExpiryError: the moment has passed.
    """
    if expires is not None and expires <= datetime.now(UTC):
        raise ExpiryError(f"{expires:%Y-%m-%d %H:%M} UTC has passed; the audience would be deleted at once")
