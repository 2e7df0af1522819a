"""The people of a project: put in by files, looked up, linked with browsers, and digested for matching.

Invariant: one writer at a time, and one state record by which every reader finds rows, links and digests that belong
together.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import msgspec
import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.errors import InternalError, UnknownNameError
from symbolon.lake import ParquetStaging, file_lock
from symbolon.profiles import links, state
from symbolon.profiles.digests import Key
from symbolon.profiles.errors import ProfilesRejected
from symbolon.profiles.fields import FIELDS, OWN
from symbolon.profiles.indexes import Index, Indexes
from symbolon.profiles.receipts import LinksReceipt, ProfilesReceipt
from symbolon.profiles.settling import forget_old, settled
from symbolon.profiles.staging import LINE, REJECTED, Staged, rejected, stage
from symbolon.profiles.upsert import Merged, Upsert, changeable, comparable
from symbolon.records import NoProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles.state import ProfilesState
    from symbolon.records import Progress
    from symbolon.settings import Settings
    from symbolon.store import Store

#: how long a second change of the profiles waits for the first
LOCK_WAIT_S = 30.0


class Profiles:
    """Profiles, visitor links and kept digests of one project."""

    def __init__(self, *, lake: Lake, engine: Engine, store: Store, settings: Settings) -> None:
        self._lake = lake
        self._engine = engine
        self._store = store
        self._settings = settings
        self._indexes = Indexes(lake, engine)
        self._passing = contextlib.ExitStack()
        #: the rows that were asked for last, and of which version: whoever asks for the same gets the same relation
        self._last: tuple[tuple[int | None, pa.Schema], ibis.Table] | None = None

    @property
    def revision(self) -> int:
        """Grows with every change of profiles or links."""
        return state.load(self._store).revision

    @property
    def count(self) -> int:
        """How many profiles there are."""
        return state.load(self._store).count

    @property
    def link_count(self) -> int:
        """How many visitor links there are."""
        return state.load(self._store).link_count

    def schema(self) -> pa.Schema:
        """Give the columns: `profile_id`, the fixed fields, the extra columns."""
        return state.load(self._store).schema

    def current(self) -> ibis.Table:
        """Give the current profiles."""
        now = state.load(self._store)
        return self._rows(now)

    def import_file(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        key: str = "external_id",
        format: str | None = None,  # noqa: A002
        max_rejected: int | None = None,
        plan: bool = False,
        progress: Progress | None = None,
    ) -> ProfilesReceipt:
        """Put profiles in or bring them up to date: an absent column keeps, an empty cell clears.

        Args:
            path: CSV, TSV, Parquet or NDJSON, also as `.gz`.
            name: what to call the file in messages and the receipt.
            key: the field by which profiles are found; the first row of a key counts.
            format: by default found out from name and content.
            max_rejected: how many rejected rows are allowed; None = any.
            plan: tell what would happen and change nothing.
            progress: told what goes on.

        Raises:
            KeyColumnMissing: the file has no such column.
            UnknownNameError: there is no field `key`.
            FieldError: a header can be no column.
            ProfilesRejected: more rows were rejected than allowed; nothing was changed.
            LockHeld: another change of the profiles goes on.
        """
        started, path = time.monotonic(), Path(path)
        progress = progress or NoProgress()
        with self._writing(plan=plan), self._lake.attempt("profiles") as directory:
            before = self._settled(directory, plan=plan)
            staged, extra = stage(
                path, name=name, key=key, format=format, state=before, directory=directory, progress=progress
            )
            target = before.with_extra(extra)
            progress.started("merging profiles")
            merged = Upsert(self._lake, self._engine, self._store).merge(staged, key, target, directory, plan=plan)
            rejects, reasons = self._rejects(staged, merged.refused, directory)
            total = sum(reasons.values())
            if max_rejected is not None and total > max_rejected:
                raise ProfilesRejected(
                    f"{total:,} of {staged.lines:,} rows were rejected, more than --max-rejected {max_rejected} "
                    "allows; nothing was changed",
                    details={"rejected": reasons},
                )
            after = msgspec.structs.replace(target, count=before.count + merged.created)
            if not plan:
                changed = None if merged.created else changeable(staged.schema.names, key)
                after = self._commit(before, after, merged, changed, directory, rejects=rejects)
            progress.finished()
            return ProfilesReceipt(
                file=name or path.name,
                lines=staged.lines,
                received=staged.lines,
                accepted=staged.lines - total,
                rejected=reasons,
                created=merged.created,
                updated=merged.updated,
                unchanged=merged.unchanged,
                profiles=after.count,
                revision=after.revision,
                warnings=staged.warnings,
                seconds=round(time.monotonic() - started, 3),
            )

    def link_file(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        key: str = "external_id",
        format: str | None = None,  # noqa: A002
        progress: Progress | None = None,
    ) -> LinksReceipt:
        """Link browsers with profiles: columns `visitor_id`, the key, and `last_seen` (default: now).

        Raises:
            LinkColumnMissing: the file has no column with visitor IDs.
            KeyColumnMissing: it has no column with the key.
            UnknownNameError: there is no field `key`.
            LockHeld: another change of the profiles goes on.
        """
        started, path = time.monotonic(), Path(path)
        progress = progress or NoProgress()
        with self._writing(), self._lake.attempt("links") as directory:
            before = self._settled(directory)
            known = [column for column in before.schema.names if column not in OWN]
            if key not in known:
                raise UnknownNameError.among("profile field", key, known)
            staged = links.stage(path, name=name, key=key, format=format, directory=directory, progress=progress)
            progress.started("linking")
            files, seq, unknown, created = links.merge(
                self._engine, self._lake, staged, self._rows(before), key, before.links, directory
            )
            rejects, reasons = self._rejects(staged, {"unknown_profile": unknown}, directory)
            table = links.table(self._lake)
            version = before.links
            if version is None:
                version = table.replace_base(files)
            elif files:
                version = table.append_delta(files, seq=seq, expected_version=version)
                if table.needs_compaction:
                    version = table.compact(self._engine, directory / "compacted")
            after = msgspec.structs.replace(before, links=version, link_count=before.link_count + created)
            after = self._save(before, after, rejects=rejects)
            progress.finished()
            return LinksReceipt(
                file=name or path.name,
                lines=staged.lines,
                received=staged.lines,
                accepted=staged.lines - sum(reasons.values()),
                rejected=reasons,
                created=created,
                updated=sum(file.rows for file in files) - created,
                links=after.link_count,
                revision=after.revision,
                seconds=round(time.monotonic() - started, 3),
            )

    def create(self, field: str, values: pa.Array) -> int:
        """Make profiles that have only one field; give their number.

        Args:
            field: the field.
            values: distinct values that no profile has.
        """
        if field not in FIELDS.names or field in OWN:
            raise InternalError(f"profiles cannot be made from `{field}`")
        schema = pa.schema([LINE, FIELDS.field(field)])
        with self._writing(), self._lake.attempt("profiles") as directory:
            before = self._settled(directory)
            lines = ids.column(np.arange(1, len(values) + 1, dtype=np.int64))
            rows = pa.table([lines, values.cast(pa.string())], schema=schema)
            files = self._engine.write(self._engine.relation(rows), directory, schema, prefix="given")
            staged = Staged(files, [], schema, lines=len(values))
            merged = Upsert(self._lake, self._engine, self._store).merge(staged, field, before, directory)
            after = msgspec.structs.replace(before, count=before.count + merged.created)
            self._commit(before, after, merged, None, directory, rejects=None)
            return merged.created

    def index(
        self,
        field: str,
        scheme: str,
        region: str,
        algorithm: str,
        *,
        keep: bool = True,
        progress: Progress | None = None,
    ) -> Index:
        """Give the digests of a field: the kept ones, or built now and kept from then on.

        Args:
            field: a profile field.
            scheme: normalisation scheme.
            region: region of telephone numbers without a country code.
            algorithm: `md5`, `sha1`, `sha256`, `sha384` or `sha512`.
            keep: whether a new index is kept; a plan keeps nothing.
            progress: told what goes on.

        Raises:
            UnknownNameError: there is no such field.
            LockHeld: a change of the profiles goes on.
        """
        kind = ids.field_for(field)
        key = Key(field, ids.pinned(scheme, kind), region if kind == "phone" else "", algorithm)
        now = state.load(self._store)
        if field not in now.schema.names:
            raise UnknownNameError.among("profile field", field, [name for name in now.schema.names if name not in OWN])
        if key.name in now.indexes:
            return self._indexes.open(now.indexes[key.name])
        progress = progress or NoProgress()
        progress.started(f"digesting `{field}`")
        if not keep:
            # in an attempt that lives as long as the relation may be used
            directory = self._passing.enter_context(self._lake.attempt("digests"))
            index = self._indexes.build(self._rows(now).select("profile_id", field), key, directory)[1]
            progress.finished()
            return index
        with self._writing(), self._lake.attempt("digests") as directory:
            now = state.load(self._store)
            if key.name not in now.indexes:  # else another process was quicker
                built, _ = self._indexes.build(self._rows(now).select("profile_id", field), key, directory)
                kept = {**now.indexes, key.name: self._indexes.keep(built, key, directory)}
                # the same profiles, more digests: not a new revision for those who compare
                now = state.keep(self._store, now, msgspec.structs.replace(now, indexes=kept))
        progress.finished()
        return self._indexes.open(now.indexes[key.name])

    def visitor_index(self) -> ibis.Table:
        """Give the current visitor links: `d0`, `d1`, `profile_id`, `last_seen`."""
        return self._links(state.load(self._store))

    def opted_out_of_sharing(self) -> ibis.Table:
        """Give the `profile_id` of those who opted out of sharing."""
        rows = self.current()
        return rows.filter(rows.do_not_share).select("profile_id")

    def rejects(self) -> Iterator[pa.RecordBatch]:
        """Give the rejected rows of the last import: `line`, `reason`, `raw`."""
        version = state.load(self._store).rejects
        files = [] if version is None else self._lake.table("profiles/rejects").files(version)
        yield from self._engine.batches(self._engine.scan(files, REJECTED).order_by("line"))

    def show(self, value: str, field: str = "external_id") -> dict[str, Any] | None:
        """Give one profile by a field, with its visitor IDs; None if nobody has the value.

        Raises:
            UnknownNameError: there is no such field.
        """
        now = state.load(self._store)
        if field not in now.schema.names:
            raise UnknownNameError.among("profile field", field, [name for name in now.schema.names if name not in OWN])
        rows = self._rows(now)
        # the value goes in as a row, not as a literal: plans and logs show literals
        wanted = self._engine.relation(pa.table({"_wanted": pa.array([value], pa.string())}))
        found = (
            rows.inner_join(wanted, comparable(rows, field).cast("string") == wanted["_wanted"])
            .drop("_wanted")
            .limit(1)
        )
        people = self._engine.fetch(found).to_pylist()
        if not people:
            return None
        links_of = self._links(now)
        own = links_of.filter(links_of.profile_id == people[0]["profile_id"]).order_by(ibis.desc("last_seen"))
        visitors = [f"{link['d0']:019d}{link['d1']:019d}" for link in self._engine.fetch(own).to_pylist()]
        return {**{name: one for name, one in people[0].items() if name != "profile_id"}, "visitor_ids": visitors}

    def some(self, limit: int = 40, columns: list[str] | None = None) -> pa.Table:
        """Give some profiles, by their number."""
        rows = self.current()
        wanted = columns or [name for name in rows.columns if name != "profile_id"]
        return self._engine.fetch(rows.order_by("profile_id").limit(limit).select(*self._known(wanted)))

    def batches(self, columns: list[str] | None = None, *, order: str = "profile_id") -> Iterator[pa.RecordBatch]:
        """Give all profiles batch by batch, by their number or another column."""
        rows = self.current()
        wanted = columns or [name for name in rows.columns if name != "profile_id"]
        yield from self._engine.batches(rows.order_by(*self._known([order])).select(*self._known(wanted)))

    def close(self) -> None:
        """Remove what a plan had built."""
        self._passing.close()

    def _known(self, wanted: list[str]) -> list[str]:
        known = self.schema().names
        for name in wanted:
            if name not in known:
                raise UnknownNameError.among("column", name, known)
        return wanted

    def _rows(self, now: ProfilesState) -> ibis.Table:
        which = (now.rows, now.schema)
        if self._last is None or self._last[0] != which:
            table = state.rows_table(self._lake, now)
            rows = self._engine.scan([], now.schema) if now.rows is None else table.current(self._engine, now.rows)
            self._last = (which, rows)
        return self._last[1]

    def _links(self, now: ProfilesState) -> ibis.Table:
        if now.links is None:
            return self._engine.scan([], links.SCHEMA)
        return links.table(self._lake).current(self._engine, now.links)

    def _writing(self, *, plan: bool = False) -> AbstractContextManager[None]:
        if plan:
            return contextlib.nullcontext()
        path = self._settings.locks_dir / "profiles.lock"
        return file_lock(path, wait_s=LOCK_WAIT_S, holder="a change of the profiles")

    def _settled(self, directory: Path, *, plan: bool = False) -> ProfilesState:
        """Give the state, with its tables as it says they are; a plan only reads them."""
        now = state.load(self._store)
        return now if plan else settled(self._lake, self._engine, now, directory)

    def _commit(
        self,
        before: ProfilesState,
        after: ProfilesState,
        merged: Merged,
        changed: set[str] | None,
        directory: Path,
        *,
        rejects: list[WrittenFile] | None,
    ) -> ProfilesState:
        """Commit rows and digests to the lake, then move the state."""
        table = state.rows_table(self._lake, after)
        version = before.rows
        if merged.is_base:
            version = table.replace_base(merged.files)
        elif merged.files:
            version = table.append_delta(merged.files, seq=merged.seq, expected_version=before.rows)
        after = msgspec.structs.replace(after, rows=version)
        if merged.files:
            rows = self._engine.scan([str(file.path) for file in merged.files], after.schema)
            indexes = self._indexes.refresh(after, rows, changed, directory, anew=merged.is_base)
            after = msgspec.structs.replace(after, indexes=indexes)
            if not merged.is_base and table.needs_compaction:
                after = msgspec.structs.replace(after, rows=table.compact(self._engine, directory / "compacted"))
            after = msgspec.structs.replace(after, indexes=self._indexes.compact(after, directory / "compacted"))
        return self._save(before, after, rejects=rejects)

    def _rejects(
        self, staged: Staged, refused: dict[str, ibis.Table], directory: Path
    ) -> tuple[list[WrittenFile], dict[str, int]]:
        """Give the files of all rejected rows of an import, and count them by reason."""
        reasons = dict(staged.reasons)
        with ParquetStaging(directory / "refused", REJECTED) as staging:
            for reason, lines in refused.items():
                rows = lines.select("_line", _key=lines["_key"].cast("string"))
                for batch in self._engine.batches(rows):
                    staging.write(rejected(batch.column("_line"), reason, batch.column("_key").cast(pa.binary())))
                    reasons[reason] = reasons.get(reason, 0) + batch.num_rows
        return [*staged.rejected, *staging.close()], dict(sorted(reasons.items()))

    def _save(self, before: ProfilesState, after: ProfilesState, *, rejects: list[WrittenFile] | None) -> ProfilesState:
        """Move the state; what nobody can ask for any more is removed from the disk.

        The generation of files before the last one stays, for those who are reading it.
        """
        listed = self._lake.table("profiles/rejects")
        if rejects is not None:
            version = listed.commit(rejects, REJECTED, mode="overwrite")
            after = msgspec.structs.replace(after, rejects=version)
        same = (before.rows, before.links, before.extra) == (after.rows, after.links, after.extra)
        saved = (state.keep if same and before.rows is not None else state.save)(self._store, before, after)
        if rejects is not None and before.rejects is not None:
            listed.forget_before(before.rejects)
        forget_old(self._lake, before, saved)
        return saved
