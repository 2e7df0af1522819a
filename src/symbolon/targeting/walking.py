"""One walk through a workflow: the same for a check, a plan and a run, so that a plan cannot drift from its run.

Invariant: activities are composed in order and compute nothing; what must be computed once - where a transition forks,
is kept, goes into something that acts, joins or sorts, or cannot be composed again - is computed by `Rows`, of which a
plan and a run have different ones. Counts of all other transitions are asked for together, at the end.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from symbolon.errors import SymbolonError
from symbolon.targeting.activity import COMPLEMENT, Activity, Mode
from symbolon.targeting.context import ActivityContext, Memory, key_of
from symbolon.targeting.faults import WorkflowFault
from symbolon.targeting.parameters import declared, read
from symbolon.targeting.reading import place_of
from symbolon.targeting.selection import counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import ibis

    from symbolon.targeting.context import Kept
    from symbolon.targeting.definition import Node, Workflow
    from symbolon.targeting.population import Population
    from symbolon.targeting.selection import Selection
    from symbolon.targeting.surroundings import Steps, Surroundings


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a transition that was passed."""

    activity: str
    transition: str
    #: targeting dimension; None = a transition without a population
    dimension: str | None = None
    #: name of the data source, for IDs
    source: str = ""
    columns: list[str] = []
    #: rows; None = not counted
    rows: int | None = None
    #: whether it was computed and kept
    kept: bool = False


@dataclass
class Visited:
    """What came of one activity."""

    node: Node
    populations: dict[str, Population | None] = field(default_factory=dict)
    passed: dict[str, Passed] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: bool = False
    #: whether it failed, or something that it builds on did: nothing that builds on it is done
    failed: bool = False
    memory: ibis.Table | None = None
    #: whether somebody has to confirm before it acts
    awaits: bool = False


class Rows(Protocol):
    """Computes the rows of a transition once."""

    def computed(self, node: Node, transition: str, relation: ibis.Table, directory: Path) -> tuple[ibis.Table, int]:
        """Give the rows, computed, and their number."""
        ...


