"""Files that are written a column at a time and split where they would become too large.

Invariants: a file that has no record is never made; a line is never cut; the same rows make the same bytes, so that a
delivery that was broken off can be done again and compared. The files are whole when `close` has given them.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pyarrow as pa

from symbolon.files.inbound import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.files.inbound import Lines

#: text is handed to the compressor in pieces of this size, so that a file's limit holds
_PIECE = 4 << 20
#: what gzip may need more than it was given: headers, blocks that do not shrink, what is flushed between pieces
_GZIP_SLACK = 1 << 10
#: a file is brought to the disk in steps of this size while it is written
_FLUSHED = 16 << 20
#: pieces that may wait for being written
_AHEAD = 4
_PARQUET_ROWS = 122_880


@dataclass(frozen=True, slots=True)
class Part:
    """One file that was written."""

    path: Path
    records: int
    size_bytes: int
    #: from 1
    number: int


class Parts(Protocol):
    """Takes columns of IDs, gives files."""

    def write(self, ids: pa.Array, change: str) -> None:
        """Add records; `change` is `added` or `removed`."""
        ...

    def close(self) -> list[Part]:
        """Finish and give the files."""
        ...


class TextParts:
    """Files of lines.

    Args:
        folder: where they are made, with mode 0600.
        stem: beginning of their names there.
        render: from IDs and what becomes of them to lines.
        header: first line of each file.
        gzip: whether they are compressed.
        limits: how large one may become.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        render: Callable[[pa.Array, str], Lines],
        *,
        header: bytes = b"",
        gzip: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._folder, self._stem, self._render = folder, stem, render
        self._header, self._gzip = header, gzip
        sizes = limits or Limits()
        self._limit = sizes.gzip if gzip else sizes.plain
        self._done: list[Part] = []
        self._file: _Text | None = None
        self._rest: Lines = (np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.abandon()

    def write(self, ids: pa.Array, change: str) -> None:
        """Add the lines of a column of IDs, splitting where a file is full."""
        data, offsets = self._render(ids, change)
        rest, borders = self._rest
        if len(borders) > 1:
            data = np.concatenate([rest, data])
            offsets = np.concatenate([borders[:-1], offsets + borders[-1]])
        self._rest = self._written(data, offsets, _PIECE if self._gzip else 0)

    def close(self) -> list[Part]:
        """Finish and give the files; none where there were no records."""
        self._rest = self._written(*self._rest, 0)
        if self._file is not None:
            self._finish()
        return self._done

    def _written(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], left: int) -> Lines:
        """Write lines in pieces as large as they may be, until at most `left` bytes are left; give these.

        So a piece ends where it ends, however the lines were handed over, and the compressor gives the same bytes;
        without one nothing needs to be left.
        """
        start, count = 0, len(offsets) - 1
        while start < count and offsets[-1] - offsets[start] > left:
            room = min(self._open().room(self._limit), _PIECE)
            end = int(np.searchsorted(offsets, offsets[start] + room, side="right")) - 1
            if end <= start:
                if self._open().records:
                    self._finish()
                    continue
                end = start + 1  # a line larger than a file may be: nothing smaller can be written
            self._open().write(data[offsets[start] : offsets[end]], end - start)
            start = end
        return data[offsets[start] :], offsets[start:] - offsets[start]

    def _open(self) -> _Text:
        if self._file is None:
            number = len(self._done) + 1
            self._file = _Text(self._folder / f"{self._stem}.{number}", number, self._header, gzip=self._gzip)
        return self._file

    def _finish(self) -> None:
        assert self._file is not None  # noqa: S101 - callers look
        self._done.append(self._file.close())
        self._file = None


class _Text:
    """One file of lines under way."""

    def __init__(self, path: Path, number: int, header: bytes, *, gzip: bool) -> None:
        self._path, self._number = path, number
        self.records = 0
        self._size = 0
        self._packer: Any = None
        self._file = _Behind(path)
        if gzip:
            from isal import isal_zlib  # noqa: PLC0415

            # a header without time and name: the same rows make the same bytes
            self._flush = isal_zlib.Z_SYNC_FLUSH
            self._packer = isal_zlib.compressobj(level=1, wbits=31)
        self._put(header)

    def room(self, limit: int) -> int:
        """Say how many bytes of lines surely fit."""
        return limit - self._size - (_GZIP_SLACK if self._packer is not None else 0)

    def write(self, data: NDArray[np.uint8], records: int) -> None:
        self._put(data)
        self.records += records

    def close(self) -> Part:
        if self._packer is not None:
            self._add(self._packer.flush())
        self._file.close()
        return Part(self._path, self.records, self._size, self._number)

    def abandon(self) -> None:
        with suppress(OSError):
            self._file.close()

    def _put(self, data: NDArray[np.uint8] | bytes) -> None:
        if not len(data):
            return
        if self._packer is not None:
            data = self._packer.compress(np.ascontiguousarray(data) if not isinstance(data, bytes) else data)
            data += self._packer.flush(self._flush)
        self._add(data if isinstance(data, bytes) else np.ascontiguousarray(data).data)

    def _add(self, data: bytes | memoryview) -> None:
        self._size += len(data)
        self._file.write(data)


