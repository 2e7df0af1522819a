"""The local side of every transfer: a target that appears whole, and a source that must not change under our hands."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbolon.errors import SymbolonError, TransportError
from symbolon.transports.errors import SourceChanged, TransportFull
from symbolon.transports.paths import temporary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

#: bytes in memory at once
CHUNK = 1 << 22


@contextlib.contextmanager
def arriving(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file of mode 0600 beside `target`, which becomes `target` when the block ends without a fault.

    Raises:
        TransportFull: our own disk is full.
    """
    part = target.with_name(temporary())
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TransportFull("our own disk is full", hint="free space here, then run it again") from None
        raise
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def leaving(source: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a local file to be sent; give it with its size in bytes.

    The one who sends calls `unchanged` before the sent file gets its name.
    """
    with source.open("rb") as file:
        yield file, os.fstat(file.fileno()).st_size


@dataclass(slots=True)
class Placing:
    """Whether a file that is put may have its final name already, over several attempts."""

    #: the other side was asked to give the name, and has not said that it did not
    asked: bool = False

    @contextlib.contextmanager
    def last_step(self) -> Iterator[None]:
        """Ask for the name. A refusal is an answer: it was not given; a line that broke tells nothing."""
        before, self.asked = self.asked, True
        try:
            yield
        except SymbolonError as error:
            self.asked = before or error.retryable
            raise

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Say with every fault whether the file may be there all the same."""
        try:
            yield
        except TransportError as error:
            error.may_have_arrived = self.asked
            raise


def unchanged(file: BinaryIO, size: int, sent: int) -> None:
    """Make sure that a local file was sent as it was when it was opened.

    Raises:
        SourceChanged: it has grown or shrunk since.
    """
    if not size == sent == os.fstat(file.fileno()).st_size:
        raise SourceChanged("the local file changed while it was sent; nothing was delivered")
