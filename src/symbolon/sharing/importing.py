"""Import a shared audience: the main job.

The way of the data: files are collected and checked as a set, read once, reconciled by the engine, written beside the
old version, and published by moving a pointer. A plan walks the same way and stops before the last step.

Invariant: an import that fails at any point leaves the old version, and every line of the file is in exactly one count.

Source of the behaviour: Adobe Campaign Standard, sharing audiences with People core service (force reconciliation, full
replacement); Audience Manager, outbound data files (full and iter, splits, control files).
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from symbolon import policy
from symbolon.files import collect_set, verify
from symbolon.records import (
    Audience,
    AudienceType,
    DataSource,
    NoProgress,
    Origin,
    Protection,
    Receipt,
    stage,
)
from symbolon.sharing.errors import (
    AudienceTypeError,
    OlderFile,
    OptionError,
    SegmentNeeded,
    SegmentUnknown,
    SourceMismatch,
    TooManyRejected,
    WrongKey,
)
from symbolon.sharing.ingest import Ingested, ingest
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.publishing import Matcher, Publisher
from symbolon.sharing.rates import fall_of
from symbolon.sharing.runs import noted
from symbolon.sharing.segments import SegmentImport
from symbolon.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.files import FileSet
    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import AudienceVersion, Progress
    from symbolon.settings import Settings
    from symbolon.sharing.request import ImportRequest
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store

#: from this share of undecryptable values on, the key is taken to be wrong and nothing is published
WRONG_KEY_SHARE = 0.99
_UNDECRYPTABLE = ("decrypt_failed", "invalid_address")


@dataclass(frozen=True, slots=True)
class _Job:
    """One import under way: what was asked for and what was found out about it."""

    request: ImportRequest
    source: DataSource
    files: FileSet
    is_list: bool
    #: whether the decrypted addresses become a File audience
    as_file: bool
    progress: Progress
    started: float

    @property
    def mode(self) -> str:
        """`full` or `iter`; a list is always full."""
        name = self.files.name
        return "full" if self.is_list or name is None or name.mode is None else name.mode

    @property
    def timestamp_ms(self) -> int | None:
        """The time in the file's name."""
        return None if self.is_list or self.files.name is None else self.files.name.timestamp_ms

    @property
    def audience_type(self) -> AudienceType:
        """The type of the audience that comes out."""
        return AudienceType.FILE if self.as_file else AudienceType.SHARED


