"""Matching the IDs of an audience again, without a file: who was unknown joins when there is a profile now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from symbolon import matching, policy
from symbolon.records import AudienceType, Origin, Receipt
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.publishing import Matcher, Publisher
from symbolon.sharing.runs import noted

if TYPE_CHECKING:
    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, Progress
    from symbolon.settings import Settings
    from symbolon.sharing.reading import AudienceReader
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store


class Refresher:
    """Makes new versions of the IDs that audiences hold."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        lake: Lake,
        engine: Engine,
        profiles: Profiles,
        sources: Sources,
        reader: AudienceReader,
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._sources = sources
        self._reader = reader
        self._publisher = Publisher(engine=engine, lake=lake, store=store)

    def refresh(self, audience: Audience, *, plan: bool, progress: Progress) -> Receipt:
        """Make the next version of an audience from the IDs that it has.

        Raises:
            AudienceTypeError: it was not imported, so it has no IDs to match again.
            TermsNotAccepted: its data source has terms that nobody accepted.
        """
        started = time.monotonic()
        name = audience.name
        with audience_lock(self._settings, name), self._lake.attempt("refresh") as directory:
            audience = self._store.audience(name)
            if audience.source_id is None:
                raise AudienceTypeError(
                    f"audience `{name}` is a {audience.type} audience: it has no IDs to match again",
                    hint="only what was imported from a data source can be refreshed",
                )
            source = self._store.source_by_id(audience.source_id)
            policy.require_terms(source)
            current = self._store.version(audience.id, audience.version)
            before = self._reader.rows(audience, current)
            schema = self._reader.schema(audience, current)
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
