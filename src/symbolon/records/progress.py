"""Progress as a port: long work reports, a face shows it or does not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress(Protocol):
    """What long work tells while it runs. Calls come from one thread at a time."""

    def started(self, what: str, total: int | None = None, unit: str = "bytes") -> None:
        """A phase begins; `total` in `unit` where it is known."""
        ...

    def advanced(self, amount: int) -> None:
        """`amount` more of the phase's unit is done."""
        ...

    def finished(self) -> None:
        """The phase ended."""
        ...


class NoProgress:
    """Says nothing: the default of every use case."""

    def started(self, what: str, total: int | None = None, unit: str = "bytes") -> None:
        """Ignore the start."""

    def advanced(self, amount: int) -> None:
        """Ignore the advance."""

    def finished(self) -> None:
        """Ignore the end."""


@contextmanager
def stage(progress: Progress, what: str) -> Iterator[None]:
    """Tell that something begins, and that it has ended, however it ends."""
    progress.started(what)
    try:
        yield
    finally:
        progress.finished()
