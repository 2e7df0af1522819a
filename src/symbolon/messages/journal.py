"""What happens to messages between two commits of the log: a file that a killed process leaves as it was.

    @12              the version of the log that the lines below are not in yet
    +7 <token>       the message of profile 7 goes on its way now
    =7 sent          what became of it
    -7               it did not go on its way after all

Invariant: a line counts when it is whole, and outlasts its process. Where it must outlast the machine (`lasting`),
`begin` returns when it does; the outcome of one message is made to last together with the beginning of the next one.
Once the log has a later version than the file says, everything in the file is in the log.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from symbolon.lake.errors import disk_errors

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Journal:
    """The journal of one delivery.

    Args:
        path: the file; made with mode 0600 where missing, in a folder that is there.
        lasting: whether it must outlast the machine, line by line.
    """

    def __init__(self, path: Path, *, lasting: bool) -> None:
        self._path = path
        self._lasting = lasting
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def restart(self, version: int) -> None:
        """Empty it: everything is in this version of the log."""
        os.ftruncate(self._descriptor, 0)
        self._add(f"@{version}\n")
        self._last()

    def begin(self, profile: int, token: str) -> None:
        """Note that a message goes on its way now."""
        self._add(f"+{profile} {token}\n")
        if self._lasting:
            self._last()

    def end(self, profile: int, outcome: str) -> None:
        """Note what became of it."""
        self._add(f"={profile} {outcome}\n")

    def take_back(self, profile: int) -> None:
        """Note that it did not go on its way."""
        self._add(f"-{profile}\n")

    def read(self, version: int) -> tuple[dict[int, str], tuple[int, str] | None]:
        """Give what is not in the log yet.

        Args:
            version: that the log has.

        Returns:
            Outcomes by profile, and the message (profile, token) that was on its way when the last process died.
        """
        lines = self._path.read_text(encoding="ascii", errors="replace").split("\n")[:-1]
        if not lines or lines[0] != f"@{version}":
            return {}, None
        outcomes: dict[int, str] = {}
        flying: tuple[int, str] | None = None
        for line in lines[1:]:
            profile, _, rest = line[1:].partition(" ")
            if line[0] == "+":
                flying = (int(profile), rest)
                continue
            flying = None
            if line[0] == "=":
                outcomes[int(profile)] = rest
        return outcomes, flying

    def _add(self, line: str) -> None:
        with disk_errors("the journal of a delivery"):
            os.write(self._descriptor, line.encode("ascii"))

    def _last(self) -> None:
        with disk_errors("the journal of a delivery"):
            os.fdatasync(self._descriptor)
