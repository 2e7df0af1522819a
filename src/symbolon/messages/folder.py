"""A folder that messages are written to, one file each: the sandbox, and what a gateway may read from.

Invariant: a file appears whole, under the token of its message. It is written under a hidden name first and noted as on
its way only then; so after a crash the hidden file tells that the message did not go out, and its absence that it did,
even if somebody has taken the file away since. That holds when a process is killed; when the machine loses its power,
files of the last moments may be lost or written again.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symbolon.errors import SymbolonError
from symbolon.lake.errors import disk_errors
from symbolon.messages.errors import SenderUnreachable
from symbolon.targeting import SENT
from symbolon.transports import Probe, failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from symbolon.messages.message import Message

    _Probes = list[Probe]
_PROBE = ".symbolon-probe"


class FolderOutlet:
    """Writes messages below a folder.

    Args:
        folder: made with mode 0700 where missing; files have mode 0600.
    """

    is_outward = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ready(self, message: Message) -> None:
        """Write the file under its hidden name."""
        self._write(self._part(message.token), message.content)

    def send(self, message: Message) -> str:
        """Give the file its name."""
        with _folder_faults():
            self._part(message.token).rename(self._folder / f"{message.token}{message.ending}")
        return SENT

    def settle(self, token: str) -> str | None:
        """Look whether the hidden file is still there."""
        return None if self._part(token).exists() else SENT

    def check(self) -> _Probes:
        """Write a probe and remove it."""
        path = self._folder / _PROBE
        try:
            self._write(path, b"A probe of Symbolon. It may be deleted.\n")
            path.unlink()
        except SymbolonError as error:
            return [failed("write", error)]
        except OSError as error:
            return [failed("write", SenderUnreachable(f"a file cannot be removed there: {error.strerror}"))]
        return [Probe(step="write", passed=True, detail="a probe was written and removed")]

    def close(self) -> None:
        """Make names last."""
        if self._folder.is_dir():
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _part(self, token: str) -> Path:
        return self._folder / f".{token}.part"

    def _write(self, path: Path, content: bytes) -> None:
        with disk_errors("a message"), _folder_faults():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)


@contextmanager
def _folder_faults() -> Iterator[None]:
    """Tell a fault of the folder as one of the sender; a full disk is told by itself."""
    try:
        yield
    except (PermissionError, FileNotFoundError, NotADirectoryError, FileExistsError) as error:
        raise SenderUnreachable(
            f"the folder of the sender cannot be written to: {error.strerror}",
            hint="the outbox of the project is for its owner alone: look at its mode and its owner",
        ) from None
