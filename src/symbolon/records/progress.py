"""Progress as a port: long work reports, a face shows it or does not."""

from __future__ import annotations

from typing import Protocol


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
