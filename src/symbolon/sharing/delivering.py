"""A delivery as files: rendered from what was written down, and put where they go.

Invariant: the same delivery makes the same files with the same names, whoever renders them and how often. A file that
is there already with the size that it should have was delivered before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from symbolon.errors import TransportError
from symbolon.files.inbound import Limits, csv_lines, item_of, lines
from symbolon.files.inboundnames import InboundName, day_folder
from symbolon.files.parts import ParquetParts, TextParts
from symbolon.sharing import delta
from symbolon.sharing.identifying import wire_texts
from symbolon.targeting import ShareMode
from symbolon.transports import RemoteExists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from symbolon.files.inbound import Lines
    from symbolon.files.inboundnames import InboundMode
    from symbolon.files.parts import Part
    from symbolon.sharing.shares import Delivery, Look
    from symbolon.transports.transport import Transport

_BATCH_ROWS = 131_072
_ADDED, _REMOVED = "added", "removed"


class NotDelivered(Exception):
    """It failed, and it is sure that nothing has arrived; the error is the cause."""


class File:
    """A file of a delivery, rendered."""

    def __init__(self, name: str, part: Part) -> None:
        self.name, self.part = name, part

    def told(self) -> dict[str, object]:
        """Give what a receipt tells of it."""
        return {"name": self.name, "records": self.part.records, "bytes": self.part.size_bytes}


def render(
    delivery: Delivery, rows: Sequence[str], removed: Sequence[str], directory: Path, *, limits: Limits | None = None
) -> list[File]:
    """Write the files of a delivery into a directory.

    Args:
        delivery: what it is.
        rows: Parquet files of the rows after it.
        removed: Parquet files of the IDs that leave.
        directory: where to.
        limits: how large a file may become.
    """
    look = delivery.look
    least = int(delta.least_sent(look.mode))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if look.mode is ShareMode.REPLACE:
        # `.overwrite` says nothing of those whom it does not name: who left needs a line of `.sync`
        return [
            *_rendered(delivery, directory, "overwrite", [(rows, least, _ADDED)], limits),
            *_rendered(delivery, directory, "sync", [(removed, 0, _REMOVED)], limits),
        ]
    return _rendered(delivery, directory, "sync", [(rows, least, _ADDED), (removed, 0, _REMOVED)], limits)


def _rendered(
    delivery: Delivery,
    directory: Path,
    mode: InboundMode,
    content: Sequence[tuple[Sequence[str], int, str]],
    limits: Limits | None,
) -> list[File]:
    look = delivery.look

    def as_lines(ids: pa.Array, change: str) -> Lines:
        if look.format == "csv":
            return csv_lines(ids, change)
        return lines(ids, item_of(look.segment, removes=change == _REMOVED, signal=look.signal))

    header = b"id,change\n" if look.format == "csv" else b""
    if look.format == "parquet":
        sink: ParquetParts | TextParts = ParquetParts(directory, mode, limits=limits)
    else:
        sink = TextParts(directory, mode, as_lines, header=header, gzip=look.gzip, limits=limits)
    with sink:
        for files, least, change in content:
            for ids in _ids(files, look, least):
                sink.write(ids, change)
        parts = sink.close()
    return [File(_name(delivery, mode, part.number if len(parts) > 1 else None), part) for part in parts]


def _ids(files: Sequence[str], look: Look, least: int) -> Iterator[pa.Array]:
    """Give the IDs of rows as they stand on the wire, in the order of the files."""
    for file in files:
        with pq.ParquetFile(file) as source:
            known = source.schema_arrow.names
            words = sorted((name for name in known if re.fullmatch(r"d\d+", name)), key=lambda name: int(name[1:]))
            wanted = ["id"] if "id" in known else words
            for batch in source.iter_batches(_BATCH_ROWS, columns=[*wanted, "part"]):
                sent = pc.greater_equal(batch.column("part"), least)
                some = batch if pc.all(sent).as_py() else batch.filter(sent)
                if some.num_rows:
                    texts = "id" in known
                    yield some.column("id") if texts else wire_texts(some, words, look.algorithm, look.encoding)


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


def first_name(delivery: Delivery) -> str:
    """Give the name of the file of a delivery if there is only one."""
    return _name(delivery, "overwrite" if delivery.look.mode is ShareMode.REPLACE else "sync", None)


def put(files: Sequence[File], transport: Transport) -> None:
    """Put files where they go; those that are there already are left alone.

    Raises:
        NotDelivered: it failed, and nothing has arrived.
        TransportError: it failed, and some may have arrived.
    """
    for place, file in enumerate(files):
        try:
            _put(file, transport)
        except TransportError as error:
            if place == 0 and _absent(file, transport):
                raise NotDelivered from error
            raise


def _put(file: File, transport: Transport) -> None:
    try:
        transport.put(file.part.path, file.name)
    except RemoteExists:
        there = transport.stat(file.name)
        if there is None or there.size_bytes != file.part.size_bytes:
            raise


def _absent(file: File, transport: Transport) -> bool:
    try:
        return transport.stat(file.name) is None
    except TransportError:
        return False