class Importer:
    """Imports shared audiences into a project."""

    def __init__(
        self, *, settings: Settings, store: Store, lake: Lake, engine: Engine, profiles: Profiles, sources: Sources
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._sources = sources
        self._publisher = Publisher(engine=engine, lake=lake, store=store)

    def run(self, request: ImportRequest, progress: Progress | None = None) -> list[Receipt]:
        """Import one file set; give a receipt for each audience it made, in the order of the segments in the file.

        Raises:
            UnknownNameError: there is no such data source.
            TermsNotAccepted: its terms wait for somebody to accept them.
            SegmentNeeded: the file has several segments and none was chosen.
            SegmentUnknown: no line names the chosen one.
            WrongKey: hardly any value could be decrypted.
            TooManyRejected: more records were rejected than allowed.
            OlderFile: the audience has had a newer file.
            LockHeld: another import into this audience goes on for longer than this one waits.
        """
        started = time.monotonic()
        request.rejected_limit(0)  # a wrong option is told before any work
        if request.segment and request.all_segments:
            raise OptionError("--segment and --all-segments exclude each other", hint="choose one of them")
        source = self._sources.show(request.source)
        policy.require_terms(source)
        as_file = _makes_file_audience(source, request.force_reconciliation)
        files = collect_set(request.paths, timestamp=source.timestamp, wait_s=request.wait_s)
        is_list = files.name is None or request.column is not None
        if is_list and (request.segment or request.all_segments):
            raise OptionError("a simple list has no segments", hint="leave out --segment and --all-segments")
        verify(files)
        self._lake.sweep()
        job = _Job(request, source, files, is_list, as_file, progress or NoProgress(), started)
        segment = self._wanted_segment(job)
        if segment is None:
            return self._import_all(job)
        return [self._import_one(job, segment)]

    def _wanted_segment(self, job: _Job) -> str | None:
        """Give the segment to read: the chosen one, the audience's own, `""` for a list; None = read all of them."""
        if job.is_list:
            return ""
        if job.request.segment or job.request.all_segments or not job.request.name:
            return job.request.segment or None
        known = self._find(job.request.name)
        return known.segment or None if known else None

    def _import_one(self, job: _Job, segment: str) -> Receipt:
        name = job.request.name or _default_name(job, segment)
        with audience_lock(self._settings, name):
            audience, before = self._audience(job, name, segment)
            digest = self._content_digest(job, segment)
            same = _same_again(job, before, digest, self._profiles.revision)
            if same is not None:
                return same
            with self._lake.attempt("import") as directory:
                ingested = self._ingest(job, segment, directory)
                part = self._segment(job, ingested, directory)
                return self._finish(job, part, audience, before, 0, digest)

    def _import_all(self, job: _Job) -> list[Receipt]:
        """Read every segment in one pass; without `all_segments` there may be only one."""
        with self._lake.attempt("import") as directory:
            ingested = self._ingest(job, None, directory)
            if not ingested.segments or (len(ingested.segments) > 1 and not job.request.all_segments):
                raise _several_segments(ingested)
            part = self._segment(job, ingested, directory)
            receipts = []
            for code, segment in enumerate(ingested.segments):
                single = job.request.name if not job.request.all_segments else ""
                name = single or _default_name(job, segment)
                with audience_lock(self._settings, name):
                    audience, before = self._audience(job, name, segment)
                    digest = self._content_digest(job, segment)
                    same = _same_again(job, before, digest, self._profiles.revision)
                    receipts.append(same or self._finish(job, part, audience, before, code, digest))
            return receipts

    def _ingest(self, job: _Job, segment: str | None, directory: Path) -> Ingested:
        spec = self._sources.spec(job.source, as_address=job.source.channel.is_address)
        ingested = ingest(
            job.files,
            spec,
            directory,
            mode=job.mode,
            segment=segment,
            is_list=job.is_list,
            column=job.request.column,
            label=job.request.label,
            with_value=job.as_file,
            threads=self._settings.thread_count,
            progress=job.progress,
        )
        if job.source.protection is Protection.AES_CBC:
            _refuse_wrong_key(job.source, ingested)
        return ingested

    def _segment(self, job: _Job, ingested: Ingested, directory: Path) -> SegmentImport:
        # read first: a change of the profiles while this goes on must not be taken for matched
        revision = self._profiles.revision
        matcher = Matcher(
            engine=self._engine,
            profiles=self._profiles,
            source=job.source,
            region=self._sources.region(job.source),
            withheld=policy.withheld_from_imports(self._profiles),
            as_file=job.as_file,
            keep=not job.request.plan,
        )
        return SegmentImport(self._engine, self._publisher, matcher, ingested, directory, job.mode, revision)

    def _finish(
        self,
        job: _Job,
        part: SegmentImport,
        audience: Audience,
        before: AudienceVersion | None,
        code: int,
        digest: str,
    ) -> Receipt:
        """Match, count, and publish one segment; a plan stops before publishing."""
        request = job.request
        segment = part.ingested.segments[code] if part.ingested.segments else ""
        with (
            stage(job.progress, f"matching {audience.name}"),
            noted(self._store, "audience import", audience.name, plan=request.plan) as run,
        ):
            outcome = part.match(code, audience, before, as_file=job.as_file)
            if part.ingested.names_nothing(code) and job.mode == "full" and not request.force and not job.is_list:
                raise SegmentUnknown(
                    f"no line of the file names segment `{segment}`",
                    hint="symbolon file inspect FILE lists its segments; --force empties the audience",
                )
            fallen = fall_of(self._store, job.source, outcome.receipt)
            receipt = msgspec.structs.replace(
                outcome.receipt,
                audience=audience.name,
                version=audience.version + 1,
                source=job.source.name,
                segment=segment,
                files=[path.name for path in job.files.parts],
                mode=job.mode,
                warnings=[*job.files.warnings, *outcome.receipt.warnings, *([fallen] if fallen else [])],
            )
            limit = request.rejected_limit(receipt.received)
            if limit is not None and receipt.rejected_total > limit:
                raise TooManyRejected(
                    f"{receipt.rejected_total:,} of {counted(receipt.received, 'record')} were rejected, more than "
                    f"--max-rejected {request.max_rejected} allows; nothing was changed",
                    hint="symbolon file inspect FILE shows why",
                    details={"rejected": receipt.rejected, "received": receipt.received},
                )
            receipt = msgspec.structs.replace(receipt, seconds=round(time.monotonic() - job.started, 3))
            if request.plan:
                return receipt
            rejects = part.write_rejects(code)
            audience = audience if audience.id else self._store.add_audience(audience)
            self._publisher.publish(
                audience,
                outcome.matched,
                rejects,
                receipt,
                origin=Origin.IMPORT,
                run_id=run.id,
                file_timestamp=job.timestamp_ms,
                content_digest=digest,
                profiles_revision=part.profiles_revision,
            )
        return receipt

    def _find(self, name: str) -> Audience | None:
        return next((audience for audience in self._store.audiences() if audience.name == name), None)

    def _audience(self, job: _Job, name: str, segment: str) -> tuple[Audience, AudienceVersion | None]:
        """Give the audience to import into and its current version; a new one is not saved yet."""
        known = self._find(name)
        if known is None:
            now = datetime.now(UTC)
            fresh = Audience(
                name=name,
                type=job.audience_type,
                source_id=job.source.id,
                segment=segment,
                created=now,
                modified=now,
            )
            return fresh, None
        if known.source_id != job.source.id:
            raise SourceMismatch(
                f"audience `{name}` is not imported from data source `{job.source.name}`", hint="choose another --name"
            )
        if known.segment != segment:
            raise SourceMismatch(
                f"audience `{name}` holds segment `{known.segment}`, not `{segment}`", hint="choose another --name"
            )
        if known.type is not job.audience_type:
            raise AudienceTypeError(
                f"audience `{name}` is a {known.type} audience, and this import makes a {job.audience_type} audience",
                hint="choose another --name, or turn --force-reconciliation round",
            )
        versions = self._store.versions(known.id)
        newest = max((version.file_timestamp or 0 for version in versions), default=0)
        if job.timestamp_ms is not None and job.timestamp_ms < newest and not job.request.force:
            raise OlderFile(
                f"the file is of {_moment(job.timestamp_ms)}, the last one applied to `{name}` of {_moment(newest)}",
                hint="--force applies it all the same",
            )
        return known, next((version for version in versions if version.version == known.version), None)

    def _content_digest(self, job: _Job, segment: str) -> str:
        """Name what an import depends on, apart from the profiles: bytes, source, segment and settings."""
        digest = hashlib.sha256()
        for path in job.files.parts:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        source = msgspec.structs.replace(job.source, created=None, modified=None, terms_accepted_at=None)
        settings = (segment, job.mode, job.request.column, job.as_file, self._sources.region(job.source))
        digest.update(msgspec.json.encode([source, settings]))
        return digest.hexdigest()


def _makes_file_audience(source: DataSource, force_reconciliation: bool | None) -> bool:
    """Decide whether decrypted addresses are kept: encrypted, e-mail or SMS, and reconciliation not forced."""
    means_something = source.protection is Protection.AES_CBC and source.channel.is_address
    if not means_something and force_reconciliation is not None:
        raise OptionError(
            f"forcing reconciliation means nothing for data source `{source.name}` "
            f"({source.protection}, channel {source.channel})",
            hint="leave out --[no-]force-reconciliation: only encrypted e-mail and SMS can do without a profile",
        )
    return means_something and force_reconciliation is False


def _default_name(job: _Job, segment: str) -> str:
    if job.is_list:
        return job.files.parts[0].name.split(".")[0] or job.source.name
    return f"{job.request.name or job.source.name}-{segment}"


def _several_segments(ingested: Ingested) -> SegmentNeeded:
    sizes = {segment: ingested.named_by(code) for code, segment in enumerate(ingested.segments)}
    if not sizes:
        return SegmentNeeded(
            "no line of the file could be read as `ID segment,segment`", hint="symbolon file inspect FILE"
        )
    shown = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{segment} ({counted(size, 'ID')})" for segment, size in shown[:20])
    more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""
    return SegmentNeeded(
        f"the file holds {len(sizes)} segments: {listed}{more}; nothing was imported",
        hint="choose one with --segment ID, or import each with --all-segments",
        details={"segments": sizes},
    )


def _same_again(job: _Job, before: AudienceVersion | None, digest: str, revision: int) -> Receipt | None:
    """Give the receipt of the same import before, when nothing that matters has changed since."""
    if before is None or job.request.force:
        return None
    if before.content_digest != digest or before.profiles_revision != revision:
        return None
    return msgspec.structs.replace(
        before.receipt,
        unchanged=True,
        added=0,
        removed=0,
        warnings=["the same content was imported before and no profile has changed since: nothing was done"],
        seconds=round(time.monotonic() - job.started, 3),
    )


def _refuse_wrong_key(source: DataSource, ingested: Ingested) -> None:
    """Refuse a file whose values hardly ever decrypt: publishing it would empty the audience."""
    failed = sum(by.get(reason, 0) for by in ingested.refused.values() for reason in _UNDECRYPTABLE)
    tried = failed + sum(ingested.accepted.values())
    if failed and failed >= WRONG_KEY_SHARE * tried:
        raise WrongKey(
            f"{failed:,} of {tried:,} encrypted values could not be decrypted with the key of data source "
            f"`{source.name}`; nothing was changed",
            hint="compare key, IV and encoding with the sender's, then: "
            f"symbolon source edit {source.name} --key-hex-file FILE --iv HEX",
            details={"source": source.name, "failed": failed, "tried": tried},
        )


def _moment(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
