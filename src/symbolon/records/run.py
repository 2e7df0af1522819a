"""A run: one attempt at a piece of work, finished or not."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from enum import StrEnum

import msgspec


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt.

    A run that is still `running` although its process is gone was killed; what it left does not count.
    """

    #: unique, sortable by time
    id: str
    #: what was asked for: `audience import`, `profiles import`, ...
    work: str
    #: the audience or table it works on
    subject: str = ""
    state: RunState = RunState.RUNNING
    pid: int = 0
    started: datetime
    finished: datetime | None = None
    #: code of the error it ended with; empty = none
    error: str = ""

    @classmethod
    def begin(cls, work: str, subject: str = "") -> Run:
        """Begin a run in this process, under a new id that sorts by time."""
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        return cls(id=run_id, work=work, subject=subject, pid=os.getpid(), started=now)
