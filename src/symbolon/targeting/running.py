"""A workflow, run: activity by activity, each noted in the store, so that another process can go on with it.

Invariant: an activity that acts is done at most once to its end. What it gave is kept in the lake before it counts as
done, and what it publishes carries the run's id, so that doing it again after a crash publishes nothing twice. All
other activities are composed anew whenever the run goes on.

Source of states and error policies: Adobe Campaign Standard, "Monitoring workflow execution".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import SymbolonError
from symbolon.records import RunState, RunStep, StepState
from symbolon.targeting.activity import Mode
from symbolon.targeting.context import Memory, key_of
from symbolon.targeting.definition import OnError
from symbolon.targeting.faults import RunGone, WorkflowInvalid
from symbolon.targeting.parameters import loaded, stored
from symbolon.targeting.population import Population
from symbolon.targeting.walking import Passed, Visited, Walk, acts, count_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import ibis

    from symbolon.lake import WrittenFile
    from symbolon.records import Progress, Run
    from symbolon.targeting.definition import Node, Workflow
    from symbolon.targeting.surroundings import Steps, Surroundings

#: stands for a transition: what an activity remembers for the next run
_MEMORY = "-memory"
#: what a person may ask of a run that goes on: it is looked at before each activity
WANTED = {"pause": RunState.PAUSED, "stop": RunState.STOPPED}


class KeptRows:
    """Computes rows into a table of the lake that belongs to the run."""

    def __init__(self, surroundings: Surroundings, run_id: str, execution: int) -> None:
        self._around = surroundings
        self._run = run_id
        self._execution = execution
        #: what was computed in this walk: an activity that gives on what came in has it kept again without a copy
        self._written: dict[Any, list[WrittenFile]] = {}

    def table_name(self, activity: str, transition: str) -> str:
        """Give the name of the table that keeps a transition."""
        return f"runs/{key_of(self._run)}/{activity}/{key_of(transition)}"

    def computed(self, node: Node, transition: str, relation: ibis.Table, directory: Path) -> tuple[ibis.Table, int]:
        """Give the rows, computed, and their number."""
        schema = relation.schema().to_pyarrow()
        table = self._around.lake.table(self.table_name(node.id, transition))
        files = self._written.get(relation.op())
        if files is None:
            files = self._around.engine.write(relation, directory / f"rows-{transition}", schema)
        table.commit(files, schema, mode="overwrite")
        rows = self._around.engine.scan(table.files(), schema)
        self._written[rows.op()] = files
        return rows, sum(file.rows for file in files)

    def once(self, activity: str, name: str, relation: ibis.Table, directory: Path) -> ibis.Table:
        """Give rows that were computed in this execution before, else compute them now."""
        table = self._around.lake.table(self.table_name(activity, f"keep-{self._execution}-{name}"))
        if not table.exists:
            schema = relation.schema().to_pyarrow()
            files = self._around.engine.write(relation, directory / f"once-{name}", schema)
            table.commit(files, schema, mode="overwrite")
        return self._around.engine.scan(table.files(), table.schema())

    def kept(self, passed: Passed) -> ibis.Table:
        """Give rows that were computed before, maybe by another process.

        Raises:
            RunGone: they were removed.
        """
        table = self._around.lake.table(self.table_name(passed.activity, passed.transition))
        if not table.exists:
            raise RunGone(f"what `{passed.activity}.{passed.transition}` gave in this run is not kept any more")
        return self._around.engine.scan(table.files(), table.schema())


class Running:
    """One run under way, in this process.

    Args:
        run: as the store has it.
        workflow: the version that the run was begun with.
    """

    def __init__(self, surroundings: Surroundings, run: Run, workflow: Workflow, progress: Progress | None) -> None:
        self._around = surroundings
        self._store = surroundings.store
        self._run = run
        self._workflow = workflow
        self._progress = progress
        self._execution = int(run.facts.get("executions", 0))
        self._rows = KeptRows(surroundings, run.id, self._execution)
        self._visited: dict[str, Visited] = {}
        #: activities whose error was ignored, and its code
        self._failed: dict[str, str] = {}
        self._redone: dict[str, int] = {}
        #: the error that the run stands at; for whoever waits for it in this process
        self.error: SymbolonError | None = None

    def go(self, steps: Steps) -> RunState:
        """Go on until the end, a pause or an error; give where the run stands then."""
        done = {step.step: step for step in self._store.steps(self._run.id)}
        self._redone = {name: step.facts["restart"] for name, step in done.items() if step.facts.get("restart")}
        stored = self._store.run(self._run.id).state
        if stored.is_final:  # stopped before it came to its turn
            return stored
        self._note(RunState.RUNNING)
        if self._progress:
            self._progress.started(f"running {self._workflow.name}", len(self._workflow.nodes), "activities")
        with self._around.lake.attempt("run") as directory:
            walk = Walk(
                workflow=self._workflow,
                surroundings=self._around,
                mode=Mode.RUN,
                run_id=self._run.id,
                now=datetime.fromisoformat(self._run.facts["now"]),
                parameters=loaded(self._workflow, self._run.facts.get("parameters", {})),
                directory=directory,
                steps=steps,
                rows=self._rows,
                redone=self._redone,
                kept=self._rows.once,
                confirmed=self._confirmed(),
            )
            for node in self._workflow.nodes:
                asked = self._asked()
                if asked is not None:
                    return self._note(asked)
                state = self._activity(walk, node, done.get(node.id))
                if state is not None:
                    return state
                if self._progress:
                    self._progress.advanced(1)
            self._finish(walk, directory)
        if self._progress:
            self._progress.finished()
        return self._note(RunState.DONE, ignored=self._failed)

    def _activity(self, walk: Walk, node: Node, before: RunStep | None) -> RunState | None:
        """Do one activity, or take what it gave before; give a state if the run does not go on."""
        is_done = before is not None and _has_ended(before)
        # what was done in this execution is asked for again, in the same order: that is how steps are known again
        replayed = is_done and before is not None and before.facts.get("execution") == self._execution
        try:
            if is_done and before is not None:
                if replayed and acts(node.kind) and not node.kind.waits and not before.facts.get("skipped"):
                    walk.steps.run(self._step_name(node), lambda: {"activity": node.id})
                if not (replayed and node.kind.waits) and self._restored(node, before):
                    return None
            step = self._begun(node, before, is_done=is_done)
            if node.kind.waits and (asked := self._asked()) is not None:  # before it was seen to wait: nobody wakes it
                return self._note(asked)
            visited = self._done(walk, node)
        except SymbolonError as error:
            return self._unfinished(node, error)
        if visited.awaits:
            return self._awaiting(step, visited)
        if visited.memory is not None:  # kept now: what is remembered must be what was given
            visited.memory, _ = self._rows.computed(node, _MEMORY, visited.memory, walk.directory / node.id)
        self._visited[node.id] = visited
        if not is_done:
            if node.kind.waits and stored(walk.parameters) != self._run.facts.get("parameters"):
                self._keep_parameters(walk.parameters)
            self._put(step, visited)
        return None

    def _confirmed(self) -> frozenset[str]:
        """Name the activities that somebody confirmed; what is done again has to be confirmed again."""
        given = self._run.facts.get("confirmed", {})
        return frozenset(name for name, number in given.items() if number == self._redone.get(name, 0))

    def _awaiting(self, step: RunStep, visited: Visited) -> RunState:
        """Note what an activity would do, and pause until somebody confirms it."""
        facts: dict[str, Any] = {"passed": {}, "told": visited.facts, "awaits": "confirmation"}
        if step.step in self._redone:
            facts["restart"] = self._redone[step.step]
        self._store.put_step(msgspec.structs.replace(step, state=StepState.WAITING, facts=facts))
        return self._note(RunState.PAUSED, activity=step.step)

    def _unfinished(self, node: Node, error: SymbolonError) -> RunState | None:
        """Note that an activity did not end: it was woken to stop, or it failed."""
        asked = self._asked() if node.kind.waits else None
        return self._failure(node, error) if asked is None else self._note(asked)

    def _raise_faults(self, walk: Walk) -> None:
        """Raise the faults of an activity, if it has any: what follows has its own."""
        faults = list(walk.faults)
        walk.faults.clear()
        if faults:
            raise WorkflowInvalid.of(faults, self._workflow.name)

    def _keep_parameters(self, parameters: dict[str, Any]) -> None:
        """Note what a signal brought: a later execution does not receive it again."""
        now = self._store.run(self._run.id)
        self._run = msgspec.structs.replace(now, facts={**now.facts, "parameters": stored(parameters)})
        self._store.update_run(self._run)

    def _begun(self, node: Node, before: RunStep | None, *, is_done: bool) -> RunStep:
        """Note that an activity begins, unless it is only composed again."""
        attempt = before.attempt + (not is_done) if before is not None else 1
        facts = {"restart": self._redone[node.id]} if node.id in self._redone else {}
        step = RunStep(run_id=self._run.id, step=node.id, attempt=attempt, started=datetime.now(UTC), facts=facts)
        if not is_done:
            state = StepState.WAITING if node.kind.waits else StepState.RUNNING
            self._store.put_step(msgspec.structs.replace(step, state=state))
        return step

    def _done(self, walk: Walk, node: Node) -> Visited:
        """Do an activity.

        Raises:
            WorkflowInvalid: its definition is wrong.
        """
        once = acts(node.kind) and not node.kind.waits
        visited = self._done_once(walk, node) if once else walk.visit(node, self._visited)
        self._raise_faults(walk)
        return visited

    def _done_once(self, walk: Walk, node: Node) -> Visited:
        """Do an activity that acts, in a step that is not done again once it has ended."""
        if walk.inputs(node, self._visited) is None:
            return walk.visit(node, self._visited)  # on a branch that was not taken
        inside: list[Visited] = []

        def act() -> dict[str, Any]:
            inside.append(walk.visit(node, self._visited))
            return {"activity": node.id}

        walk.steps.run(self._step_name(node), act)
        if not inside:  # it had ended, and the process died before the store knew
            act()
        return inside[0]

    def _step_name(self, node: Node) -> str:
        return f"{node.id}#{self._run.facts.get('restarts', 0)}"

    def _restored(self, node: Node, step: RunStep) -> bool:
        """Take what an activity gave before; False = it has to be composed again."""
        passed = msgspec.convert(step.facts.get("passed", {}), dict[str, Passed])
        visited = Visited(
            node, passed=passed, facts=step.facts.get("told", {}), skipped=step.facts.get("skipped", False)
        )
        if not acts(node.kind) and not visited.skipped and not all(one.kept for one in passed.values()):
            return False
        for name, one in passed.items():
            if one.dimension is None:
                visited.populations[name] = None
            else:
                visited.populations[name] = Population(self._rows.kept(one), one.dimension, one.source)
        if step.facts.get("remembers"):
            visited.memory = self._rows.kept(Passed(activity=node.id, transition=_MEMORY))
        self._visited[node.id] = visited
        return True

    def _put(self, step: RunStep, visited: Visited, counted: Mapping[str, Passed] | None = None) -> None:
        """Note what an activity gave."""
        passed = counted or visited.passed
        skipped = visited.skipped
        facts: dict[str, Any] = {
            "passed": msgspec.to_builtins(dict(passed)),
            "told": visited.facts,
            "skipped": skipped,
            "execution": self._execution,
        }
        if visited.failed:
            facts["failed"] = True
        if visited.memory is not None:
            facts["remembers"] = True
        if step.step in self._redone:
            facts["restart"] = self._redone[step.step]
        state = StepState.SKIPPED if skipped else StepState.DONE
        self._store.put_step(msgspec.structs.replace(step, state=state, finished=datetime.now(UTC), facts=facts))

    def _failure(self, node: Node, error: SymbolonError) -> RunState | None:
        """Note that an activity failed, and what becomes of the run by its policy."""
        now = datetime.now(UTC)
        before = {step.step: step for step in self._store.steps(self._run.id)}.get(node.id)
        step = before or RunStep(run_id=self._run.id, step=node.id, started=now)
        facts: dict[str, Any] = {"told": {"error": error.as_dict()}, "passed": {}, "skipped": True}
        if node.id in self._redone:
            facts["restart"] = self._redone[node.id]
        self._store.put_step(
            msgspec.structs.replace(step, state=StepState.FAILED, finished=now, error=error.code, facts=facts)
        )
        policy = node.on_error or self._workflow.on_error
        if policy is OnError.IGNORE:
            self._visited[node.id] = Visited(node, facts=facts["told"], skipped=True, failed=True)
            self._failed[node.id] = error.code
            return None
        self.error = error
        state = RunState.PAUSED if policy is OnError.SUSPEND else RunState.FAILED
        return self._note(state, error=error, activity=node.id)

    def _finish(self, walk: Walk, directory: Path) -> None:
        """Count what was not counted, and remember what the next run needs."""
        counted = count_together(self._around, self._visited)
        known = {step.step: step for step in self._store.steps(self._run.id)}
        for activity, one in self._visited.items():
            if activity not in self._failed and counted[activity] != one.passed:
                self._put(known[activity], one, counted[activity])
        memory = Memory(self._around)
        key = f"{self._run.id}#{self._run.facts.get('restarts', 0)}"
        for activity, one in self._visited.items():
            if one.memory is not None:
                memory.write(walk.workflow.name, activity, one.memory, directory, key)

    def _asked(self) -> RunState | None:
        wanted = self._store.run(self._run.id).facts.get("wanted")
        return WANTED.get(wanted) if isinstance(wanted, str) else None

    def _note(
        self,
        state: RunState,
        *,
        error: SymbolonError | None = None,
        activity: str = "",
        ignored: Mapping[str, str] | None = None,
    ) -> RunState:
        """Note where the run stands: at an activity, by an error or until somebody confirms it; or at its end."""
        now = self._store.run(self._run.id)
        facts = {name: value for name, value in now.facts.items() if name not in ("error", "at", "awaits")}
        if activity:
            facts |= {"at": activity}
            facts |= {"awaits": "confirmation"} if error is None else {"error": error.as_dict()}
        if state is not RunState.RUNNING:
            facts.pop("wanted", None)
        if ignored:
            facts["ignored"] = list(ignored)
        self._run = msgspec.structs.replace(
            now,
            state=state,
            error=error.code if error else next(iter((ignored or {}).values()), ""),
            finished=datetime.now(UTC) if state.is_final else None,
            facts=facts,
        )
        self._store.update_run(self._run)
        return state


def _has_ended(step: RunStep) -> bool:
    """Say whether an activity was done, or is on a branch that was not taken; what builds on a failure may be tried."""
    return step.state in (StepState.DONE, StepState.SKIPPED) and not step.facts.get("failed")


def forget(runs: Sequence[Run], surroundings: Surroundings) -> int:
    """Remove runs and the rows that they kept; give how many."""
    prefixes = tuple(f"runs/{key_of(run.id)}/" for run in runs)
    for name in surroundings.lake.tables() if runs else []:
        if name.startswith(prefixes):
            surroundings.lake.table(name).delete()
    return surroundings.store.delete_runs([run.id for run in runs])
