"""A run: one attempt at a piece of work, finished or not."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"  #: waits for another run of the same workflow
    RUNNING = "running"
    PAUSED = "paused"  #: by a person, or by an error; goes on when resumed
    STOPPED = "stopped"  #: by a person; does not go on
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows any more."""
        return self in (RunState.STOPPED, RunState.DONE, RunState.FAILED)


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
    #: name and version of the workflow that is run; empty and 0 for other work
    workflow: str = ""
    workflow_version: int = 0
    #: what else is known, as JSON-able values: parameters, what a person asked for (`pause`, `stop`), error text
    facts: dict[str, Any] = {}

    @classmethod
    def begin(cls, work: str, subject: str = "") -> Run:
        """Begin a run in this process, under a new id that sorts by time."""
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        return cls(id=run_id, work=work, subject=subject, pid=os.getpid(), started=now)


class StepState(StrEnum):
    """Where a step of a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"  #: on a branch that was not taken
    FAILED = "failed"


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run: an activity of a workflow."""

    run_id: str
    #: id of the activity
    step: str
    state: StepState = StepState.RUNNING
    #: from 1; grows when the step is done again after a crash or a restart
    attempt: int = 1
    started: datetime | None = None
    finished: datetime | None = None
    #: code of the error it ended with; empty = none
    error: str = ""
    #: what it gave, as JSON-able values: counts by transition, where materialised rows are, receipts. Never rows
    facts: dict[str, Any] = {}
