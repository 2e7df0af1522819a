"""Durable runs: work that goes on after its process died.

Invariant: a run is executed by one process, which proves that it lives by a lock of the operating system. Only a run
whose lock is free is adopted, and only by somebody who asks for it: to resume, or to recover as a worker. Whoever only
looks launches nothing.

How DBOS is held (ADR 0007): an executor id for each process, one pinned application version, and a queue of its own for
what a process adopts, so that no other process that happens to run takes it away.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbolon.errors import InternalError, UnknownNameError
from symbolon.runs.alive import Executor, in_turn
from symbolon.runs.errors import RunAlive, RunStopped
from symbolon.runs.status import Execution, RunStatus, StatusReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from symbolon.runs.steps import Steps
    from symbolon.settings import Settings

    Work = Callable[[Steps, dict[str, Any]], dict[str, Any]]

_VERSION = "symbolon-1"
#: how often a process that waits looks whether somebody else ended the run, in seconds
_LOOK_S = 0.2
#: DBOS is one for a process: so are the pieces of work that it may execute
_works: dict[str, Work] = {}
_failures: dict[str, BaseException] = {}
_lock = threading.RLock()


class Runs:
    """Executes named pieces of work durably.

    Args:
        settings: of the project; the runs are kept in `runs.db` in its folder, or in its PostgreSQL.
        works: name -> function of the steps and an argument of JSON values.
    """

    def __init__(self, settings: Settings, works: Mapping[str, Work]) -> None:
        self._works = dict(works)
        self._folder = settings.locks_dir
        self._url, self._schema = _database(settings)
        self._file = Path(settings.project) / "runs.db"
        self._executor: Executor | None = None
        self._instance: Any = None
        self._reader = StatusReader(self._url, self._schema, str(self._folder))

    def execute(self, work: str, run_id: str, argument: dict[str, Any], *, queue: str | None = None) -> dict[str, Any]:
        """Execute a piece of work in this process, and wait for its end.

        Args:
            work: its name.
            run_id: of the run; the same id again gives what it gave.
            argument: small JSON values.
            queue: pieces of work with the same queue are executed one after the other, also across processes.

        Raises:
            RunAlive: the run goes on in another process.
            RunStopped: it was cancelled.
        """
        if queue is None:
            return self._execute(work, run_id, argument)
        with in_turn(self._folder, queue):
            return self._execute(work, run_id, argument)

    def turn(self, queue: str, *, wait: bool) -> AbstractContextManager[bool]:
        """Hold a queue of one, also across processes; gives whether it is held, which it always is after waiting."""
        return in_turn(self._folder, queue, wait=wait)

    def resume(self, run_id: str) -> dict[str, Any]:
        """Adopt a run whose process is dead, and wait for its end.

        Raises:
            UnknownNameError: it was never begun.
            RunAlive: its process lives.
        """
        status = self.status(run_id)
        if status is None:
            raise UnknownNameError.among("execution", run_id, [one.run_id for one in self._reader.going(20)])
        if status.state is Execution.GOING:
            self._adopt(status)
        return self._waited(run_id)

    def recover(self) -> list[str]:
        """Adopt all runs of dead processes; give their ids. They go on beside the caller."""
        adopted = []
        for status in self._reader.going():
            if not status.alive:
                self._adopt(status)
                adopted.append(status.run_id)
        return adopted

    def signal(self, run_id: str, topic: str, payload: dict[str, Any]) -> None:
        """Send a signal to a run, from any process."""
        self._dbos().send(run_id, payload, topic)

    def wake(self, run_id: str, topic: str) -> None:
        """Let a run not wait any more, for a signal or for a moment: what it waits in raises `RunStopped`."""
        from symbolon.runs.steps import CLOCK, WAKE  # noqa: PLC0415 - heavy

        for one in (topic, CLOCK):
            self._dbos().send(run_id, WAKE, one)

    def cancel(self, run_id: str) -> None:
        """Let a run not go on at its next step, in whatever process it is."""
        self._dbos().cancel_workflow(run_id)

    def status(self, run_id: str) -> RunStatus | None:
        """Give where a run stands; None if it was never begun. Reads only."""
        return self._reader.status(run_id)

    def going(self) -> list[RunStatus]:
        """Give the runs that have not ended, the oldest first. Reads only."""
        return self._reader.going()

    def close(self) -> None:
        """Let go of the database and say that this process executes nothing any more. May be called twice."""
        if self._executor is None:
            return
        from dbos import DBOS  # noqa: PLC0415 - heavy

        with _lock:
            DBOS.destroy(destroy_registry=False)
            for name in self._works:
                _works.pop(name, None)
            self._executor.close()
            self._executor = None

    def _execute(self, work: str, run_id: str, argument: dict[str, Any]) -> dict[str, Any]:
        if work not in self._works:
            raise InternalError(f"there is no work `{work}`")
        status = self.status(run_id)
        if status is not None and status.state is Execution.GOING:
            self._adopt(status)
        elif status is None:
            from dbos import SetWorkflowID  # noqa: PLC0415 - heavy

            dbos = self._dbos()
            with SetWorkflowID(run_id):
                dbos.start_workflow(_entry(), work, run_id, argument)
        return self._waited(run_id)

    def _adopt(self, status: RunStatus) -> None:
        """Take over a run whose process is dead: into the queue that only this process looks at."""
        own = self._executor is not None and status.executor == self._executor.id
        if status.alive and not own:
            raise RunAlive(f"run {status.run_id} goes on in process {status.executor.partition('-')[0]}")
        if not own:
            self._dbos()
            assert self._executor is not None  # noqa: S101 - launched
            queue = f"own-{self._executor.id}"
            self._instance._sys_db.reenqueue_for_recovery(  # noqa: SLF001 - see ADR 0007
                status.run_id, [status.executor], queue
            )

    def _waited(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run of this process."""
        handle = self._dbos().retrieve_workflow(run_id)
        try:
            result = handle.get_result(polling_interval_sec=_LOOK_S)
        except BaseException as error:
            known = _failures.pop(run_id, None)
            if known is not None:
                raise known from None
            status = self.status(run_id)
            if status is not None and status.state is Execution.CANCELLED:
                raise RunStopped(f"run {run_id} was cancelled") from None
            raise error from None
        return result if isinstance(result, dict) else {}

    def _dbos(self) -> Any:
        """Launch DBOS, once."""
        from dbos import DBOS  # noqa: PLC0415 - heavy

        with _lock:
            if self._executor is not None:
                return DBOS
            from symbolon.runs.encoding import JsonSerializer  # noqa: PLC0415 - heavy

            self._executor = Executor(self._folder)
            _works.update(self._works)
            _entry()
            if self._schema is None and not self._file.exists():
                self._file.touch(mode=0o600)
            _quiet()
            self._instance = DBOS(
                config={
                    "name": "symbolon",
                    "system_database_url": self._url,
                    "dbos_system_schema": "dbos",
                    "application_version": _VERSION,
                    "executor_id": self._executor.id,
                    "log_level": "CRITICAL",
                    "console_log_level": "CRITICAL",
                    "enable_otlp": False,
                    "use_listen_notify": False,
                    "notification_listener_polling_interval_sec": _LOOK_S,
                    "serializer": JsonSerializer(),
                }
            )
            self._instance._registry._register_internal_queue(f"own-{self._executor.id}")  # noqa: SLF001 - see ADR 0007
            DBOS.launch()
            return DBOS


_entries: list[Any] = []


def _entry() -> Any:
    """Give the one function that DBOS knows: it looks up the piece of work by its name."""
    if not _entries:
        from dbos import DBOS  # noqa: PLC0415 - heavy

        from symbolon.runs.steps import DurableSteps  # noqa: PLC0415

        @DBOS.workflow(name="symbolon")
        def execute(work: str, run_id: str, argument: dict[str, Any]) -> dict[str, Any]:
            try:
                return _works[work](DurableSteps(run_id), argument)
            except Exception as error:
                _failures[run_id] = error
                raise

        _entries.append(execute)
    return _entries[0]


def _quiet() -> None:
    """Keep DBOS from printing: its messages may hold arguments, and standard error belongs to the face."""
    logger = logging.getLogger("dbos")
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False


def _database(settings: Settings) -> tuple[str, str | None]:
    """Give the URL of the database of runs, and the schema of its tables."""
    if settings.store_url.startswith("postgresql"):
        return settings.store_url, "dbos"
    return f"sqlite:///{settings.project / 'runs.db'}", None
