"""What an application does at this moment, as its own page tells it, and a worker that dies in the middle of it.

The page (`spark.ui.port`) is the driver's: in the command's process on a cluster, in the server's with Connect.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from spark_cluster import fetch_json, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from spark_cluster import Cluster, Worker

#: Spark brings its page up to date every tenth of a second
_SETTLED_S = 1.0


@dataclass(frozen=True)
class Kill:
    """A worker that was killed with tasks in flight."""

    worker: str
    executor: str
    tasks: int


class Application:
    """The application whose page is on a port of loopback."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}/api/v1/applications"

    def executors(self) -> dict[str, dict[str, Any]]:
        """Give the living executors by Spark's number of them; the driver is none. Empty while there is no page."""
        return {row["id"]: row for row in self._ask("executors") if row["id"] != "driver"}

    def tasks(self, executor: str) -> int:
        """Give how many tasks of an executor are in flight."""
        return int(self.executors().get(executor, {}).get("activeTasks", 0))

    def wait_for_task(self, running: Callable[[], bool]) -> None:
        """Wait until any task is in flight; `running` says whether the command is still there."""
        wait_for("a task in flight", lambda: _still(running) and any(self.tasks(one) for one in self.executors()))

    def kill_worker_in_the_middle(self, cluster: Cluster, running: Callable[[], bool]) -> Kill:
        """Kill a worker and its executor while a task of it is in flight.

        Seen and killed are two moments: so the executor is stopped first, and killed only if its task is still in
        flight for the driver when all news of before must have come.
        """

        def caught() -> Kill | None:
            _still(running)
            for name, worker in list(cluster.workers.items()):
                for number in self._busy(worker):
                    with _stopped(worker.executors()[number]):
                        time.sleep(_SETTLED_S)
                        if tasks := self.tasks(number):
                            cluster.kill_worker(name)
                            return Kill(name, number, tasks)
            return None

        kill: Kill = wait_for("a worker with a task in flight", caught)
        return kill

    def failed_tasks(self) -> int:
        """Give how many tasks have failed, or went with their executor, and were run again."""
        return sum(stage["numFailedTasks"] for stage in self._ask("stages"))

    def _ask(self, what: str) -> list[dict[str, Any]]:
        applications = fetch_json(self._root) or []
        return (fetch_json(f"{self._root}/{applications[0]['id']}/{what}") or []) if applications else []

    def _busy(self, worker: Worker) -> list[str]:
        there = worker.executors()
        return [number for number, row in self.executors().items() if number in there and row["activeTasks"]]


@contextlib.contextmanager
def _stopped(process: psutil.Process) -> Any:
    process.suspend()
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def _still(running: Callable[[], bool]) -> bool:
    assert running(), "the command ended before anything could be done to it: it needs more rows"
    return True
