"""From staged IDs to a published version: reconcile, write, count, compare, commit, point.

Invariant: readers see the old version or the new one, never half. Rows go to a fresh directory, are committed to the
lake as a version that nobody points to yet, and only then does one transaction of the store move the pointer. A process
killed anywhere before that leaves the old version, and nothing that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from symbolon import matching
from symbolon.ids import words_to_text
from symbolon.lake import ParquetStaging
from symbolon.records import REJECT_REASONS, AudienceVersion, Kind, OnAmbiguous
from symbolon.sharing.ingest import REJECTED

if TYPE_CHECKING:
    from pathlib import Path

    import ibis

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, DataSource, Origin, Receipt
    from symbolon.store import Store

#: rejected records of a version
REJECTS_SCHEMA = pa.schema([("position", pa.int64()), ("reason", pa.string()), ("raw", pa.binary())])
_DUPLICATE = REJECT_REASONS.index("duplicate_id")


def rows_schema(incoming: pa.Schema) -> pa.Schema:
    """Give the columns of an audience's rows.

    Shape: d0..dW-1 [, id] [, value], position, since, profile_id, status, ambiguous
    """
    kept = [field for field in incoming if field.name not in ("position", "segment", "removed", "since")]
    return pa.schema(
        [
            *kept,
            ("position", pa.int64()),
            ("since", pa.int32()),
            ("profile_id", pa.int64()),
            ("status", pa.int8()),
            ("ambiguous", pa.bool_()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Matched:
    """Rows of a version, written but not published."""

    files: list[WrittenFile]
    schema: pa.Schema
    tally: matching.Tally
    members: int
    added: int
    removed: int


class Matcher:
    """Reconciles incoming IDs with the kept index of a source's key."""

    def __init__(
        self,
        *,
        engine: Engine,
        profiles: Profiles,
        source: DataSource,
        region: str,
        withheld: ibis.Table,
        as_file: bool = False,
        keep: bool = True,
    ) -> None:
        self._engine = engine
        self._source = source
        self._withheld = withheld
        if source.kind is Kind.VISITOR:
            self._index = profiles.visitor_index()
            self._shared: ibis.Table | None = matching.repeated(self._index)
            self._rule = "latest"
            self.algorithm = "visitor"
        else:
            self.algorithm = source.protection.match_algorithm
            index = profiles.index(source.key, source.scheme, region, self.algorithm, keep=keep)
            self._index, self._shared = index.relation, index.shared
            self._rule = "reject" if source.on_ambiguous is OnAmbiguous.REJECT else "one" if as_file else "all"

    @property
    def one_id_a_profile(self) -> bool:
        """Whether a profile has at most one ID of this kind."""
        return self._source.kind is not Kind.VISITOR

    def reconcile(self, incoming: ibis.Table) -> ibis.Table:
        """Give every distinct incoming ID its profile, or the reason why none."""
        ambiguous = None
        if self._shared is not None:
            found = self._engine.fetch(matching.ambiguous_positions(incoming, self._index, self._shared), limit=None)
            if found.num_rows:
                ambiguous = self._engine.relation(found)
        return matching.reconciled(incoming, self._index, withheld=self._withheld, ambiguous=ambiguous, rule=self._rule)


def drop_duplicates(
    engine: Engine, incoming: ibis.Table, schema: pa.Schema, directory: Path
) -> tuple[ibis.Table, ibis.Table | None]:
    """Split incoming IDs into the first of each and the repeated ones (None = there are none), which are written."""
    suspects = engine.fetch(matching.repeated(incoming), limit=None)
    if not suspects.num_rows:
        return incoming, None
    files = engine.write(matching.duplicates(incoming, engine.relation(suspects)), directory, schema, prefix="repeated")
    if not files:
        return incoming, None
    duplicates = engine.scan([str(file.path) for file in files], schema)
    return matching.without(incoming, duplicates), duplicates


