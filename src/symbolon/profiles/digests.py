"""The kept digests of a profile field: built once, then refreshed for the profiles that change.

A value that is plain enough is normalised and digested by the engine; every other one, and every algorithm the engine
does not have, goes through `ids`. Of an engine in this process hexadecimal comes out in batches and becomes words here,
while the engine computes the next ones; any other engine makes the words too, and gives out the odd values only.

Invariant: an index holds exactly one row a profile that has a value, and its digest is that of `ids`, whoever computed
it. It is personal data: unsalted digests of telephone numbers can be reversed.
"""

from __future__ import annotations

import binascii
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.columns import flags
from symbolon.lake import LayeredTable, ParquetStaging
from symbolon.later import pc
from symbolon.profiles.vocabulary import digest_of, formed, matches, words_of_hex

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.profiles.state import IndexState

_BATCH_ROWS = 131_072
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Key:
    """What an index is of."""

    field: str
    #: with its version, `google@2`; without one it is the first
    scheme: str
    region: str
    algorithm: str

    @property
    def name(self) -> str:
        """Its name among the kept ones, and in the lake."""
        scheme = self.scheme.removesuffix("@1").replace("@", "_v")
        return "_".join((self.field, scheme, self.region.lower() or "any", self.algorithm))


def key_of(state: IndexState) -> Key:
    """Give what a kept index is of."""
    return Key(state.field, state.scheme, state.region, state.algorithm)


def table(lake: Lake, key: Key) -> LayeredTable:
    """Give the lake's table of an index."""
    return LayeredTable(lake, f"digests/{key.name}", schema(key.algorithm), ("profile_id",))


def schema(algorithm: str) -> pa.Schema:
    """Give the columns of an index: profile and match key words."""
    words = [(f"d{index}", pa.int64()) for index in range(ids.word_count(algorithm))]
    return pa.schema([("profile_id", pa.int64()), *words])


@dataclass(frozen=True, slots=True)
class Built:
    """Digests, staged."""

    files: list[WrittenFile]
    #: first words that stand more than once among them, distinct
    repeated: NDArray[np.int64]


def build(engine: Engine, rows: ibis.Table, key: Key, directory: Path, *, seq: int = 0) -> Built:
    """Stage the digests of `rows` (`profile_id` and the field).

    Args:
        engine: what reads them.
        rows: profiles.
        key: what is digested, and how.
        directory: where to stage.
        seq: 0 = a base, of the profiles that have a value; else a layer, where those without one are marked deleted.
    """
    staged = pa.schema([("_seq", pa.int64()), ("_deleted", pa.bool_()), *schema(key.algorithm)])
    prepared = _prepared(rows, key, engine)
    if engine.in_process or key.algorithm not in engine.digests:
        files, firsts = _stage(engine, prepared, key, directory / "here", staged, seq)
        every = np.sort(np.concatenate(firsts)) if firsts else np.empty(0, dtype=np.int64)
        return Built(files, np.unique(every[1:][every[1:] == every[:-1]]))
    files, _ = _stage(engine, prepared.filter(prepared["value"].notnull()), key, directory / "odd", staged, seq)
    plain = _worded(prepared.filter(prepared["value"].isnull()), key, seq)
    files += engine.write(plain, directory, staged, prefix=f"digests-{key.name}")
    written = engine.scan([str(file.path) for file in files], staged)
    several = written.filter(~written["_deleted"]).group_by("d0").having(ibis._.count() > 1).agg()
    return Built(files, engine.fetch(several, limit=None)["d0"].to_numpy())


def _stage(
    engine: Engine, prepared: ibis.Table, key: Key, directory: Path, staged: pa.Schema, seq: int
) -> tuple[list[WrittenFile], list[NDArray[np.int64]]]:
    """Make words of what the engine gives out; give files, and the first words in them."""
    firsts: list[NDArray[np.int64]] = []
    with ThreadPoolExecutor(1) as pool, ParquetStaging(directory, staged, name=f"digests-{key.name}") as staging:
        waiting: deque[Future[None]] = deque()

        def take(batch: pa.RecordBatch) -> None:
            made, first = _digested(batch, key, staged, seq)
            firsts.append(first)
            staging.write(made)

        for batch in engine.batches(prepared, _BATCH_ROWS):
            waiting.append(pool.submit(take, batch))
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
        while waiting:
            waiting.popleft().result()
        return staging.close(), firsts