class _Behind:
    """A file that is written, and brought to the disk, behind the back of whoever makes its bytes.

    So whoever flushes it at its end has little to wait for. What the disk refuses is raised by a later call.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self._writer, self._flusher = ThreadPoolExecutor(1, "write"), ThreadPoolExecutor(1, "flush")
        self._waiting: deque[Future[None]] = deque()
        self._step: Future[None] | None = None
        self._written = self._asked = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes, which nobody changes any more."""
        while len(self._waiting) >= _AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._writer.submit(self._write, memoryview(data)))

    def close(self) -> None:
        """Wait until all is written. May be called again."""
        if self._file.closed:
            return
        with self._file, self._flusher, self._writer:
            while self._waiting:
                self._waiting.popleft().result()
            if self._step is not None:
                self._step.result()

    def _write(self, left: memoryview) -> None:
        self._written += len(left)
        while left:
            left = left[self._file.write(left) :]
        if self._written - self._asked < _FLUSHED or (self._step is not None and not self._step.done()):
            return
        if self._step is not None:
            self._step.result()  # the system tells of a fault only once
        self._asked = self._written
        self._step = self._flusher.submit(os.fsync, self._file.fileno())


class ParquetParts:
    """Parquet files with columns `id` and `change`.

    Args:
        folder: where they are made.
        stem: beginning of their names there.
        limits: how large one may become, as its values, uncompressed.
    """

    _SCHEMA = pa.schema([("id", pa.string()), ("change", pa.string())])

    def __init__(self, folder: Path, stem: str, *, limits: Limits | None = None) -> None:
        self._folder, self._stem = folder, stem
        self._limit = (limits or Limits()).plain
        self._done: list[Part] = []
        self._writer: Any = None
        self._sink: Any = None
        self._records = self._bytes = 0
        self._waiting: list[pa.Array] = []
        self._change = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._sink is not None:
            self._sink.close()

    def write(self, ids: pa.Array, change: str) -> None:
        """Add the rows of a column of IDs."""
        if change != self._change:
            self._flush(1)
            self._change = change
        self._waiting.append(ids)
        self._flush(_PARQUET_ROWS)

    def close(self) -> list[Part]:
        """Finish and give the files; none where there were no records."""
        self._flush(1)
        if self._writer is not None:
            self._finish()
        return self._done

    def _flush(self, least: int) -> None:
        """Write row groups of one size, until fewer rows are left than `least`, however they were handed over."""
        if sum(map(len, self._waiting)) < least:
            return
        whole = pa.concat_arrays(self._waiting)
        start = 0
        while len(whole) - start >= least:
            self._group(whole.slice(start, _PARQUET_ROWS))
            start += _PARQUET_ROWS
        self._waiting = [whole.slice(start)] if start < len(whole) else []

    def _group(self, some: pa.Array) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

        if self._writer is not None and self._bytes + some.nbytes > self._limit:
            self._finish()
        if self._writer is None:
            path = self._path
            path.touch(mode=0o600, exist_ok=False)
            self._sink = pa.OSFile(str(path), "wb")
            self._writer = pq.ParquetWriter(self._sink, self._SCHEMA, compression="zstd")
        zeros = pa.nulls(len(some), pa.int8()).fill_null(0)
        changes = pa.DictionaryArray.from_arrays(zeros, pa.array([self._change])).cast(pa.string())
        self._writer.write_batch(pa.record_batch([some, changes], schema=self._SCHEMA))
        self._records += len(some)
        self._bytes += some.nbytes

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._stem}.{len(self._done) + 1}"

    def _finish(self) -> None:
        path = self._path
        self._writer.close()
        self._sink.close()
        self._done.append(Part(path, self._records, path.stat().st_size, len(self._done) + 1))
        self._writer = self._sink = None
        self._records = self._bytes = 0
