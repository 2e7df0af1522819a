"""The workflows of a project: kept by name and version, checked, planned, run, and gone on with.

Invariant: a run belongs to one version of its workflow, whatever is saved later.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import Definition, DefinitionKind, Run, RunState, RunStep, StepState
from symbolon.targeting.context import Memory
from symbolon.targeting.definition import OnOverlap, Workflow
from symbolon.targeting.faults import RunNotPossible, WorkflowBusy
from symbolon.targeting.ordering import below
from symbolon.targeting.parameters import filled, stored
from symbolon.targeting.planning import Plan, Planner
from symbolon.targeting.reading import read_workflow
from symbolon.targeting.running import Running, forget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from symbolon.records import Progress
    from symbolon.targeting.surroundings import Durable, Steps, Surroundings

_Definitions = list[Definition]
_Runs = list[Run]
_Steps = list[RunStep]
_Names = list[str]
#: the work under which runs are executed
WORK = "workflow run"
_KIND = DefinitionKind.WORKFLOW
#: of a run that does not say how long it is kept, and whose workflow is gone
_KEEP_DAYS = 30


class Workflows:
    """The workflows of one project.

    Args:
        surroundings: what activities use.
        durable: makes what executes runs; called when the first run begins.
    """

    def __init__(self, surroundings: Surroundings, durable: Callable[[Workflows], Durable]) -> None:
        self._around = surroundings
        self._store = surroundings.store
        self._planner = Planner(surroundings)
        self._make = durable
        self._durable: Durable | None = None
        self._progress: Progress | None = None
        self._error: SymbolonError | None = None

    def read(self, text: str, file: str = "workflow") -> Workflow:
        """Read a definition and check its form. Raises as `read_workflow`."""
        return read_workflow(text, file)

    def find(self, name_or_file: str, version: int | None = None) -> Workflow:
        """Give a workflow by the name it was saved under, or read it from a file.

        Raises:
            UnknownNameError: it is neither.
            WorkflowInvalid: its form is wrong.
        """
        from pathlib import Path  # noqa: PLC0415

        path = Path(name_or_file)
        if version is None and path.suffix.lower() in (".yaml", ".yml", ".json"):
            return read_workflow(path.read_text(encoding="utf-8-sig", errors="replace"), name_or_file)
        body = msgspec.json.decode(self._store.definition(_KIND, name_or_file, version).body)
        return read_workflow(body["text"], name_or_file)

    def save(self, workflow: Workflow) -> Definition:
        """Check a workflow and keep it under its name as the next version; the same text again changes nothing.

        Raises:
            WorkflowInvalid: it has faults.
        """
        self._planner.check(workflow, filled(workflow, {}, lenient=True))
        return self._kept(workflow)

    def _kept(self, workflow: Workflow) -> Definition:
        """Keep a checked workflow as its next version, unless it is the newest already."""
        versions = self._store.definition_versions(_KIND, workflow.name)
        body = msgspec.json.encode({"text": workflow.text}).decode()
        if versions and versions[0].body == body:
            return versions[0]
        definition = Definition(kind=_KIND, name=workflow.name, body=body)
        return self._store.put_definition(definition, base=versions[0].version if versions else 0)

    def list(self) -> list[Definition]:
        """Give the newest version of all workflows, by name."""
        return self._store.definitions(_KIND)

    def versions(self, name: str) -> _Definitions:
        """Give all versions of a workflow, newest first."""
        self._store.definition(_KIND, name)
        return self._store.definition_versions(_KIND, name)

    def delete(self, name: str) -> None:
        """Remove a workflow with its versions and what its activities remember. Runs and audiences stay.

        Raises:
            UnknownNameError: nothing has this name.
            RunNotPossible: a run of it has not ended.
        """
        going = [run.id for run in self.runs(workflow=name) if not run.state.is_final]
        if going:
            raise RunNotPossible(
                f"run {going[0]} of workflow `{name}` has not ended", hint=f"symbolon run cancel {going[0]}"
            )
        workflow = self.find(name)
        self._store.delete_definition(_KIND, name)
        Memory(self._around).forget(name, [node.id for node in workflow.nodes])

    def check(self, workflow: Workflow, parameters: Mapping[str, Any] | None = None) -> None:
        """Find every fault that can be found without reading rows. Raises as `Planner.check`."""
        self._planner.check(workflow, filled(workflow, parameters or {}, lenient=parameters is None))

    def plan(
        self,
        workflow: Workflow,
        parameters: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        progress: Progress | None = None,
    ) -> Plan:
        """Tell what a run would do now. Raises as `Planner.plan`."""
        return self._planner.plan(workflow, filled(workflow, parameters or {}), explain=explain, progress=progress)

    def preview(
        self,
        workflow: Workflow,
        activity: str,
        transition: str = "",
        *,
        parameters: Mapping[str, Any] | None = None,
        read: Callable[[Any], Any],
    ) -> Any:
        """Hand the population of a transition to `read`. Raises as `Planner.preview`."""
        given = filled(workflow, parameters or {})
        return self._planner.preview(workflow, activity, transition, parameters=given, read=read)

    def preview_count(
        self, workflow: Workflow, activity: str, transition: str = "", *, parameters: Mapping[str, Any] | None = None
    ) -> int:
        """Count the population of a transition, as it would be now. Raises as `Planner.preview`."""
        count: int = self.preview(
            workflow,
            activity,
            transition,
            parameters=parameters,
            read=lambda population: self._around.engine.count(population.relation),
        )
        return count

    def run(
        self, workflow: Workflow, parameters: Mapping[str, Any] | None = None, *, progress: Progress | None = None
    ) -> Run:
        """Run a workflow in this process to its end, or to where it waits for somebody.

        Raises:
            WorkflowInvalid: it has faults.
            WorkflowBusy: another run of it goes on, and it says `on_overlap: refuse`.
            SymbolonError: what an activity failed with; the run can be resumed where its policy says `suspend`.
        """
        run = self._begin(workflow, parameters)
        return self._waited(run, progress)

    def submit(self, workflow: Workflow, parameters: Mapping[str, Any] | None = None) -> Run:
        """Note a run for a worker. Raises as `run`, before anything runs."""
        return self._begin(workflow, parameters)

    def work_off(self) -> _Names:
        """Do the runs that were submitted, and those whose process died; give their ids. What a worker calls.

        A run that another process took meanwhile is left to it, and so are runs of a workflow of which one goes on; an
        error of a run is noted with it, and does not end the others.
        """
        done = []
        for run in reversed(self.runs(limit=1000)):
            if run.state is not RunState.QUEUED and not self.is_interrupted(run):
                continue
            with contextlib.suppress(SymbolonError):
                if self._go_on(run, wait=False):
                    done.append(run.id)
        return done

    def resume(self, run_id: str, *, progress: Progress | None = None) -> Run:
        """Go on with a run that was paused, stands at an error, or whose process died.

        Raises:
            RunNotPossible: it has ended.
        """
        run = self.show_run(run_id)
        if run.state.is_final:
            raise RunNotPossible(
                f"run {run_id} is {run.state}",
                hint=f"symbolon workflow restart {run_id} --from ACTIVITY does parts again",
            )
        if run.state is RunState.PAUSED:
            run = self._again(run, run.facts)
        return self._waited(run, progress)

    def confirm(self, run_id: str, *, progress: Progress | None = None) -> Run:
        """Confirm what a run waits for somebody to confirm, and go on with it. Raises as `resume`.

        Raises:
            RunNotPossible: it awaits no confirmation.
        """
        run = self.show_run(run_id)
        if run.state is not RunState.PAUSED or run.facts.get("awaits") != "confirmation":
            raise RunNotPossible(f"run {run_id} awaits no confirmation", hint=f"symbolon run show {run_id}")
        activity = run.facts["at"]
        again = next((one.facts.get("restart", 0) for one in self.steps(run_id) if one.step == activity), 0)
        confirmed = {**run.facts.get("confirmed", {}), activity: again}
        self._store.update_run(msgspec.structs.replace(run, facts={**run.facts, "confirmed": confirmed}))
        return self.resume(run_id, progress=progress)

    def restart(self, run_id: str, activity: str, *, progress: Progress | None = None) -> Run:
        """Do an activity of a run, and all that follow it, again.

        Raises:
            UnknownNameError: the workflow has no such activity.
            RunNotPossible: the run goes on in some process.
        """
        run = self.show_run(run_id)
        workflow = self._workflow_of(run)
        if workflow.node(activity) is None:
            raise UnknownNameError.among("activity", activity, [node.id for node in workflow.nodes])
        if not run.state.is_final and run.state is not RunState.PAUSED:
            raise RunNotPossible(f"run {run_id} is {run.state}", hint=f"symbolon run pause {run_id}")
        again, number = below(workflow.nodes, activity), int(run.facts.get("restarts", 0)) + 1
        for step in self._store.steps(run_id):
            if step.step in again:
                waiting = msgspec.structs.replace(
                    step, state=StepState.WAITING, finished=None, error="", facts={"restart": number}
                )
                self._store.put_step(waiting)
        run = self._again(run, {**run.facts, "restarts": number})
        return self._waited(run, progress)

    def pause(self, run_id: str) -> None:
        """Ask a run to pause before its next activity.

        Raises:
            RunNotPossible: it has ended, or is paused.
        """
        run = self.show_run(run_id)
        if run.state.is_final or run.state is RunState.PAUSED:
            raise RunNotPossible(f"run {run_id} is {run.state}")
        self._store.update_run(msgspec.structs.replace(run, facts={**run.facts, "wanted": "pause"}))

    def cancel(self, run_id: str) -> None:
        """Stop a run before its next activity; one that waits or whose process died stops at once.

        Raises:
            RunNotPossible: it has ended.
        """
        run = self.show_run(run_id)
        if run.state.is_final:
            raise RunNotPossible(f"run {run_id} is {run.state}")
        status = self.durable.status(self._key(run))
        if run.state is RunState.RUNNING and status is not None and status.alive:
            asking = msgspec.structs.replace(run, facts={**run.facts, "wanted": "stop"})
            if not self._store.move_run(asking, run.state):
                self.cancel(run_id)
                return
            for step in self._store.steps(run_id):
                if step.state is StepState.WAITING:
                    self.durable.wake(self._key(run), step.step)
            return
        stopped = msgspec.structs.replace(run, state=RunState.STOPPED, finished=datetime.now(UTC))
        if not self._store.move_run(stopped, run.state):  # it went on meanwhile
            self.cancel(run_id)
        elif status is not None and not status.is_final:
            self.durable.cancel(self._key(run))

    def signal(self, name: str, activity: str, parameters: Mapping[str, Any]) -> Run:
        """Send an external signal: to the run that waits for it, or begin one if the workflow begins with it.

        Raises:
            UnknownNameError: there is no such workflow or activity.
            WorkflowInvalid: a parameter is not declared, or of another type.
        """
        workflow = self.find(name)
        node = workflow.node(activity)
        if node is None or node.kind.name != "external_signal":
            signals = [one.id for one in workflow.nodes if one.kind.name == "external_signal"]
            raise UnknownNameError.among("external signal", activity, signals)
        if not node.sources:
            return self.submit(workflow, parameters)
        given = {
            key: value for key, value in filled(workflow, parameters, activity=activity).items() if value is not None
        }
        begun = [run for run in reversed(self.runs(workflow=name, limit=1000)) if self._is_begun(run)]
        for run in sorted(begun, key=lambda run: not self._waits_at(run, activity)):  # else the oldest
            self.durable.signal(self._key(run), activity, stored(given))
            return run
        raise RunNotPossible(f"no run of workflow `{name}` waits for a signal", hint=f"symbolon workflow run {name}")

    def runs(self, *, workflow: str = "", limit: int = 100) -> _Runs:
        """Give the last runs, newest first."""
        return self._store.runs(limit, work=WORK, workflow=workflow)

    def show_run(self, run_id: str) -> Run:
        """Give one run.

        Raises:
            UnknownNameError: there is no such run of a workflow.
        """
        run = self._store.run(run_id)
        if run.work != WORK:
            raise UnknownNameError.among("run of a workflow", run_id, [one.id for one in self.runs(limit=20)])
        return run

    def steps(self, run_id: str) -> _Steps:
        """Give the steps of a run, in the order in which they were begun."""
        return self._store.steps(run_id)

    def is_interrupted(self, run: Run) -> bool:
        """Say whether a run that has not ended has lost its process. Reads only."""
        if run.state.is_final or run.state in (RunState.PAUSED, RunState.QUEUED):
            return False
        status = self.durable.status(self._key(run))
        return status is None or not status.alive

    def forget(self, now: datetime | None = None) -> int:
        """Remove ended runs, and what they kept, that are older than their workflow keeps them; give how many."""
        before = now or datetime.now(UTC)
        old = [one for one in self._store.runs(100_000, work=WORK) if one.state.is_final]
        return forget([one for one in old if one.started < before - self._kept_for(one)], self._around)

    @property
    def durable(self) -> Durable:
        """What executes runs."""
        if self._durable is None:
            self._durable = self._make(self)
        return self._durable

    def work(self, steps: Steps, argument: dict[str, Any]) -> dict[str, Any]:
        """Execute a run; called by what makes it durable, maybe in another process than the one that began it."""
        run = self._store.run(argument["run_id"])
        running = Running(self._around, run, self._workflow_of(run), self._progress)
        state = running.go(steps)
        self._error = running.error
        return {"state": state.value}

    def close(self) -> None:
        """Let go of what executes runs."""
        if self._durable is not None:
            getattr(self._durable, "close", lambda: None)()
            self._durable = None

    def _begin(self, workflow: Workflow, parameters: Mapping[str, Any] | None) -> Run:
        """Check a workflow, keep its version, and note a run of it, which waits for its turn."""
        given = filled(workflow, parameters or {})
        self._planner.check(workflow, given)
        if workflow.on_overlap is OnOverlap.REFUSE:
            going = [one for one in self.runs(workflow=workflow.name) if not one.state.is_final]
            busy = [one for one in going if one.state is RunState.QUEUED or not self.is_interrupted(one)]
            if busy:
                raise WorkflowBusy(f"run {busy[0].id} of workflow `{workflow.name}` is {busy[0].state}")
        definition = self._kept(workflow)
        facts = {
            "now": datetime.now(UTC).isoformat(),
            "parameters": stored(given),
            "keep_days": workflow.keep_days,
        }
        run = msgspec.structs.replace(
            Run.begin(WORK, workflow.name),
            state=RunState.QUEUED,
            workflow=workflow.name,
            workflow_version=definition.version,
            facts=facts,
        )
        self._store.start_run(run)
        return run

    def _again(self, run: Run, facts: Mapping[str, Any]) -> Run:
        """Note that a run is to go on, as a new execution of the same run, when it is its turn.

        Raises:
            RunNotPossible: somebody else has had it go on.
        """
        facts = {name: value for name, value in facts.items() if name != "wanted"}
        facts["executions"] = int(facts.get("executions", 0)) + 1
        again = msgspec.structs.replace(run, state=RunState.QUEUED, finished=None, error="", facts=facts)
        if not self._store.move_run(again, run.state):
            raise RunNotPossible(f"run {run.id} is {self._store.run(run.id).state}")
        return again

    def _waited(self, run: Run, progress: Progress | None) -> Run:
        self._progress, self._error = progress, None
        self._go_on(run, wait=True)
        return self._ended(run.id)

    def _go_on(self, run: Run, *, wait: bool) -> bool:
        """Execute a run when it is its turn; False = it is not, or somebody else ended, stopped or paused it before.

        Raises:
            RunAlive: it goes on in a process that lives.
        """
        if run.state is RunState.RUNNING and not self.is_interrupted(run):
            self.durable.resume(self._key(run))
        with self.durable.turn(run.workflow, wait=wait) as held:
            now = self._store.run(run.id)
            if not held or now.state.is_final or now.state is RunState.PAUSED:
                return False
            if now.state is not RunState.QUEUED:
                status = self.durable.status(self._key(now))
                if status is not None and not status.is_final:
                    self.durable.resume(self._key(now))
                    return True
                now = self._again(now, now.facts)
            if not self._store.move_run(msgspec.structs.replace(now, state=RunState.RUNNING), RunState.QUEUED):
                return False  # it was stopped in this very moment
            self.durable.execute(WORK, self._key(now), {"run_id": now.id})
            return True

    def _ended(self, run_id: str) -> Run:
        self._progress = None
        if self._error is not None:
            error, self._error = self._error, None
            error.details = {**error.details, "run": run_id}
            raise error
        return self._store.run(run_id)

    def _workflow_of(self, run: Run) -> Workflow:
        return self.find(run.workflow, run.workflow_version)

    def _key(self, run: Run) -> str:
        """Give the name of an execution: a run that goes on after a pause is a new one."""
        executions = int(run.facts.get("executions", 0))
        return f"{run.id}.{executions}" if executions else run.id

    def _is_begun(self, run: Run) -> bool:
        """Say whether a run goes on, and can be sent a signal."""
        if run.state is not RunState.RUNNING:
            return False
        status = self.durable.status(self._key(run))
        return status is not None and not status.is_final

    def _waits_at(self, run: Run, activity: str) -> bool:
        return any(step.step == activity and step.state is StepState.WAITING for step in self._store.steps(run.id))

    def _kept_for(self, run: Run) -> timedelta:
        """Give how long a run is kept; it says so itself, because its workflow may be deleted."""
        days = run.facts.get("keep_days", _KEEP_DAYS)
        if "keep_days" not in run.facts:
            with contextlib.suppress(UnknownNameError):
                days = self._workflow_of(run).keep_days
        return timedelta(days=days)
