"""Saved workflows that begin with a scheduler: one run at each of their times.

Invariant: a time is run once, whichever worker comes first; times that passed while no worker lived are run once, not
one by one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from symbolon.store import StoreConflict, TableState
from symbolon.targeting import SchedulerOptions, next_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.store import Store
    from symbolon.targeting import Workflow, Workflows


class Schedules:
    """Begins the runs of scheduled workflows.

    Args:
        clock: the time, UTC.
    """

    def __init__(
        self, *, store: Store, workflows: Workflows, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._workflows = workflows
        self._clock = clock

    def upcoming(self, name: str, count: int = 10) -> list[datetime]:
        """Give the next times of a workflow, UTC; none if it has no scheduler."""
        workflow = self._workflows.find(name)
        times = sorted({moment for one in _schedulers(workflow) for moment in next_times(one, self._clock(), count)})
        return times[:count]

    def tick(self) -> list[str]:
        """Begin what is due; give the ids of the runs."""
        begun = []
        now = self._clock()
        for definition in self._workflows.list():
            workflow = self._workflows.find(definition.name)
            options = _schedulers(workflow)
            if not options:
                continue
            name = f"schedules/{definition.name}"
            state = self._store.state(name)
            if state is None:  # from now on: the past is not caught up with
                self._moved(name, None, now)
                continue
            last = datetime.fromtimestamp(float(state.facts["at"]), UTC)
            due = [moment for one in options for moment in next_times(one, last, 1) if moment <= now]
            if due and self._moved(name, state, now):
                begun.append(self._workflows.submit(workflow).id)
        return begun

    def _moved(self, name: str, before: TableState | None, now: datetime) -> bool:
        """Note that everything up to now is begun; False = another worker did."""
        after = TableState(lake_version=0, revision=before.revision + 1 if before else 1, facts={"at": now.timestamp()})
        try:
            self._store.set_state(name, after, before.revision if before else None)
        except StoreConflict:
            return False
        return True


def _schedulers(workflow: Workflow) -> list[SchedulerOptions]:
    return [node.options for node in workflow.nodes if isinstance(node.options, SchedulerOptions)]
