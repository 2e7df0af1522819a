"""From the bytes of a file to staged match keys: read, decode, stage, with every line accounted for.

Invariant: lines = other segments + received, and each received line is either a staged ID or a staged rejected record.
Blocks are parsed and decoded on several threads (NumPy and OpenSSL release the interpreter) and staged in order by one;
memory holds a few blocks, whatever the size of the file. Only digests are staged: no address and no key reaches an
engine, except the addresses of a File audience, which are what was asked for.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.files import blocks, open_bytes, parse_rows, read_list
from symbolon.ids import IdSpec, MatchKeys, match_keys, word_count
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.records import REJECT_REASONS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.files import Block, FileSet, RejectedLine
    from symbolon.lake import WrittenFile
    from symbolon.records import Progress

T = TypeVar("T")
R = TypeVar("R")

#: a position is the part of the file set in the upper bits and the line, from 1, in the lower
LINE_BITS = 40
#: rejected records as they are staged and kept; `reason` is an index of REJECT_REASONS, `segment` null = every segment
REJECTED = pa.schema([("position", pa.int64()), ("reason", pa.int8()), ("segment", pa.int32()), ("raw", pa.binary())])


@dataclass(slots=True)
class Ingested:
    """What was read from a file set."""

    incoming: list[WrittenFile]
    rejected: list[WrittenFile]
    #: columns of the staged IDs
    schema: pa.Schema
    #: names of the segments by their staged code; one empty name for a list
    segments: list[str]
    #: non-blank lines
    lines: int = 0
    #: lines that could not be read at all, by reason: they count for every segment
    unreadable: dict[str, int] = field(default_factory=dict)
    #: staged IDs by segment code
    accepted: dict[int, int] = field(default_factory=dict)
    #: of these, removals
    removals: dict[int, int] = field(default_factory=dict)
    #: IDs that were refused, by segment code and reason
    refused: dict[int, dict[str, int]] = field(default_factory=dict)
    #: readable lines that name none of the wanted segments
    other_segments: int = 0

    def rejected_of(self, code: int) -> dict[str, int]:
        """Count the rejected records of one segment by reason."""
        counts = dict(self.unreadable)
        for reason, count in self.refused.get(code, {}).items():
            counts[reason] = counts.get(reason, 0) + count
        return counts

    def names_nothing(self, code: int) -> bool:
        """Whether no readable line names this segment."""
        return not self.named_by(code)

    def named_by(self, code: int) -> int:
        """Count the lines that name this segment."""
        return self.accepted.get(code, 0) + sum(self.refused.get(code, {}).values())

    def received_of(self, code: int) -> int:
        """Count the lines that this segment received."""
        return self.accepted.get(code, 0) + sum(self.rejected_of(code).values())


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One block after parsing and decoding; lines relative to the block, or absolute for lists."""

    lines: NDArray[Any]
    ids: pa.Array
    removed: NDArray[Any]
    segment: pa.DictionaryArray | None
    keys: MatchKeys
    rejected: list[RejectedLine]
    line_count: int
    nonblank: int
    other_segments: int
    size: int


def keeps_wire_form(spec: IdSpec) -> bool:
    """Whether the ID as it came must be kept beside its match key: a digest and a visitor ID are their own."""
    return spec.kind is Kind.DECLARED and not spec.protection.is_hash


def incoming_schema(spec: IdSpec, *, with_value: bool) -> pa.Schema:
    """Give the columns of staged IDs: position, segment, removed, match key words [, id] [, value]."""
    algorithm = "visitor" if spec.kind is Kind.VISITOR else spec.protection.match_algorithm
    fields = [("position", pa.int64()), ("segment", pa.int32()), ("removed", pa.bool_())]
    fields += [(f"d{index}", pa.int64()) for index in range(word_count(algorithm))]
    if keeps_wire_form(spec):
        fields.append(("id", pa.binary()))
    if with_value:
        fields.append(("value", pa.string()))
    return pa.schema(fields)


