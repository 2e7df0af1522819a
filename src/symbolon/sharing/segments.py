"""One segment of what was read: matched against the profiles, counted, and its rejected records written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from symbolon import matching
from symbolon.records import Receipt
from symbolon.sharing.ingest import REJECTED
from symbolon.sharing.publishing import (
    REJECTS_SCHEMA,
    drop_duplicates,
    rejects,
    rows_schema,
    stage_duplicates,
)

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, WrittenFile
    from symbolon.records import Audience, AudienceVersion
    from symbolon.sharing.ingest import Ingested
    from symbolon.sharing.publishing import Matched, Matcher, Publisher


@dataclass(frozen=True, slots=True)
class Outcome:
    """What matching one segment gave: rows written, not published, and the counts so far."""

    matched: Matched
    receipt: Receipt


class SegmentImport:
    """Matches the segments of one ingested file set."""

    def __init__(
        self,
        engine: Engine,
        publisher: Publisher,
        matcher: Matcher,
        ingested: Ingested,
        directory: Path,
        mode: str,
        profiles_revision: int,
    ) -> None:
        self.ingested = ingested
        #: revision of the profiles that are matched against
        self.profiles_revision = profiles_revision
        self._engine = engine
        self._publisher = publisher
        self._matcher = matcher
        self._directory = directory
        self._mode = mode
        self._duplicates: dict[int, list[WrittenFile]] = {}

    def match(self, code: int, audience: Audience, before: AudienceVersion | None, *, as_file: bool) -> Outcome:
        """Reconcile one segment and write its rows beside the version before."""
        ingested, engine = self.ingested, self._engine
        incoming = self._incoming(code)
        target = self._directory / f"duplicates-{code}"
        distinct, duplicates = drop_duplicates(engine, incoming, ingested.schema, target)
        rejected, repeated, repeated_removals = ingested.rejected_of(code), 0, 0
        if duplicates is not None:
            self._duplicates[code] = stage_duplicates(engine, duplicates, self._matcher.algorithm, target)
            repeated = engine.count(duplicates)
            repeated_removals = engine.count(duplicates.filter(duplicates.removed))
            rejected["duplicate_id"] = repeated
        removals = ingested.removals.get(code, 0) - repeated_removals
        warnings = []
        previous = None
        if self._mode == "iter":
            previous = self._publisher.rows(audience, before)
            if previous is None:
                warnings.append("an incremental file without a version before it: members it does not name are missing")
        named = distinct.select(*matching.words_of(distinct)) if removals or previous is not None else None
        added = (distinct.filter(~distinct.removed) if removals else distinct).drop("segment", "removed")
        added = added.mutate(since=ibis.literal(audience.version + 1, "int32"))
        rows = self._matcher.reconcile(added)
        schema = rows_schema(ingested.schema)
        counted = None
        if previous is not None and named is not None:
            # the receipt counts the file's IDs, the audience holds the others too
            counted = self._engine.write(rows.select(*schema.names), self._directory / f"named-{code}", schema)
            rows = matching.applied(previous, named, self._engine.scan([str(f.path) for f in counted], schema))
        matched = self._publisher.write(
            rows.select(*schema.names),
            schema,
            self._directory / f"rows-{code}",
            before=self._publisher.rows(audience, before),
            one_id_a_profile=self._matcher.one_id_a_profile,
            is_file=as_file,
        )
        tally = matched.tally
        if counted is not None:
            tally = self._publisher.tally(counted, schema, one_id_a_profile=self._matcher.one_id_a_profile)
        accepted = ingested.accepted.get(code, 0) - repeated
        received = accepted + sum(rejected.values())
        reasons = {"unknown_id": tally.unknown, "ambiguous_id": tally.ambiguous_rejected}
        receipt = Receipt(
            audience=audience.name,
            lines=ingested.lines,
            other_segments=ingested.lines - received,
            received=received,
            accepted=accepted,
            matched=tally.matched,
            unmatched=tally.unknown + tally.ambiguous_rejected,
            unmatched_reasons={reason: count for reason, count in reasons.items() if count},
            removals=removals,
            withheld=tally.withheld,
            ambiguous=tally.ambiguous,
            members=matched.members,
            added=matched.added,
            removed=matched.removed,
            rejected={reason: count for reason, count in sorted(rejected.items()) if count},
            warnings=warnings + _warnings(rejected, accepted),
        )
        return Outcome(matched, receipt)

    def write_rejects(self, code: int) -> list[WrittenFile]:
        """Write the rejected records of one segment as they are kept."""
        staged = [*self.ingested.rejected, *self._duplicates.get(code, [])]
        relation = self._engine.scan([str(file.path) for file in staged], REJECTED)
        return self._engine.write(rejects(relation, code), self._directory / f"rejects-{code}", REJECTS_SCHEMA)

    def _incoming(self, code: int) -> ibis.Table:
        files = [str(file.path) for file in self.ingested.incoming]
        incoming = self._engine.scan(files, self.ingested.schema)
        return incoming.filter(incoming.segment == code) if len(self.ingested.segments) > 1 else incoming


def _warnings(rejected: dict[str, int], accepted: int) -> list[str]:
    """Name what a person should look at: part of the values did not decrypt, or nothing was accepted."""
    warnings = []
    undecryptable = rejected.get("decrypt_failed", 0) + rejected.get("invalid_address", 0)
    if undecryptable:
        share = 100 * undecryptable / (undecryptable + accepted)
        values = "value" if undecryptable == 1 else "values"
        warnings.append(
            f"{undecryptable:,} encrypted {values} ({share:.1f} %) could not be decrypted to something valid"
        )
    if not accepted and rejected:
        warnings.append(
            "no ID was accepted: the protection, the encoding or the column of the data source may be wrong"
        )
    return warnings