def _worded(prepared: ibis.Table, key: Key, seq: int) -> ibis.Table:
    """Give the rows of an index, by the engine alone: of values that it can digest, and of those that are gone."""
    zero = ibis.literal(0, "int64")
    words = words_of_hex(prepared["digest"], ids.word_count(key.algorithm))
    named = {f"d{index}": ibis.coalesce(word, zero) for index, word in enumerate(words)}
    gone = prepared["digest"].isnull()
    rows = prepared if seq else prepared.filter(~gone)
    return rows.select(_seq=ibis.literal(seq, "int64"), _deleted=gone, profile_id="profile_id", **named)


def _prepared(rows: ibis.Table, key: Key, engine: Engine) -> ibis.Table:
    """Give `profile_id`, `value` where it is odd, and `digest`: hexadecimal, of the plain form of the other ones."""
    field = ids.field_for(key.field)
    value = rows[key.field]
    text = value if value.type().is_string() else value.cast("string")
    if key.algorithm not in engine.digests:
        return rows.select("profile_id", digest=ibis.null("string"), value=text)
    pattern = ids.simple_pattern(key.scheme, field)
    if not pattern:
        return rows.select("profile_id", digest=ibis.null("string"), value=text)
    normal = formed(text, ids.simple_form(key.scheme, field))
    simple = matches(text, pattern)
    digest = ibis.ifelse(simple & (normal != ""), digest_of(key.algorithm, normal), ibis.null("string"))
    return rows.select("profile_id", digest=digest, value=ibis.ifelse(simple, ibis.null("string"), text))


def _digested(batch: pa.RecordBatch, key: Key, staged: pa.Schema, seq: int) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """Turn a batch of hexadecimal digests and odd values into rows of an index."""
    profile, digest, value = (batch.column(name) for name in ("profile_id", "digest", "value"))
    count = batch.num_rows
    if not digest.null_count and value.null_count == count:
        words, there = ids.words_of_digests(_unhexlified(digest), key.algorithm), np.ones(count, dtype=bool)
    else:
        odd = flags(value.is_valid())
        there = flags(digest.is_valid()) & ~odd
        quick = ids.words_of_digests(_unhexlified(digest.filter(ids.column(there))), key.algorithm)
        words = tuple(np.zeros(count, dtype=np.int64) for _ in range(ids.word_count(key.algorithm)))
        for word, made in zip(words, quick, strict=True):
            word[there] = made
        field = ids.field_for(key.field)
        _, slow, good = ids.normal_digests(value.filter(ids.column(odd)), key.scheme, field, key.region, key.algorithm)
        places = np.flatnonzero(odd)[good]
        for word, made in zip(words, slow, strict=True):
            word[places] = made[good]
        there[places] = True
    first = words[0][there]
    columns = [_int64(profile), *[ids.column(word) for word in words]]
    if seq:
        return pa.record_batch([_constant(seq, count), ids.column(~there), *columns], schema=staged), first
    if not there.all():
        columns = [column.filter(ids.column(there)) for column in columns]
        count = len(columns[0])
    absent = ids.column(np.zeros(count, dtype=bool))
    return pa.record_batch([_constant(0, count), absent, *columns], schema=staged), first


def _unhexlified(digest: pa.Array) -> bytes:
    """Decode a column of hexadecimal digests of one length in one go."""
    text = digest.cast(pa.string())
    if not len(text):
        return b""
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    return binascii.unhexlify(memoryview(text.buffers()[2])[offsets[0] : offsets[-1]])


def _constant(value: int, count: int) -> pa.Array:
    return ids.column(np.full(count, value, dtype=np.int64))


def _int64(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.int64())