@dataclass(frozen=True)
class Walk:
    """How a workflow is walked through.

    Args:
        run_id: of the run; in a plan what stands for it.
        directory: where files may be made; lives longer than the walk.
    """

    workflow: Workflow
    surroundings: Surroundings
    mode: Mode
    run_id: str
    now: datetime
    parameters: dict[str, Any]
    directory: Path
    steps: Steps
    rows: Rows | None = None
    #: activities that a person has had done again, and for the how-many-th time: what they publish is new
    redone: Mapping[str, int] = field(default_factory=dict)
    #: keeps rows that an activity needs again after a crash; None = they need not survive
    kept: Kept | None = None
    #: activities of which somebody has confirmed that they may act
    confirmed: frozenset[str] = frozenset()
    faults: list[WorkflowFault] = field(default_factory=list)

    def visit(self, node: Node, before: Mapping[str, Visited]) -> Visited:
        """Do one activity, with what its predecessors gave."""
        visited = Visited(node)
        if any(before[source.activity].failed for source in node.sources):
            # not as a branch that was not taken: an exclusion would let through whom it could not read
            visited.skipped = visited.failed = True
            return visited
        inputs = self.inputs(node, before)
        if inputs is None:
            visited.skipped = True
            return visited
        context = self.context(node, inputs)
        with closing(context):
            outcome = node.kind.apply(node.options, context)
        visited.facts, visited.memory = context.facts, context.memory
        visited.awaits = context.awaits
        if visited.awaits:
            return visited
        if context.received:
            self.parameters.update(read(getattr(node.options, "parameters", {}), context.received)[0])
        for name in node.outputs:
            if name in outcome:
                self.take(visited, name, outcome[name], context.directory)
        return visited

    def inputs(self, node: Node, before: Mapping[str, Visited]) -> list[Population] | None:
        """Give what comes in; None = nothing does, or what the activity cannot do without does not."""
        given = [before[source.activity] for source in node.sources]
        arrived = [
            (source, visited.populations[source.transition])
            for source, visited in zip(node.sources, given, strict=True)
            if source.transition in visited.populations
        ]
        if node.sources and (not arrived or len(arrived) < min(node.kind.inputs.least, 1)):
            return None
        if node.sources and arrived[0][0] != node.sources[0] and node.kind.name not in ("union", "join"):
            return None  # the first transition is the primary one: without it there is nothing to work on
        return [population for _, population in arrived if population is not None]

    def context(self, node: Node, inputs: list[Population]) -> ActivityContext:
        """Give an activity its context."""
        directory = self.directory / node.id
        directory.mkdir(mode=0o700, exist_ok=True, parents=True)

        def fault(path: str, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
            self.note_fault(node, path, message, hint, line=line, column=column)

        again = f"-r{self.redone[node.id]}" if node.id in self.redone else ""
        return ActivityContext(
            self.surroundings,
            mode=self.mode,
            workflow=self.workflow.name,
            run_id=self.run_id + again,
            activity=node.id,
            now=self.now,
            inputs=inputs,
            parameters=self.parameters,
            directory=directory,
            steps=self.steps,
            fault=fault,
            memory=Memory(self.surroundings),
            parameter_types={name: one.type for name, one in declared(self.workflow).items()},
            has_input=bool(node.sources),
            kept=self.kept,
            place=f"runs/{key_of(self.run_id)}/{node.id}/{key_of(f'acting{again}')}" if self.mode is Mode.RUN else "",
            confirmed=node.id in self.confirmed,
        )

    def take(self, visited: Visited, name: str, population: Population | None, directory: Path) -> None:
        """Take what an activity gave to a transition; compute it if it is to be computed once."""
        node = visited.node
        if population is None:
            visited.populations[name] = None
            visited.passed[name] = Passed(activity=node.id, transition=name)
            return
        rows = None
        if self.rows is not None and self.is_computed(node, name, population):
            relation, rows = self.rows.computed(node, name, population.relation, directory)
            population = replace(population, relation=relation)
        visited.populations[name] = population
        visited.passed[name] = Passed(
            activity=node.id,
            transition=name,
            dimension=population.dimension,
            source=population.source,
            columns=list(population.relation.columns),
            rows=rows,
            kept=rows is not None,
        )

    def is_computed(self, node: Node, transition: str, population: Population) -> bool:
        """Say whether a transition is computed once rather than composed into what follows.

        People who are told by a formula over stored profiles cost the same to read again as rows that were kept.
        """
        consumers = self.workflow.consumers(node.id, transition)
        if node.keep or acts(node.kind) or any(consumer.kind.effect for consumer in consumers):
            return True
        if population.selection is not None and population.selection.is_stored:
            return False
        return node.kind.heavy or len(consumers) > 1 or (transition == COMPLEMENT and bool(consumers))

    def note_fault(self, node: Node, path: str, message: str, hint: str, *, line: int = 0, column: int = 0) -> None:
        """Note a fault of an activity, with its place in the document."""
        full = f"{node.path}.{path}" if path else node.path
        at = place_of(full, self.workflow.places)
        self.faults.append(
            WorkflowFault(
                path=full, message=message, hint=hint, line=line, column=column, file_line=at[0], file_column=at[1]
            )
        )

    def check(self) -> dict[str, Visited]:
        """Compose the whole workflow and note every fault; an activity that cannot be composed stops what follows."""
        before: dict[str, Visited] = {}
        for node in self.workflow.nodes:
            try:
                before[node.id] = self.visit(node, before)
            except SymbolonError as error:
                self.note_fault(node, "", error.summary, error.hint)
                before[node.id] = Visited(node, skipped=True)
        return before


def acts(kind: Activity) -> bool:
    """Say whether what an activity gave must be kept: doing it again would do something, or give something else."""
    return kind.effect or kind.kept


def count_together(surroundings: Surroundings, visited: Mapping[str, Visited]) -> dict[str, dict[str, Passed]]:
    """Count all transitions that were not computed; give all transitions with their counts.

    What is chosen from the same people is counted by one statement; what joins is counted by itself, for its memory.
    """
    passed = {activity: dict(one.passed) for activity, one in visited.items()}
    chosen: dict[Any, list[tuple[str, str, Selection]]] = {}
    for activity, one in visited.items():
        for name, population in one.populations.items():
            if population is None or one.passed[name].rows is not None:
                continue
            if population.selection is not None:
                among = chosen.setdefault(population.selection.base.op(), [])
                among.append((activity, name, population.selection))
            else:
                rows = surroundings.engine.count(population.relation)
                passed[activity][name] = msgspec.structs.replace(one.passed[name], rows=rows)
    for together in chosen.values():
        found = surroundings.engine.fetch(counts([selection for _, _, selection in together])).to_pylist()[0]
        for (activity, name, _), rows in zip(together, found.values(), strict=True):
            passed[activity][name] = msgspec.structs.replace(passed[activity][name], rows=int(rows))
    return passed
