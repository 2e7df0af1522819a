"""From people to their IDs of a data source: policy, the kept digests, and the protection that the source wants.

Invariant: everybody of a population either has a row or is in the complement with one reason. Of a hashed source no
value is read: its IDs are the digests that are kept.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from symbolon import ids, matching, policy
from symbolon.columns import column, nulled
from symbolon.files.inbound import writable
from symbolon.lake import ParquetStaging
from symbolon.profiles.vocabulary import trim
from symbolon.records import Encoding, Kind, Protection
from symbolon.sharing import delta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.ids import IdSpec
    from symbolon.lake import Engine, WrittenFile
    from symbolon.profiles import Profiles
    from symbolon.records import DataSource
    from symbolon.sharing.sources import Sources

#: batches that may wait for being written, counted twice: for the lake, and for the other side
_AHEAD = 6
#: from so many people on they are looked up while rows go by, if they are at least half of all
_MANY = 500_000
NO_ID, INVALID_ID = "no_id", "invalid_id"
_PEOPLE = pa.schema([("profile_id", pa.int64())])
_REASONED = pa.schema([("profile_id", pa.int64()), ("reason", pa.string())])
_IDENTIFIED = pa.schema([("profile_id", pa.int64()), ("id", pa.string())])


@dataclass(frozen=True, slots=True)
class Found:
    """The IDs of a population, staged in the directory given."""

    files: list[WrittenFile]
    schema: pa.Schema
    #: see `symbolon.sharing.delta`
    rows: ibis.Table
    #: profile_id, reason
    complement: ibis.Table
    population: int
    people: int
    #: distinct IDs, and those of them that the delivery before did not have
    ids: int
    new: int
    withheld: dict[str, int]
    without_id: dict[str, int]


def algorithm_of(source: DataSource) -> str:
    """Name the algorithm of the match keys of a source."""
    return "visitor" if source.kind is Kind.VISITOR else source.protection.match_algorithm


def has_texts(source: DataSource) -> bool:
    """Whether an ID on the wire is another than the match key: plain and encrypted ones."""
    return source.kind is Kind.DECLARED and not source.protection.is_hash


class Identifier:
    """Finds IDs."""

    def __init__(self, *, engine: Engine, profiles: Profiles, sources: Sources) -> None:
        self._engine = engine
        self._profiles = profiles
        self._sources = sources

    def schema(self, source: DataSource) -> pa.Schema:
        """Give the columns of the rows of a source."""
        encrypted = source.protection is Protection.AES_CBC
        return delta.schema(algorithm_of(source), texts=has_texts(source), keys=encrypted)

    def find(
        self,
        source: DataSource,
        people: ibis.Table,
        directory: Path,
        *,
        before: ibis.Table | None = None,
        item: str | None = None,
        keep: bool = True,
        sink: Callable[[pa.RecordBatch], None] | None = None,
    ) -> Found:
        """Find the IDs of people, and say of the others why they have none.

        Args:
            source: whose IDs.
            people: `profile_id`.
            directory: where to stage.
            before: what was shared before.
            item: what stands behind an ID on a line of an inbound file, at its longest; None = no line.
            keep: whether digests that are made now are kept.
            sink: is given the rows as they are staged, in the same order.
        """
        schema = self.schema(source)
        # semi-joins take each profile once, so somebody who stands twice in the population is no matter here
        population, everybody = self._staged(people.select("profile_id"), directory, _PEOPLE, "population")
        out, kept_out = self._staged(
            policy.withheld_from_exports(self._profiles, source), directory, _REASONED, "withheld"
        )
        index, suspects = self._index(source, keep=keep)
        every = index.select(*matching.words_of(index), "profile_id")
        blocked = None
        if kept_out:
            taken = every.semi_join(out, "profile_id").drop("profile_id").distinct()
            shared_with, some = self._staged(taken, directory, _words(source), "blocked")
            blocked = shared_with if some else None
        owned = _without(every.semi_join(population, "profile_id"), out if kept_out else None, None)
        allowed = _without(owned, None, blocked)
        repeats = None
        if suspects is not None:
            # they are few: joined first, and staged, so that the others are not
            suspected, some = self._staged(every.semi_join(suspects, "d0"), directory, _owned(source), "suspected")
            if some:
                mine = _without(suspected.semi_join(population, "profile_id"), out if kept_out else None, blocked)
                repeats = self._repeats(source, mine, directory)
        version = source.key_version if source.protection is Protection.AES_CBC else None
        wanted = None if has_texts(source) else self._wanted(population, everybody)
        if wanted is not None:
            allowed = _without(every, out if kept_out else None, blocked)
        rows = delta.parted(allowed, repeats, before, version)
        files = self._written(source, rows, schema, directory, item=item, sink=sink, wanted=wanted)
        written = self._engine.scan([str(file.path) for file in files], schema)
        row = self._engine.fetch(delta.counts(written, one_id_a_profile=source.kind is Kind.DECLARED)).to_pylist()[0]
        withheld = out.semi_join(population, "profile_id")
        reasons = self._counted(withheld) if kept_out else {}
        shared = int(row["people"] or 0)
        missing: dict[str, int] = {}
        complement = withheld
        if shared + sum(reasons.values()) < everybody:
            distinct = population.distinct()
            population, everybody = self._staged(distinct, directory, _PEOPLE, "distinct")
            lost = self._lost(source, population.anti_join(out, "profile_id"), written, owned, blocked)
            lacking, _ = self._staged(lost, directory, _REASONED, "lacking")
            missing = self._counted(lacking)
            if policy.SHARED_ID in missing:
                reasons[policy.SHARED_ID] = missing.pop(policy.SHARED_ID)
            complement = withheld.union(lacking) if kept_out else lacking
        return Found(
            files=files,
            schema=schema,
            rows=written,
            complement=complement,
            population=everybody,
            people=shared,
            ids=int(row["ids"] or 0),
            new=int(row["new"] or 0),
            withheld=reasons,
            without_id=missing,
        )

    def not_to_be_shared(
        self, source: DataSource, rows: ibis.Table, directory: Path, *, missing: bool = False, keep: bool = True
    ) -> ibis.Table | None:
        """Give the match keys among rows of a delivery that may not be shared any more; None = all may.

        Args:
            source: whose IDs.
            rows: see `symbolon.sharing.delta`.
            directory: where to stage.
            missing: also those of profiles that are not there any more.
            keep: whether digests that are made now are kept.
        """
        words = matching.words_of(rows)
        out, some = self._staged(
            policy.withheld_from_exports(self._profiles, source), directory, _REASONED, "withheld-now"
        )
        taken = []
        if some:
            index, _ = self._index(source, keep=keep)
            taken = [one.semi_join(out, "profile_id").select(*words) for one in (rows, index)]
        if missing:
            people = self._profiles.current()
            there = rows.semi_join(people, "profile_id").select(*words)
            taken.append(rows.anti_join(people, "profile_id").select(*words).anti_join(there, words))
        if not taken:
            return None
        match = taken[0].union(*taken[1:]) if len(taken) > 1 else taken[0]
        held, count = self._staged(
            rows.select(*words).semi_join(match, words).distinct(), directory, _words(source), "not-to-be-shared"
        )
        return held if count else None

    def identified(self, source: DataSource, people: ibis.Table, directory: Path) -> tuple[ibis.Table, ibis.Table]:
        """Give people their IDs as they stand on the wire, and those who have none with the reason."""
        found = self.find(source, people, directory)
        rows = found.rows.select("profile_id", "id") if has_texts(source) else self._texts(source, found, directory)
        extra = [name for name in people.columns if name not in ("profile_id", "id")]
        return rows.inner_join(people, "profile_id").select("profile_id", "id", *extra), found.complement

    def _staged(self, relation: ibis.Table, directory: Path, schema: pa.Schema, name: str) -> tuple[ibis.Table, int]:
        files = self._engine.write(relation, directory, schema, prefix=name)
        return self._engine.scan([str(file.path) for file in files], schema), sum(file.rows for file in files)

    def _index(self, source: DataSource, *, keep: bool) -> tuple[ibis.Table, ibis.Table | None]:
        """Give match keys with their profile, and the first words that several profiles may hold."""
        if source.kind is Kind.VISITOR:
            index = self._profiles.visitor_index()
            return index, matching.repeated(index)
        region, algorithm = self._sources.region(source), algorithm_of(source)
        kept = self._profiles.index(source.key, source.scheme, region, algorithm, keep=keep)
        return kept.relation, kept.shared

    def _repeats(self, source: DataSource, owned: ibis.Table, directory: Path) -> ibis.Table | None:
        repeats, count = self._staged(delta.repeated(owned), directory, _owned(source), "repeated")
        return repeats if count else None

    def _wanted(self, population: ibis.Table, everybody: int) -> NDArray[np.bool_] | None:
        """Say of each number of a profile whether it is in the population; None where a join is the better way.

        Measured with 10 M of 10 M: a join takes 2.5 CPU seconds, looking up 0.1.
        """
        if not self._engine.in_process or everybody < _MANY:
            return None
        last = self._engine.fetch(population.aggregate(last=population.profile_id.max()))["last"][0].as_py()
        if last > 2 * everybody:
            return None
        wanted = np.zeros(last + 2, dtype=np.bool_)  # what is beyond falls onto the last, which nobody is
        for batch in self._engine.batches(population):
            wanted[integers(batch.column("profile_id"), np.int64)] = True
        return wanted

    def _written(
        self,
        source: DataSource,
        rows: ibis.Table,
        schema: pa.Schema,
        directory: Path,
        *,
        item: str | None,
        sink: Callable[[pa.RecordBatch], None] | None,
        wanted: NDArray[np.bool_] | None,
    ) -> list[WrittenFile]:
        """Stage rows, and hand them on meanwhile; those whose value makes no ID are left out, and the unwanted."""
        made = self._with_texts(source, rows, schema, item=item) if has_texts(source) else self._batches(rows, schema)
        if wanted is not None:
            made = _picked(made, wanted)
        staging = ParquetStaging(directory, schema, name="rows")
        if sink is None:
            for batch in made:
                staging.write(batch)
            return staging.close()
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
            for batch in made:
                waiting += [first.submit(staging.write, batch), second.submit(sink, batch)]
                while len(waiting) > _AHEAD:
                    waiting.popleft().result()
            while waiting:
                waiting.popleft().result()
        return staging.close()

    def _with_texts(
        self, source: DataSource, rows: ibis.Table, schema: pa.Schema, *, item: str | None
    ) -> Iterator[pa.RecordBatch]:
        """Give rows with their text: as it was, where the other side has it already, else made now."""
        if "id" in rows.columns:
            yield from self._batches(rows.filter(rows.id.notnull()), schema)
            rows = rows.filter(rows.id.isnull()).drop("id")
        spec = self._sources.spec(source, as_address=source.channel.is_address)
        people = self._profiles.current()
        values = people.select("profile_id", value=people[source.key].cast("string"))
        for batch in self._engine.batches(rows.inner_join(values, "profile_id").select(*rows.columns, "value")):
            texts = _protected(batch.column("value"), spec, item=item)
            columns = {name: batch.column(name) for name in batch.schema.names} | {"id": texts}
            whole = pa.record_batch([columns[name] for name in schema.names], schema=schema)
            yield whole.filter(texts.is_valid()) if texts.null_count else whole

    def _batches(self, rows: ibis.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for batch in self._engine.batches(rows.select(*schema.names)):
            yield pa.record_batch([batch.column(name) for name in schema.names], schema=schema)

    def _lost(
        self,
        source: DataSource,
        allowed: ibis.Table,
        rows: ibis.Table,
        owned: ibis.Table,
        blocked: ibis.Table | None,
    ) -> ibis.Table:
        """Say of those who may be shared and have no row why not: `profile_id`, `reason`."""
        lost = allowed.anti_join(rows, "profile_id").mutate(reason=ibis.literal(NO_ID))
        if source.kind is Kind.DECLARED:
            people = self._profiles.current()
            text = people[source.key].cast("string")
            some = people.select("profile_id", some=text.notnull() & (trim(text) != ""))
            valued = lost.select("profile_id").left_join(some, "profile_id").select("profile_id", "some")
            reasons = ibis.ifelse(ibis.coalesce(valued.some, ibis.literal(value=False)), INVALID_ID, NO_ID)
            lost = valued.select("profile_id", reason=reasons)
        if blocked is None:
            return lost
        taken = owned.semi_join(blocked, matching.words_of(owned)).select(taken_id=owned.profile_id).distinct()
        both = lost.left_join(taken, lost.profile_id == taken.taken_id)
        return both.select("profile_id", reason=ibis.ifelse(both.taken_id.isnull(), both.reason, policy.SHARED_ID))

    def _texts(self, source: DataSource, found: Found, directory: Path) -> ibis.Table:
        """Stage the IDs of rows whose match key is the ID: `profile_id`, `id`."""
        words = matching.words_of(found.rows)
        staging = ParquetStaging(directory, _IDENTIFIED, name="identified")
        for batch in self._engine.batches(found.rows.select("profile_id", *words)):
            texts = wire_texts(batch, words, algorithm_of(source), source.encoding)
            staging.write(pa.record_batch([batch.column("profile_id"), texts], schema=_IDENTIFIED))
        return self._engine.scan([str(file.path) for file in staging.close()], _IDENTIFIED)

    def _counted(self, reasoned: ibis.Table) -> dict[str, int]:
        counted = reasoned.group_by("reason").agg(count=reasoned.count())
        return {row["reason"]: int(row["count"]) for row in self._engine.fetch(counted.order_by("reason")).to_pylist()}


def wire_texts(batch: pa.RecordBatch, words: list[str], algorithm: str, encoding: Encoding) -> pa.Array:
    """Give the IDs of a batch of match key words."""
    # not by `to_numpy`, which imports pandas
    return ids.wire_text([integers(batch.column(name), np.int64) for name in words], algorithm, encoding)


def integers(values: pa.Array, kind: type[np.integer[Any]]) -> NDArray[Any]:
    """Give a column of integers without nulls as it lies in memory."""
    if not len(values):
        return np.empty(0, dtype=kind)
    return np.frombuffer(values.buffers()[1], dtype=kind)[values.offset : values.offset + len(values)]


def _without(rows: ibis.Table, people: ibis.Table | None, words: ibis.Table | None) -> ibis.Table:
    """Leave out rows of people, and of IDs."""
    rows = rows if people is None else rows.anti_join(people, "profile_id")
    return rows if words is None else rows.anti_join(words, words.columns)


def _picked(batches: Iterator[pa.RecordBatch], wanted: NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    """Give the rows of the profiles that are wanted."""
    for batch in batches:
        kept = wanted.take(integers(batch.column("profile_id"), np.int64), mode="clip")
        if kept.all():
            yield batch
        elif kept.any():
            yield batch.filter(column(kept))


def _words(source: DataSource) -> pa.Schema:
    return pa.schema([(f"d{place}", pa.int64()) for place in range(ids.word_count(algorithm_of(source)))])


def _owned(source: DataSource) -> pa.Schema:
    return _words(source).append(_PEOPLE.field(0))


def _protected(values: pa.Array, spec: IdSpec, *, item: str | None) -> pa.Array:
    texts = ids.protect(values, spec)
    if item is None:
        return texts
    return nulled(texts, writable(texts, item))
