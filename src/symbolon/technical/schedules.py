"""Saved workflows that begin with a scheduler: one run at each of their times.

Invariant: a time is claimed, then its run begins, then it is noted: it is run once, whichever worker comes first, and
is not lost when that worker dies in between; times that passed while no worker lived are run once, not one by one.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from symbolon.store import StoreConflict, TableState
from symbolon.targeting import SchedulerOptions, next_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.store import Store
    from symbolon.targeting import Workflow, Workflows

log = logging.getLogger(__name__)

#: a worker that claimed a time and did not begin its run for so long is taken to be gone, in seconds
_CLAIM_S = 60.0


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
        """Begin what is due; give the ids of the runs. A workflow that cannot begin is logged, and ends no other."""
        begun = []
        for definition in self._workflows.list():
            try:
                begun += self._begun(definition.name)
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not stop those behind it
                code = getattr(error, "code", type(error).__name__)
                log.warning("schedule.failed: workflow %s, %s", definition.name, code)
        return begun

    def _begun(self, workflow_name: str) -> list[str]:
        """Begin a run of one workflow if it is due; give its id."""
        workflow = self._workflows.find(workflow_name)
        options = _schedulers(workflow)
        if not options:
            return []
        now = self._clock()
        name = f"schedules/{workflow_name}"
        state = self._store.state(name)
        if state is None:  # from now on: the past is not caught up with
            self._noted(name, None, {"at": now.timestamp()})
            return []
        last, claim = float(state.facts["at"]), float(state.facts.get("claim", 0))
        since = datetime.fromtimestamp(last, UTC)
        due = any(moment <= now for one in options for moment in next_times(one, since, 1))
        if not due or (claim and now.timestamp() - claim < _CLAIM_S):  # or another worker begins it
            return []
        if claim and any(run.started.timestamp() >= claim for run in self._workflows.runs(workflow=workflow_name)):
            self._noted(name, state, {"at": claim})  # it was begun by a worker that died before it could note that
            return []
        claimed = self._noted(name, state, {"at": last, "claim": now.timestamp()})
        if claimed is None:
            return []
        try:
            return [self._workflows.submit(workflow).id]
        finally:  # a run that is refused is not asked for every second; a worker that dies here leaves its claim
            self._noted(name, claimed, {"at": now.timestamp()})

    def _noted(self, name: str, before: TableState | None, facts: dict[str, float]) -> TableState | None:
        """Save what is known of a schedule; None = another worker was quicker."""
        after = TableState(lake_version=0, revision=before.revision + 1 if before else 1, facts=facts)
        try:
            self._store.set_state(name, after, before.revision if before else None)
        except StoreConflict:
            return None
        return after


def _schedulers(workflow: Workflow) -> list[SchedulerOptions]:
    return [node.options for node in workflow.nodes if isinstance(node.options, SchedulerOptions)]
