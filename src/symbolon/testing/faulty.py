"""A transport that misbehaves as told: for the tests of whoever uses transports.

Invariant: what does not go wrong is done by the transport inside, so that a fault is the only difference.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.transports import RemoteMissing, TransportUnreachable
from symbolon.transports.probing import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbolon.transports import Probe, RemoteFile, Transport

_Files = list["RemoteFile"]
_Probes = list["Probe"]


@dataclass
class Faults:
    """What is to go wrong; each may be changed while the transport is used."""

    #: the next so many calls of a method break: `{"fetch": 2}`; `put` breaks before anything is seen of it
    broken: dict[str, int] = field(default_factory=dict)
    #: the next so many calls of `put` and `move` are done, and then their answer is lost
    lost_answers: int = 0
    #: seconds that each call takes longer
    slow_s: float = 0.0
    #: listings say this many bytes too many (or, below zero, too few)
    size_lie: int = 0
    #: files that are still being written: each listing shows them this many bytes longer than the one before
    growing: dict[str, int] = field(default_factory=dict)
    #: files that are listed, and gone when they are fetched
    vanishing: set[str] = field(default_factory=set)
    #: listings come in another order than by name
    is_disordered: bool = False


class FaultyTransport:
    """A transport around another one, with faults.

    Args:
        inside: what does the work.
        faults: what goes wrong.
        sleep: waits; tests may give their own.

    Example:
        >>> faulty = FaultyTransport(transport)  # doctest: +SKIP
        >>> faulty.faults.broken["fetch"] = 1
    """

    def __init__(
        self, inside: Transport, faults: Faults | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.inside = inside
        self.faults = faults or Faults()
        self.place = inside.place
        #: (method, name) of every call, in order
        self.calls: list[tuple[str, str]] = []
        self._sleep = sleep
        self._grown: dict[str, int] = {}

    def list(
        self, prefix: str = "", pattern: str = "*", *, limit: int = 100_000, without: tuple[str, ...] = ()
    ) -> _Files:
        """Give the files, with sizes that may lie or grow."""
        self._before("list", prefix)
        found = [self._shown(one) for one in self.inside.list(prefix, pattern, limit=limit, without=without)]
        return found[::-1] if self.faults.is_disordered else found

    def stat(self, name: str) -> RemoteFile | None:
        """Give one file, as it is."""
        self._before("stat", name)
        return self.inside.stat(name)

    def fetch(self, name: str, target: Path, *, expected: RemoteFile | None = None) -> RemoteFile:
        """Copy a file, unless it breaks in the middle or has gone; then there is no target."""
        self._before("fetch", name)
        if name in self.faults.vanishing:
            self.inside.delete(name)
            raise RemoteMissing(f"there is no file `{name}`")
        return self.inside.fetch(name, target, expected=expected)

    def put(self, source: Path, name: str, *, overwrite: bool = False, is_spare: bool = False) -> RemoteFile:
        """Copy a local file, unless it breaks."""
        self._before("put", name)
        done = self.inside.put(source, name, overwrite=overwrite, is_spare=is_spare)
        self._after()
        return done

    def move(self, name: str, target: str) -> None:
        """Give a file another name, unless it breaks."""
        self._before("move", name)
        self.inside.move(name, target)
        self._after()

    def delete(self, name: str) -> None:
        """Remove a file, unless it breaks."""
        self._before("delete", name)
        self.inside.delete(name)

    def check(self) -> _Probes:
        """Probe it, with its faults."""
        return probe(self)

    def close(self) -> None:
        """Close what is inside."""
        self.inside.close()

    def _before(self, method: str, name: str) -> None:
        self.calls.append((method, name))
        if self.faults.slow_s:
            self._sleep(self.faults.slow_s)
        left = self.faults.broken.get(method, 0)
        if left > 0:
            self.faults.broken[method] = left - 1
            broken = TransportUnreachable("the connection broke in the middle (a test)")
            broken.may_have_arrived = False
            raise broken

    def _after(self) -> None:
        if self.faults.lost_answers > 0:
            self.faults.lost_answers -= 1
            raise TransportUnreachable("the answer was lost (a test)")

    def _shown(self, file: RemoteFile) -> RemoteFile:
        changes: dict[str, Any] = {}
        size = file.size_bytes + self.faults.size_lie
        if step := self.faults.growing.get(file.name, 0):
            grown = self._grown[file.name] = self._grown.get(file.name, 0) + step
            size += grown
            changes["fingerprint"] = f"{file.fingerprint}+{grown}"
        if size != file.size_bytes:
            changes["size_bytes"] = max(0, size)
        return msgspec.structs.replace(file, **changes) if changes else file
