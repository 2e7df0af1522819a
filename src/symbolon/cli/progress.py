"""Progress bars on standard error, where a person reads it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from symbolon.cli.screen import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from symbolon.records.progress import Progress


class BarProgress:
    """Shows one bar for the phase that goes on, and takes it away when it ends."""

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def started(self, what: str, total: int | None = None, unit: str = "bytes") -> None:
        """Show a bar; without a total one that only moves."""
        from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self.finished()
        columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()]
        if total is not None:
            columns.append(DownloadColumn() if unit == "bytes" else MofNCompleteColumn())
        self._bars = Progress(*columns, TimeElapsedColumn(), console=Console(file=sys.stderr), transient=True)
        self._task = self._bars.add_task(what, total=total)
        self._bars.start()

    def advanced(self, amount: int) -> None:
        """Move the bar."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, amount)

    def finished(self) -> None:
        """Take the bar away. May be called twice."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None


def progress_for(*, quiet: bool) -> Progress | None:
    """Give bars if somebody is there to see them."""
    return None if quiet or not is_terminal(sys.stderr) else BarProgress()
