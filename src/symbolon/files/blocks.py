"""From a path to blocks of whole lines, in bounded memory.

Invariants: the blocks of a stream are its bytes, without a byte order mark, cut only after line ends, and a line longer
than allowed is taken out whole, its first bytes kept for the rejected record; so memory holds one block and one line,
and where the blocks are cut never shows in a result. A compressed file is read to its verified end or not at all.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from isal import igzip_threaded, isal_zlib

from symbolon.errors import Location
from symbolon.files.errors import FileCut, FileKindError, FileMissing, FileTooLarge, FileUnreadable
from symbolon.files.kinds import GZIP, HEAD_BYTES, UTF8_BOM, refuse_other_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

#: a line may have this many bytes, without its end
MAX_LINE_BYTES = 102_400
#: what a rejected record keeps of its line
KEPT_BYTES = 256
#: bytes of a block: large enough for columns to pay, small enough to stay near the processor
BLOCK_BYTES = 8 << 20

#: what a compressed file may unpack to, if the caller does not say
MAX_UNPACKED_BYTES = 5 << 30
#: what a caller may allow at most
UNPACKED_CEILING_BYTES = 64 << 30
#: how many times its size a compressed file may unpack to. Digests compress to half, lists of segments to a
#: twentieth, and deflate reaches 1,032
MAX_UNPACK_RATIO = 200
#: below this size a ratio says nothing
RATIO_FROM_BYTES = 64 << 20


_GZIP_FAULTS = (EOFError, cast("type[Exception]", isal_zlib.error), OSError)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that could not be read. Lines count from 0 in a block, from 1 in a file."""

    line: int
    #: one of `records.REJECT_REASONS`
    reason: str
    #: the first bytes of the line as it came, at most 256; never shown by `repr`
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a stream."""

    #: the lines; each ends with `\\n` except perhaps the last of the stream. A line that was taken out is empty here
    data: bytes = field(repr=False)
    #: which block of the stream, from 0
    number: int
    #: lines that were too long to be kept: (line in the block, its first bytes)
    cut: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)


def check_regular(path: Path, name: str | None = None) -> os.stat_result:
    """Give the facts of a regular file.

    Raises:
        FileMissing: there is none.
        FileKindError: it is a folder, a pipe, a socket or a device.
        FileUnreadable: the system refuses.
    """
    shown = name or str(path)
    where = Location(shown)
    with _os_errors(shown):
        facts = path.stat()
    if stat.S_ISREG(facts.st_mode):
        return facts
    if stat.S_ISDIR(facts.st_mode):
        raise FileKindError("this is a folder, not a file", where=where, hint="name the files in it")
    raise FileKindError(
        "this is not a regular file (a pipe, a socket or a device)",
        where=where,
        hint="read from standard input with `-`, or write the content to a file first",
    )


def open_bytes(
    source: Path | BinaryIO,
    *,
    name: str | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
    max_ratio: float = MAX_UNPACK_RATIO,
) -> BinaryIO:
    """Open a file of lines for streaming, unpacked if it is gzip by its first bytes, whatever its name.

    Args:
        source: a path, or a binary stream (not closed here).
        name: what to call it in messages; by default the path.
        max_unpacked_bytes: what a compressed file may unpack to, at most 64 GiB.
        max_ratio: how many times its compressed size it may unpack to, once beyond 64 MiB.

    Raises:
        FileMissing, FileUnreadable, FileKindError, FileEmpty: it is no readable file of lines.
        FileCut, FileTooLarge: here or while reading: damaged, or larger than allowed.
    """
    ceiling = min(max_unpacked_bytes, UNPACKED_CEILING_BYTES)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        shown = name or str(path)
        check_regular(path, shown)
        with _os_errors(shown):
            raw: Any = path.open("rb", buffering=0)
        owned = True
    else:
        shown, raw, owned = name or str(getattr(source, "name", "-")), source, False
    stream: Any = None
    try:
        stream = _Guarded(raw, shown, owned=owned, ceiling=ceiling, max_ratio=max_ratio)
        refuse_other_kinds(stream.head, shown)
    except BaseException:
        if stream is not None:
            stream.close()
        elif owned:
            raw.close()
        raise
    return cast("BinaryIO", stream)


def blocks(stream: BinaryIO, *, size: int = BLOCK_BYTES, max_line: int = MAX_LINE_BYTES) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines.

    A byte order mark at the start is dropped. A line that turns out too long while it is read is taken out, so memory
    never holds more than a block and a line; `parse_rows` rejects those that fit into a block just the same.

    Args:
        stream: what `open_bytes` gave, or any binary stream.
        size: bytes to read at a time.
        max_line: bytes of the longest line that is kept; at least 256.
    """
    cutter = _Cutter(max(max_line, KEPT_BYTES))
    for chunk in _chunks(stream, size):
        block = cutter.feed(chunk)
        if block is not None:
            yield block
    block = cutter.finish()
    if block is not None:
        yield block


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Read to the end, without a byte order mark at the start."""
    start = b""
    while len(start) < len(UTF8_BOM) and (more := stream.read(size)):
        start += more
    if start := start.removeprefix(UTF8_BOM):
        yield start
    while chunk := stream.read(size):
        yield chunk


class _Cutter:
    """Puts chunks together to blocks that end with a line, and takes out lines that are too long."""

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._number = 0
        self._carry = b""
        self._cut: tuple[tuple[int, bytes], ...] = ()
        self._skipping = False

    def feed(self, chunk: bytes) -> Block | None:
        """Take a chunk; give the lines that are complete."""
        if self._skipping:
            end = chunk.find(b"\n")
            if end < 0:
                return None
            chunk, self._skipping = chunk[end:], False  # the line's place is kept by an empty line
        end = chunk.rfind(b"\n")
        block = None
        if end >= 0:
            block = self._block(b"".join((self._carry, memoryview(chunk)[: end + 1])))
            self._carry = chunk[end + 1 :]
        else:
            self._carry += chunk
        if len(self._carry) > self._max_line + 1:  # one more for the `\r` of a line end that may follow
            self._cut = ((0, self._carry[:KEPT_BYTES]),)
            self._carry, self._skipping = b"", True
        return block

    def finish(self) -> Block | None:
        """Give the last line, where it has no end."""
        if self._skipping:
            return self._block(b"\n")
        return self._block(self._carry) if self._carry else None

    def _block(self, data: bytes) -> Block:
        block = Block(data, self._number, self._cut)
        self._number, self._cut = self._number + 1, ()
        return block


class _Guarded(io.RawIOBase):
    """A stream that unpacks, counts, and words the faults of what lies below it."""

    def __init__(self, raw: Any, name: str, *, owned: bool, ceiling: int, max_ratio: float) -> None:
        self._name, self._where = name, Location(name)
        self._raw, self._owned = raw, owned
        self._ceiling, self._max_ratio = ceiling, max_ratio
        self._source = _Counted(raw)
        self._unpacked = 0
        self._unpacker: Any = None
        with _os_errors(name):
            start = self._source.peek(len(GZIP))
        if start.startswith(GZIP):
            self._unpacker = igzip_threaded.open(self._source, "rb", threads=1, block_size=1 << 20)
        #: the first bytes, not consumed
        self.head = self._pending = b""
        try:
            self.head = self._pending = self._fill(HEAD_BYTES)
        except BaseException:
            self.close()  # the unpacking goes on in a thread of its own otherwise
            raise

    def readable(self) -> bool:
        return True

    @property
    def is_compressed(self) -> bool:
        """Whether the content was gzip."""
        return self._unpacker is not None

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if self._pending:
            given, self._pending = self._pending[:size], self._pending[size:]
            if len(given) < size:
                given += self._fill(size - len(given))
            return given
        return self._fill(size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if self.closed:
            return
        try:
            if self._unpacker is not None:
                self._unpacker.close()
        finally:
            if self._owned:
                self._raw.close()
            super().close()

    def _fill(self, size: int) -> bytes:
        """Read until `size` bytes are there or the end is: pipes and unpackers give less than they are asked for."""
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            part = self._some(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, size: int) -> bytes:
        if self._unpacker is None:
            with _os_errors(self._name):
                return self._source.read(size)
        try:
            data: bytes = self._unpacker.read(size)
        except _GZIP_FAULTS as error:
            if isinstance(error, OSError) and error.errno:
                with _os_errors(self._name):
                    raise
            raise FileCut(
                "the gzip file is cut off or damaged; nothing of it is used",
                where=self._where,
                details={"readable_bytes": self._unpacked},
            ) from error
        self._unpacked += len(data)
        if self._unpacked > self._ceiling:
            raise FileTooLarge(f"the gzip file unpacks to more than {self._ceiling:,} bytes", where=self._where)
        if self._unpacked > RATIO_FROM_BYTES and self._unpacked > self._max_ratio * self._source.count:
            raise FileTooLarge(
                f"the gzip file unpacks to more than {self._max_ratio:g} times its size, as no list of IDs does",
                where=self._where,
            )
        return data


class _Counted:
    """Counts what is read from the stream below, and lets one look at its first bytes."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._ahead = b""
        self.count = 0

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (part := self._raw.read(size - len(self._ahead))):
            self._ahead += part
            self.count += len(part)
        return self._ahead

    def read(self, size: int = -1) -> bytes:
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            if size >= 0:
                ahead, self._ahead = ahead[:size], ahead[size:]
            return ahead
        data: bytes = self._raw.read(size) or b""
        self.count += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _os_errors(name: str) -> Iterator[None]:
    """Word what the system says about a file."""
    where = Location(name)
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileMissing("there is no such file", where=where) from error
    except IsADirectoryError as error:
        raise FileKindError("this is a folder, not a file", where=where, hint="name the files in it") from error
    except PermissionError as error:
        raise FileUnreadable("the file may not be read: permission denied", where=where) from error
    except (OSError, ValueError) as error:
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "its path is not possible"
        raise FileUnreadable(f"the file cannot be read: {said}", where=where) from error
