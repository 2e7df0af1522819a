"""The doctor of match rates: which setting would have matched the IDs of an audience that found nobody.

A sample of the unmatched and rejected IDs, spread over the file, is read in every way that goes wrong in practice.

Invariant: nothing is written, keys are unwrapped only when IDs may be encrypted, and what comes out are counts and
words, never a value.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from symbolon.errors import SymbolonError
from symbolon.ids import words_to_text
from symbolon.matching import Status, words_of
from symbolon.matching.diagnosis import Clock, Explained, Sample, Search, Secret, Tries, explained
from symbolon.records import AudienceType, NoProgress, OnAmbiguous, Protection
from symbolon.sharing.ingest import LINE_BITS
from symbolon.sharing.publishing import REJECTS_SCHEMA
from symbolon.sharing.remedies import advice, commands

if TYPE_CHECKING:
    import ibis

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, AudienceVersion, DataSource, Progress
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store

#: IDs of a sample, at most
MOST_IDS = 1000
#: seconds that trying may take
SECONDS = 60.0
#: rejected records that hold an ID, though not one of this source
_ID_REASONS = ("malformed_id", "bad_encoding", "decrypt_failed", "invalid_address")
#: mixes lines evenly: a prime, and a multiplier that keeps the product of any line number below 2^63
_PRIME, _MIXER = 1_000_003, 2_654_435_761
_Command = list[str]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One explanation of part of the IDs that found nobody."""

    #: IDs of the sample that it explains
    count: int
    #: share of the sample
    share: float
    #: bounds of `count` (95 %) where it was estimated from a sample of the profiles; else `count` itself
    low: int
    high: int
    #: stable names of the faults: `algorithm`, `scheme`, `old_key`, ...
    faults: list[str]
    #: what is not as the data source says
    words: str
    #: whether these IDs would match once that is mended
    would_match: bool = True
    #: arguments of `symbolon`, in order; empty = no setting can mend it
    commands: list[_Command] = []
    #: what else to do, or to ask the sender
    advice: str = ""
    #: other explanations that fit the same IDs
    also: list[str] = []


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the IDs of an audience that found nobody."""

    audience: str
    version: int
    source: str = ""
    #: accepted IDs that no profile has
    unknown: int = 0
    #: accepted IDs that several profiles have, where the source rejects that
    ambiguous: int = 0
    #: IDs whose profile policy keeps out
    withheld: int = 0
    #: rejected records by reason
    rejected: dict[str, int] = {}
    #: IDs that were looked at
    sampled: int = 0
    #: most IDs first
    findings: list[Finding] = []
    #: IDs of the sample that no finding explains
    unexplained: int = 0
    #: hypotheses for which there was no time
    not_tried: list[str] = []
    #: further things to know
    notes: list[str] = []
    profiles: int = 0
    #: profiles in the sample that every hypothesis was tried on
    profiles_tried: int = 0
    seconds: float = 0.0


class Diagnoser:
    """Diagnoses the audiences of a project."""

    def __init__(self, *, store: Store, lake: Lake, engine: Engine, profiles: Profiles, sources: Sources) -> None:
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._sources = sources

    def diagnose(
        self,
        audience: Audience,
        version: AudienceVersion,
        rows: ibis.Table,
        *,
        sample: int | None = None,
        seconds: float | None = None,
        progress: Progress | None = None,
    ) -> Diagnosis:
        """Find out why IDs did not match.

        Args:
            audience: whose IDs.
            version: one of its versions.
            rows: the rows of that version.
            sample: IDs to look at, at most `MOST_IDS`; None = as many.
            seconds: how long trying may take, None = `SECONDS`; what was not tried is named.
            progress: told what is tried.
        """
        started = time.monotonic()
        clock = Clock(SECONDS if seconds is None else seconds)
        progress = progress or NoProgress()
        wanted = MOST_IDS if sample is None else min(sample, MOST_IDS)
        counted = self._counted(audience, version, rows)
        if audience.source_id is None:
            note = "a list of profiles has no IDs that could match or not"
            return msgspec.structs.replace(counted, notes=[note])
        source = self._store.source_by_id(audience.source_id)
        drawn = self._sample(audience, counted, rows, version, source, wanted)
        counted = msgspec.structs.replace(
            counted, source=source.name, sampled=len(drawn), notes=_notes(audience, source, counted)
        )
        own = self._of_ambiguous(audience, source, counted)
        if not len(drawn):
            return msgspec.structs.replace(counted, findings=own, seconds=round(time.monotonic() - started, 3))
        region = self._sources.region(source)
        search = Search(
            engine=self._engine, profiles=self._profiles, source=source, region=region, clock=clock, progress=progress
        )
        faults: list[str] = []
        tries = Tries(
            sample=drawn,
            source=source,
            region=region,
            search=search,
            secrets=lambda: self._secrets(faults),
            clock=clock,
            progress=progress,
        )
        found = tries.run()
        chosen = explained(found.hits, source, size=len(drawn), least=drawn.least)
        findings = [self._finding(one, audience, version, source, len(drawn)) for one in chosen]
        if len(found.nothing) >= drawn.least:
            findings.append(_of_nothing(len(found.nothing), len(drawn)))
        findings.sort(key=lambda one: -one.count)
        return msgspec.structs.replace(
            counted,
            findings=[*findings, *own],
            unexplained=max(0, len(drawn) - sum(one.count for one in findings)),
            not_tried=list(dict.fromkeys([*found.late, *faults])),
            profiles=search.count,
            profiles_tried=round(search.count * found.tried),
            seconds=round(time.monotonic() - started, 3),
        )

    def _counted(self, audience: Audience, version: AudienceVersion, rows: ibis.Table) -> Diagnosis:
        by_status = self._engine.fetch(rows.group_by("status").agg(n=rows.count())).to_pylist()
        counts = {int(row["status"]): int(row["n"]) for row in by_status}
        return Diagnosis(
            audience=audience.name,
            version=version.version,
            unknown=counts.get(Status.UNKNOWN_ID, 0),
            ambiguous=counts.get(Status.AMBIGUOUS_ID, 0),
            withheld=counts.get(Status.WITHHELD, 0),
            rejected=version.receipt.rejected,
            profiles=self._profiles.count,
            profiles_tried=self._profiles.count,
        )

    def _sample(
        self,
        audience: Audience,
        counted: Diagnosis,
        rows: ibis.Table,
        version: AudienceVersion,
        source: DataSource,
        limit: int,
    ) -> Sample:
        """Draw IDs evenly from all that found nobody, the same ones every time."""
        refused = self._rejects(audience, version)
        # a File audience keeps every address, known or not: only what could not be read is of interest
        unknown = 0 if audience.type is AudienceType.FILE else counted.unknown
        rejected = self._engine.count(refused)
        from_unknown = _portion(unknown, rejected, limit)
        ids: list[bytes] = []
        reasons: list[str] = []
        if from_unknown:
            some = rows.filter(rows.status == int(Status.UNKNOWN_ID))
            table = self._engine.fetch(_spread(some, from_unknown), limit=None)
            if "id" in table.schema.names:
                raw = table["id"].cast(pa.binary()).to_pylist()
            else:
                algorithm = "visitor" if source.kind == "visitor" else source.protection.match_algorithm
                words = [table[name].to_numpy() for name in words_of(some)]
                raw = words_to_text(words, algorithm).cast(pa.binary()).to_pylist()
            ids, reasons = raw, ["unknown_id"] * len(raw)
        if rejected:
            table = self._engine.fetch(_spread(refused, limit - len(ids)), limit=None)
            ids, reasons = ids + table["raw"].to_pylist(), reasons + table["reason"].to_pylist()
        return Sample(ids, reasons)

    def _rejects(self, audience: Audience, version: AudienceVersion) -> ibis.Table:
        table = self._lake.table(f"audiences/{audience.id}/rejects")
        files = [] if version.rejects_version is None else table.files(version.rejects_version)
        relation = self._engine.scan(files, REJECTS_SCHEMA)
        return relation.filter(relation.reason.isin(list(_ID_REASONS)))

    def _secrets(self, faults: list[str]) -> list[Secret]:
        """Unwrap the keys of all data sources; one that cannot be is noted."""
        secrets = []
        for source in self._store.sources():
            if source.protection is Protection.AES_CBC:
                try:
                    for version, key, iv in self._sources.secrets(source):
                        secrets.append(Secret(source.name, version, key, iv))
                except SymbolonError as error:
                    faults.append(f"the key of data source `{source.name}`, which cannot be unwrapped ({error.code})")
        return secrets

    def _finding(
        self, one: Explained, audience: Audience, version: AudienceVersion, source: DataSource, size: int
    ) -> Finding:
        todo: list[_Command] = []
        if one.fitting is not None:
            todo = commands(
                audience,
                version.receipt,
                source,
                one.fitting,
                sources=self._store.sources(),
                taken=[known.name for known in self._store.audiences()],
                digests=one.hit.reading.content != "plain",
            )
        words = "; ".join(cause.words for cause in one.causes)
        return Finding(
            count=one.count,
            share=round(one.count / size, 4),
            low=one.low,
            high=one.high,
            faults=[cause.code for cause in one.causes] or ["new_profiles"],
            words=words or "their profiles came after the import",
            commands=todo,
            advice=advice(one.causes, one.fitting),
            also=one.also[:3],
        )

    def _of_ambiguous(self, audience: Audience, source: DataSource, counted: Diagnosis) -> list[Finding]:
        if not counted.ambiguous or source.on_ambiguous is not OnAmbiguous.REJECT:
            return []
        edit = ["source", "edit", source.name, "--on-ambiguous", "all"]
        return [
            Finding(
                count=counted.ambiguous,
                share=1.0,
                low=counted.ambiguous,
                high=counted.ambiguous,
                faults=["ambiguous_id"],
                words="several profiles have each of these IDs, and the data source rejects that",
                commands=[edit, ["audience", "refresh", audience.name]],
                advice="all of their profiles become members then; merge profiles that are one person",
            )
        ]


def _of_nothing(count: int, size: int) -> Finding:
    return Finding(
        count=count,
        share=round(count / size, 4),
        low=count,
        high=count,
        faults=["digest_of_nothing"],
        words="they are digests of nothing: of an empty value, a space, or a word such as null",
        would_match=False,
        advice="nobody is lost; ask the sender to leave people without a value out",
    )


def _notes(audience: Audience, source: DataSource, counted: Diagnosis) -> list[str]:
    notes = []
    if audience.type is AudienceType.FILE:
        notes.append(
            "a File audience keeps every address, known or not; "
            f"`symbolon audience reconcile {audience.name} --key {source.key}` makes a list of those you know"
        )
    if counted.withheld:
        notes.append(f"{counted.withheld:,} more match, and policy withholds them: their profiles opted out of sharing")
    lines = sum(counted.rejected.get(reason, 0) for reason in ("malformed_line", "line_too_long"))
    if lines:
        notes.append(f"lines that could not be taken apart: {lines:,}; `symbolon file inspect FILE` shows why")
    repeated = counted.rejected.get("duplicate_id", 0)
    if repeated:
        notes.append(f"IDs that came more than once: {repeated:,}; nobody is lost by that")
    return notes


def _portion(unknown: int, rejected: int, limit: int) -> int:
    """Give how many of a sample are unmatched IDs: their part of all, and never fewer than a tenth of either kind."""
    if not rejected:
        return min(unknown, limit)
    part = round(limit * unknown / (unknown + rejected))
    part = min(max(part, limit // 10), limit - min(rejected, max(limit // 10, 1)))
    return min(max(part, limit - rejected), unknown)


def _spread(rows: ibis.Table, count: int) -> ibis.Table:
    """Take rows that lie evenly in the file, the same ones every time."""
    line = rows.position % (1 << LINE_BITS)
    mixed = rows.mutate(_mixed=(line * _MIXER + rows.position) % _PRIME)
    return mixed.order_by(["_mixed", "position"]).limit(count).drop("_mixed")
