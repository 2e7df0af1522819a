"""A delivery as files: rendered from what was written down.

Invariant: the same delivery makes the same files with the same names, whoever renders them and how often.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

import numpy as np

from symbolon.columns import column
from symbolon.files.inbound import Limits, csv_lines, item_of, lines
from symbolon.files.inboundnames import InboundName, day_folder
from symbolon.files.parts import ParquetParts, TextParts
from symbolon.later import pq
from symbolon.sharing import delta
from symbolon.sharing.identifying import integers, wire_texts
from symbolon.targeting import ShareMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from symbolon.files.inbound import Lines
    from symbolon.files.inboundnames import InboundMode
    from symbolon.files.parts import Part
    from symbolon.sharing.shares import Delivery, Look

_BATCH_ROWS = 131_072
_ADDED, _REMOVED = "added", "removed"


class File:
    """A file of a delivery, rendered.

    Args:
        mode: what it does at the other side.
        part: where it is.
        split: its number, where there are several of its mode.
    """

    def __init__(self, mode: InboundMode, part: Part, split: int | None) -> None:
        self.part = part
        #: tells it from the others of its delivery
        self.key = f"{mode}.{part.number}"
        self._mode, self._split = mode, split

    def name(self, delivery: Delivery) -> str:
        """Give the name that it gets."""
        return _name(delivery, self._mode, self._split)

    def told(self, name: str) -> dict[str, object]:
        """Give what a receipt tells of it."""
        return {"name": name, "records": self.part.records, "bytes": self.part.size_bytes}


class Rendering:
    """The files of a delivery while they are written, in a directory of their own.

    Args:
        look: what they look like.
        directory: where they are made.
        limits: how large one may become.
    """

    def __init__(self, look: Look, directory: Path, *, limits: Limits | None = None) -> None:
        self._look = look
        self._least = int(delta.least_sent(look.mode))
        # `.overwrite` says nothing of those whom it does not name: who left needs a line of `.sync`
        self._mode: InboundMode = "overwrite" if look.mode is ShareMode.REPLACE else "sync"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sinks = {mode: self._sink(directory, mode, limits) for mode in {self._mode, "sync"}}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sink in self._sinks.values():
            sink.__exit__()

    def rows(self, batch: pa.RecordBatch) -> None:
        """Add those of a batch of rows that are sent."""
        sent = integers(batch.column("part"), np.int8) >= self._least
        self._add(batch if sent.all() else batch.filter(column(sent)), self._mode, _ADDED)

    def removed(self, batch: pa.RecordBatch) -> None:
        """Add IDs that leave."""
        self._add(batch, "sync", _REMOVED)

    def close(self) -> list[File]:
        """Finish the files; give them in the order in which they have to arrive."""
        files = []
        for mode in sorted(self._sinks):
            parts = self._sinks[mode].close()
            files += [File(mode, part, part.number if len(parts) > 1 else None) for part in parts]
        return files

    def _add(self, batch: pa.RecordBatch, mode: InboundMode, change: str) -> None:
        if not batch.num_rows:
            return
        names = batch.schema.names
        if "id" in names:
            ids = batch.column("id")
        else:
            words = sorted((name for name in names if re.fullmatch(r"d\d+", name)), key=lambda name: int(name[1:]))
            ids = wire_texts(batch, words, self._look.algorithm, self._look.encoding)
        self._sinks[mode].write(ids, change)

    def _sink(self, directory: Path, mode: InboundMode, limits: Limits | None) -> ParquetParts | TextParts:
        look = self._look
        if look.format == "parquet":
            return ParquetParts(directory, mode, limits=limits)
        if look.format == "csv":
            return TextParts(directory, mode, csv_lines, header=b"id,change\n", gzip=look.gzip, limits=limits)

        def as_lines(ids: pa.Array, change: str) -> Lines:
            return lines(ids, item_of(look.segment, removes=change == _REMOVED, signal=look.signal))

        return TextParts(directory, mode, as_lines, gzip=look.gzip, limits=limits)


def render(
    delivery: Delivery, rows: Sequence[str], removed: Sequence[str], directory: Path, *, limits: Limits | None = None
) -> list[File]:
    """Write the files of a delivery again, from what was written down.

    Args:
        delivery: what it is.
        rows: Parquet files of the rows after it.
        removed: Parquet files of the IDs that leave.
        directory: where to.
        limits: how large a file may become.
    """
    with Rendering(delivery.look, directory, limits=limits) as rendering:
        for batch in batches(rows):
            rendering.rows(batch)
        for batch in batches(removed):
            rendering.removed(batch)
        return rendering.close()


def batches(files: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Give what Parquet files hold, in their order."""
    for file in files:
        with pq.ParquetFile(file) as source:
            wanted = [name for name in source.schema_arrow.names if name not in ("profile_id", "key_version")]
            if "id" in wanted:
                wanted = ["id", "part"]
            yield from source.iter_batches(_BATCH_ROWS, columns=wanted)


def first_name(delivery: Delivery) -> str:
    """Give the name of the file of a delivery, if there is only one."""
    return _name(delivery, "overwrite" if delivery.look.mode is ShareMode.REPLACE else "sync", None)


def _name(delivery: Delivery, mode: InboundMode, split: int | None) -> str:
    look = delivery.look
    folder = day_folder(delivery.stamp) if look.by_day else ""
    if look.format == "inbound":
        packed = "gz" if look.gzip else ""
        name = InboundName(
            dpid=look.dpid, owner=look.owner, timestamp=str(delivery.stamp), mode=mode, split=split, packed=packed
        )
        return folder + name.render()
    part = f".{split}" if split is not None else ""
    return f"{folder}{look.stem}_{delivery.stamp}.{mode}{part}.{look.format}{'.gz' if look.gzip else ''}"