def ingest(
    files: FileSet,
    spec: IdSpec,
    directory: Path,
    *,
    mode: str,
    segment: str | None,
    is_list: bool,
    column: str | None = None,
    label: str = "",
    with_value: bool = False,
    threads: int = 2,
    progress: Progress,
) -> Ingested:
    """Read a complete file set and stage its IDs and its rejected records as Parquet files.

    Args:
        files: the parts, in order.
        spec: how the IDs are read.
        directory: a fresh directory to stage in.
        mode: `full` or `iter`.
        segment: the wanted segment; None = all of them.
        is_list: the parts are simple lists, not segment files.
        column: column of the ID in a list.
        label: what to call the file in messages; empty = its path.
        with_value: stage decrypted addresses too (File audiences).
        threads: how many blocks are decoded at the same time.
        progress: told the bytes read.

    Raises:
        InputError: a part is no readable file of its kind; what was staged does not count.
    """
    schema = incoming_schema(spec, with_value=with_value)
    stage = _Stage(schema, directory, segment=segment, is_list=is_list)
    progress.started("reading", sum(part.stat().st_size for part in files.parts))
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        for part, path in enumerate(files.parts):
            if is_list:
                decoded: Iterable[_Decoded] = _decode_list(path, spec, column, label, with_value=with_value)
            else:
                decoded = _decode_rows(
                    path, spec, pool, threads, label, mode=mode, segment=segment, with_value=with_value
                )
            done, size = 0, path.stat().st_size
            read = 0
            for block in decoded:
                stage.add(part, block, absolute=is_list)
                read += block.size
                step = min(block.size, size - done)  # a compressed part holds more bytes than it has
                done += step
                progress.advanced(step)
            progress.advanced(size - done)
    progress.finished()
    return stage.close()


def _decode_rows(
    path: Path,
    spec: IdSpec,
    pool: ThreadPoolExecutor,
    threads: int,
    label: str,
    *,
    mode: str,
    segment: str | None,
    with_value: bool,
) -> Iterator[_Decoded]:
    def work(block: Block) -> _Decoded:
        rows = parse_rows(block, mode=mode, segment=segment)
        keys = match_keys(rows.ids, spec, keep_plaintext=with_value)
        return _Decoded(
            rows.lines, rows.ids, rows.removed, rows.segment, keys, rows.rejected, rows.line_count, rows.nonblank,
            rows.other_segments, len(block.data),
        )  # fmt: skip

    with open_bytes(path, name=label or None) as stream:
        yield from _ahead(pool, work, blocks(stream), depth=threads + 1)


def _decode_list(path: Path, spec: IdSpec, column: str | None, label: str, *, with_value: bool) -> Iterator[_Decoded]:
    for batch in read_list(path, column=column, name=label or None):
        keys = match_keys(batch.ids, spec, keep_plaintext=with_value)
        removed = np.zeros(len(batch.ids), dtype=bool)
        yield _Decoded(
            batch.lines,
            batch.ids,
            removed,
            None,
            keys,
            batch.rejected,
            batch.line_count,
            batch.nonblank,
            0,
            batch.ids.nbytes,
        )


