"""What a workflow would do: faults, populations, and what would be saved and shared. Writes nothing that counts.

Invariant: a plan is the walk of a run, with the same compiled relations; what acts is asked for its own plan.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.targeting.activity import RESULT, Mode
from symbolon.targeting.faults import WorkflowInvalid
from symbolon.targeting.walking import Passed, Visited, Walk, count_together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import ibis

    from symbolon.records import Progress
    from symbolon.targeting.definition import Node, Workflow
    from symbolon.targeting.population import Population
    from symbolon.targeting.surroundings import Surroundings


class PlannedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """One activity of a plan."""

    id: str
    type: str
    label: str = ""
    #: transitions that come in
    sources: list[str] = []
    transitions: list[Passed] = []
    #: what it tells of itself: receipts, counts
    facts: dict[str, Any] = {}
    #: whether it is on a branch that would not be taken
    skipped: bool = False
    #: whether it would change something outside the run
    effect: bool = False
    #: the statements that would compute its transitions, where they were asked for
    sql: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do now."""

    workflow: str
    activities: list[PlannedActivity]
    #: statements that would be run for all transitions together
    statements: int = 0
    seconds: float = 0.0


class PlanSteps:
    """Steps of a walk that is no run: done at once, nothing waits."""

    run_id = ""

    def run(self, name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do it."""
        del name
        return step()

    def sleep_until(self, moment: datetime) -> None:
        """Do not wait."""

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Nobody sends a signal to a plan."""
        del topic, timeout_s
        return None


class PassingRows:
    """Computes rows into a folder that goes away with the plan."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._engine = surroundings.engine
        #: how many were computed
        self.statements = 0

    def computed(self, node: Node, transition: str, relation: ibis.Table, directory: Path) -> tuple[ibis.Table, int]:
        """Give the rows, computed, and their number."""
        del node
        schema = relation.schema().to_pyarrow()
        files = self._engine.write(relation, directory / f"passed-{transition}", schema)
        self.statements += 1
        return self._engine.scan([str(file.path) for file in files], schema), sum(file.rows for file in files)


class Planner:
    """Checks, plans and previews workflows."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def check(self, workflow: Workflow, parameters: Mapping[str, Any] | None = None) -> dict[str, Visited]:
        """Find every fault of a workflow that can be found without reading rows.

        Raises:
            WorkflowInvalid: with all of them.
        """
        with self._surroundings.lake.attempt("check") as directory:
            walk = self._walk(workflow, Mode.CHECK, parameters, directory)
            visited = walk.check()
        if walk.faults:
            raise WorkflowInvalid.of(walk.faults, workflow.file or workflow.name)
        return visited

    def plan(
        self,
        workflow: Workflow,
        parameters: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        progress: Progress | None = None,
    ) -> Plan:
        """Tell what a run would do now.

        Args:
            workflow: what is planned.
            parameters: of the run.
            explain: give the statements too.
            progress: told which activity is looked at.

        Raises:
            WorkflowInvalid: it has faults.
        """
        started = time.monotonic()
        self.check(workflow, parameters)
        with self._surroundings.lake.attempt("plan") as directory:
            rows = PassingRows(self._surroundings)
            walk = self._walk(workflow, Mode.PLAN, parameters, directory, rows)
            visited: dict[str, Visited] = {}
            if progress:
                progress.started(f"planning {workflow.name}", len(workflow.nodes), "activities")
            for node in workflow.nodes:
                visited[node.id] = _tried(walk, node, visited)
                if progress:
                    progress.advanced(1)
            passed = count_together(self._surroundings, visited)
            if progress:
                progress.finished()
            if walk.faults:
                raise WorkflowInvalid.of(walk.faults, workflow.file or workflow.name)
            activities = [self._planned(one, passed[one.node.id], explain=explain) for one in visited.values()]
        seconds = round(time.monotonic() - started, 3)
        return Plan(workflow=workflow.name, activities=activities, statements=rows.statements + 1, seconds=seconds)

    def preview(
        self,
        workflow: Workflow,
        activity: str,
        transition: str = "",
        *,
        parameters: Mapping[str, Any] | None = None,
        read: Callable[[Population], Any],
    ) -> Any:
        """Hand the population of one transition to `read`, while it can be read.

        Raises:
            UnknownNameError: there is no such activity or transition.
            WorkflowInvalid: it has faults.
        """
        self.check(workflow, parameters)
        node = workflow.node(activity)
        if node is None:
            raise UnknownNameError.among("activity", activity, [one.id for one in workflow.nodes])
        name = transition or (RESULT if RESULT in node.outputs or not node.outputs else node.outputs[0])
        if name not in node.outputs:
            raise UnknownNameError.among("transition", name, node.outputs)
        with self._surroundings.lake.attempt("preview") as directory:
            # nothing is computed on the way: one statement gives what is looked at
            walk = self._walk(workflow, Mode.PLAN, parameters, directory)
            visited: dict[str, Visited] = {}
            wanted = _above(workflow, activity)
            for one in workflow.nodes:
                if one.id in wanted:
                    visited[one.id] = walk.visit(one, visited)
            population = visited[activity].populations.get(name)
            if population is None:
                raise UnknownNameError.among("transition with a population", name, node.outputs)
            return read(population)

    def _walk(
        self,
        workflow: Workflow,
        mode: Mode,
        parameters: Mapping[str, Any] | None,
        directory: Path,
        rows: PassingRows | None = None,
    ) -> Walk:
        return Walk(
            workflow=workflow,
            surroundings=self._surroundings,
            mode=mode,
            run_id="",
            now=datetime.now(UTC),
            parameters=dict(parameters or {}),
            directory=directory,
            steps=PlanSteps(),
            rows=rows,
        )

    def _planned(self, one: Visited, passed: dict[str, Passed], *, explain: bool) -> PlannedActivity:
        engine = self._surroundings.engine
        populations = {name: given for name, given in one.populations.items() if given is not None}
        return PlannedActivity(
            id=one.node.id,
            type=one.node.kind.name,
            label=one.node.label,
            sources=[str(source) for source in one.node.sources],
            transitions=list(passed.values()),
            facts=one.facts,
            skipped=one.skipped,
            effect=one.node.kind.effect,
            sql={name: engine.sql(given.relation) for name, given in populations.items()} if explain else {},
        )


def _tried(walk: Walk, node: Node, visited: Mapping[str, Visited]) -> Visited:
    """Do one activity; one that would fail says so, and what follows it would be skipped."""
    try:
        return walk.visit(node, visited)
    except SymbolonError as error:
        return Visited(node, facts={"error": error.as_dict()}, skipped=True, failed=True)


def _above(workflow: Workflow, activity: str) -> set[str]:
    """Give the ids of an activity and of all that it follows."""
    wanted = {activity}
    for node in reversed(workflow.nodes):
        if node.id in wanted:
            wanted |= {source.activity for source in node.sources}
    return wanted
