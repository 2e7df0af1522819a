"""Rejected and unmatched records as rows: `file`, `line`, `reason`, and the ID as it came.

Invariant: an encrypted ID is shown as it came, never the address inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from symbolon import matching
from symbolon.ids import words_to_text
from symbolon.later import pc
from symbolon.matching import Status
from symbolon.sharing.ingest import LINE_BITS
from symbolon.sharing.publishing import REJECTS_SCHEMA
from symbolon.sharing.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis

    from symbolon.lake import Engine, Lake
    from symbolon.records import Audience, AudienceVersion

#: what both lists look like
SCHEMA = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("id", pa.string())])
_REASONS = {Status.UNKNOWN_ID: "unknown_id", Status.AMBIGUOUS_ID: "ambiguous_id", Status.WITHHELD: "withheld"}


class RejectedReader:
    """Reads the rejected and the unmatched records of one audience."""

    def __init__(self, engine: Engine, lake: Lake, algorithm: str) -> None:
        self._engine = engine
        self._lake = lake
        self._algorithm = algorithm

    def rejected(self, audience: Audience, version: AudienceVersion, reason: str | None) -> Rows:
        """Give the records that were not accepted, in the order of the file."""
        table = self._lake.table(f"audiences/{audience.id}/rejects")
        number = version.rejects_version
        files = [] if number is None else table.files(number)
        relation = self._engine.scan(files, REJECTS_SCHEMA)
        if reason is not None:
            relation = relation.filter(relation.reason == reason)
        relation = relation.order_by("position")

        def read() -> Iterator[pa.RecordBatch]:
            for batch in self._engine.batches(relation):
                yield _batch(batch.column("position"), batch.column("reason"), batch.column("raw"), version)

        return Rows(SCHEMA, read)

    def unmatched(self, rows: ibis.Table, version: AudienceVersion, reason: str | None) -> Rows:
        """Give the accepted IDs without a profile, and those whose profile policy withholds."""
        wanted = [status for status, name in _REASONS.items() if reason in (None, name)]
        relation = rows.filter(rows.status.isin([int(status) for status in wanted])).order_by("position")
        words = matching.words_of(rows)

        def read() -> Iterator[pa.RecordBatch]:
            for batch in self._engine.batches(relation):
                if "id" in batch.schema.names:
                    raw = batch.column("id")
                else:
                    raw = words_to_text([batch.column(name).to_numpy() for name in words], self._algorithm)
                names = [_REASONS[Status(status)] for status in batch.column("status").to_pylist()]
                position = pc.if_else(pc.equal(batch.column("since"), version.version), batch.column("position"), None)
                yield _batch(position, pa.array(names, pa.string()), raw, version)

        return Rows(SCHEMA, read)


def _batch(position: pa.Array, reason: pa.Array, raw: pa.Array, version: AudienceVersion) -> pa.RecordBatch:
    names = version.receipt.files
    part = pc.shift_right(position, LINE_BITS)
    inside = pc.if_else(pc.less(part, len(names)), part, None)
    file = pa.array(names, pa.string()).take(inside) if names else pa.nulls(len(position), pa.string())
    line = pc.bit_wise_and(position, (1 << LINE_BITS) - 1)
    return pa.record_batch([file, line, reason.cast(pa.string()), _text(raw)], schema=SCHEMA)


def _text(raw: pa.Array) -> pa.Array:
    """Give raw bytes as text; bytes that are not UTF-8 are shown as hexadecimal escapes."""
    if pa.types.is_string(raw.type):
        return raw
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()], pa.string())