def stage_duplicates(engine: Engine, duplicates: ibis.Table, algorithm: str, directory: Path) -> list[WrittenFile]:
    """Stage repeated IDs as rejected records, the ID as it stands in the file."""
    staging = ParquetStaging(directory, REJECTED)
    words = matching.words_of(duplicates)
    for batch in engine.batches(duplicates):
        if "id" in batch.schema.names:
            raw = batch.column("id")
        else:
            raw = words_to_text([batch.column(name).to_numpy() for name in words], algorithm)
        count = batch.num_rows
        reasons = pa.array([_DUPLICATE] * count, pa.int8())
        columns = [batch.column("position"), reasons, batch.column("segment"), raw.cast(pa.binary())]
        staging.write(pa.record_batch(columns, schema=REJECTED))
    return staging.close()


def rejects(rejected: ibis.Table, code: int) -> ibis.Table:
    """Give the rejected records of one segment: its own, and the lines that nobody could read."""
    own = rejected.filter(rejected.segment.isnull() | (rejected.segment == code))
    names = own.reason.cases(*enumerate(REJECT_REASONS))
    return own.select("position", "raw", reason=names)


class Publisher:
    """Writes rows and rejected records of one audience, and publishes them."""

    def __init__(self, *, engine: Engine, lake: Lake, store: Store) -> None:
        self._engine = engine
        self._lake = lake
        self._store = store

    def rows(self, audience: Audience, version: AudienceVersion | None) -> ibis.Table | None:
        """Give the rows of a published version; None where there is none."""
        if version is None:
            return None
        table = self._lake.table(f"audiences/{audience.id}/rows")
        return self._engine.scan(table.files(version.rows_version), table.schema(version.rows_version))

    def write(
        self,
        rows: ibis.Table,
        schema: pa.Schema,
        directory: Path,
        *,
        before: ibis.Table | None,
        one_id_a_profile: bool,
        is_file: bool,
    ) -> Matched:
        """Write reconciled rows into `directory` and count them against the version before."""
        files = self._engine.write(rows, directory, schema)
        written = self._engine.scan([str(file.path) for file in files], schema)
        counts = self.tally(files, schema, one_id_a_profile=one_id_a_profile)
        members = sum(file.rows for file in files) if is_file else counts.members
        added, removed = members, 0
        if before is not None:
            if is_file:
                words = matching.words_of(written)
                added = self._engine.count(written.anti_join(before, words))
                removed = self._engine.count(before.anti_join(written, words))
            else:
                row = self._engine.fetch(matching.change_counts(before, written)).to_pylist()[0]
                added, removed = int(row["added"] or 0), int(row["removed"] or 0)
        return Matched(files, schema, counts, members, added, removed)

    def tally(self, files: list[WrittenFile], schema: pa.Schema, *, one_id_a_profile: bool) -> matching.Tally:
        """Count written rows."""
        written = self._engine.scan([str(file.path) for file in files], schema)
        return matching.read_tally(self._engine.fetch(matching.tally(written, one_id_a_profile=one_id_a_profile)))

    def publish(
        self,
        audience: Audience,
        matched: Matched,
        rejected: list[WrittenFile] | None,
        receipt: Receipt,
        *,
        origin: Origin,
        run_id: str,
        file_timestamp: int | None = None,
        content_digest: str = "",
        profiles_revision: int = 0,
        rejects_version: int | None = None,
    ) -> AudienceVersion:
        """Commit rows and rejects to the lake, then move the pointer. The audience's lock is held by the caller."""
        rows_table = self._lake.table(f"audiences/{audience.id}/rows")
        rows_version = rows_table.commit(matched.files, matched.schema, mode="overwrite", expected_version=None)
        if rejected is not None:
            rejects_table = self._lake.table(f"audiences/{audience.id}/rejects")
            rejects_version = rejects_table.commit(rejected, REJECTS_SCHEMA, mode="overwrite", expected_version=None)
        version = AudienceVersion(
            audience_id=audience.id,
            version=receipt.version,
            origin=origin,
            run_id=run_id,
            rows_version=rows_version,
            rejects_version=rejects_version,
            members=receipt.members,
            receipt=receipt,
            file_timestamp=file_timestamp,
            content_digest=content_digest,
            profiles_revision=profiles_revision,
            created=datetime.now(UTC),
        )
        self._store.publish(version, base=audience.version)
        return version
