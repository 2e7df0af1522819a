"""What can go wrong with durable runs."""

from __future__ import annotations

from symbolon.errors import ConflictError, EngineError


class RunAlive(ConflictError):
    """The run goes on in a process that lives: nobody else may go on with it."""

    code = "run.alive"
    retryable = False
    default_hint = "wait for it, or pause or cancel it: symbolon run pause RUN"


class RunStopped(ConflictError):
    """The run was cancelled while it went on."""

    code = "run.cancelled"
    retryable = False
    default_hint = "symbolon workflow restart RUN --from ACTIVITY does parts again"


class StepLost(EngineError):
    """A step had failed before the process died, and what it failed with is not known any more."""

    code = "run.step_lost"
    default_hint = "resume the run: the step is done again"
