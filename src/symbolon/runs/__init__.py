"""Durable execution: what was begun goes on after a crash. The only room that knows DBOS."""

from symbolon.runs.errors import RunAlive, RunStopped
from symbolon.runs.runs import Runs
from symbolon.runs.status import Execution, RunStatus

__all__ = ["Execution", "RunAlive", "RunStatus", "RunStopped", "Runs"]