def _ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterator[T], depth: int) -> Iterator[R]:
    """Map in order with at most `depth` items in flight, so that memory does not follow the file."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Stage:
    """Writes decoded blocks in order and counts them."""

    def __init__(self, schema: pa.Schema, directory: Path, *, segment: str | None, is_list: bool) -> None:
        self._schema = schema
        self._incoming = ParquetStaging(directory / "incoming", schema)
        self._rejected = ParquetStaging(directory / "rejected", REJECTED)
        self._codes: dict[str, int] = {}
        if segment is not None or is_list:
            self._codes[segment or ""] = 0
        self._part = -1
        self._first_line = 0
        self._counts = Ingested([], [], schema, [])

    def add(self, part: int, block: _Decoded, *, absolute: bool) -> None:
        """Stage one block."""
        if part != self._part:
            self._part, self._first_line = part, 0
        base = (part << LINE_BITS) + (0 if absolute else self._first_line + 1)
        self._first_line += block.line_count
        counts = self._counts
        counts.lines += block.nonblank
        counts.other_segments += block.other_segments
        positions = block.lines.astype(np.int64) + base
        codes = self._segment_codes(block)
        accepted = block.keys.reason == 0
        self._stage_accepted(block, positions, codes, accepted)
        if not accepted.all():
            self._stage_refused(block, positions, codes, ~accepted)
        if block.rejected:
            self._stage_unreadable(block.rejected, base)

    def close(self) -> Ingested:
        """Finish the staged files and give the counts."""
        self._counts.incoming = self._incoming.close()
        self._counts.rejected = self._rejected.close()
        self._counts.segments = list(self._codes)
        return self._counts

    def _segment_codes(self, block: _Decoded) -> NDArray[np.int32]:
        if block.segment is None:
            return np.zeros(len(block.lines), dtype=np.int32)
        names = block.segment.dictionary.to_pylist()
        known = [self._codes.setdefault(name, len(self._codes)) for name in names]
        if not known:
            return np.zeros(0, dtype=np.int32)
        codes: NDArray[np.int32] = np.asarray(known, dtype=np.int32)[block.segment.indices.to_numpy()]
        return codes

    def _stage_accepted(
        self, block: _Decoded, positions: NDArray[Any], codes: NDArray[Any], mask: NDArray[Any]
    ) -> None:
        every = bool(mask.all())
        columns: dict[str, NDArray[Any]] = {
            "position": positions,
            "segment": codes,
            "removed": block.removed,
            **{f"d{index}": word for index, word in enumerate(block.keys.words)},
        }
        if not every:
            columns = {name: values[mask] for name, values in columns.items()}
        arrays = {name: ids.column(values) for name, values in columns.items()}
        if "id" in self._schema.names:
            arrays["id"] = block.ids if every else block.ids.filter(ids.column(mask))
        if "value" in self._schema.names:
            arrays["value"] = block.keys.plaintext if every else pc.filter(block.keys.plaintext, ids.column(mask))
        self._incoming.write(pa.record_batch([arrays[name] for name in self._schema.names], schema=self._schema))
        _count(self._counts.accepted, columns["segment"])
        _count(self._counts.removals, columns["segment"][columns["removed"]])

    def _stage_refused(self, block: _Decoded, positions: NDArray[Any], codes: NDArray[Any], mask: NDArray[Any]) -> None:
        reasons = block.keys.reason[mask]
        refused = codes[mask]
        raw = block.ids.filter(ids.column(mask)).cast(pa.binary())
        self._rejected.write(
            pa.record_batch(
                [ids.column(positions[mask]), ids.column(reasons), ids.column(refused), raw], schema=REJECTED
            )
        )
        for code in np.unique(refused):
            by_reason = self._counts.refused.setdefault(int(code), {})
            found, counts = np.unique(reasons[refused == code], return_counts=True)
            for reason, count in zip(found.tolist(), counts.tolist(), strict=True):
                name = REJECT_REASONS[reason]
                by_reason[name] = by_reason.get(name, 0) + count

    def _stage_unreadable(self, rejected: list[RejectedLine], base: int) -> None:
        reasons = [REJECT_REASONS.index(line.reason) for line in rejected]
        batch = pa.record_batch(
            [
                pa.array([base + line.line for line in rejected], pa.int64()),
                pa.array(reasons, pa.int8()),
                pa.nulls(len(rejected), pa.int32()),
                pa.array([line.raw for line in rejected], pa.binary()),
            ],
            schema=REJECTED,
        )
        self._rejected.write(batch)
        for line in rejected:
            self._counts.unreadable[line.reason] = self._counts.unreadable.get(line.reason, 0) + 1


def _count(totals: dict[int, int], codes: NDArray[Any]) -> None:
    for code, count in enumerate(np.bincount(codes).tolist() if len(codes) else []):
        if count:
            totals[code] = totals.get(code, 0) + count
