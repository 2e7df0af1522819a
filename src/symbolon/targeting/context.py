"""What an activity is given: the real `Context` of `activity.py`, for a check, a plan and a run alike.

Invariant: rows are computed only by `keep`, `count` and what an activity asks the library, the profiles or a transport
for. Rows that a run keeps are tables of the lake under `runs/`, so another process finds them.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from symbolon.errors import DefinitionError, SymbolonError
from symbolon.records import AudienceType
from symbolon.store import TableState
from symbolon.targeting.activity import Mode
from symbolon.targeting.members import Members
from symbolon.targeting.population import Population
from symbolon.targeting.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from symbolon.targeting.activities._values import Type
    from symbolon.targeting.delivering import Deliveries
    from symbolon.targeting.surroundings import Steps, Surroundings
    from symbolon.transports.transport import Transport

    #: activity, name, relation, folder -> rows that survive a crash
    Kept = Callable[[str, str, ibis.Table, Path], ibis.Table]


class ActivityContext:
    """The context of one activity; see `symbolon.targeting.activity.Context` for what each method gives."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        mode: Mode,
        workflow: str,
        run_id: str,
        activity: str,
        now: datetime,
        inputs: Sequence[Population],
        parameters: Mapping[str, Any],
        directory: Path,
        steps: Steps,
        fault: Callable[..., None],
        memory: Memory,
        parameter_types: Mapping[str, Type] | None = None,
        has_input: bool = False,
        kept: Kept | None = None,
        place: str = "",
        confirmed: bool = False,
    ) -> None:
        self.mode = mode
        self.workflow, self.run_id, self.activity = workflow, run_id, activity
        self.now = now
        self.seed = zlib.crc32(f"{run_id}/{activity}".encode())
        self.inputs = inputs
        self.has_input = has_input
        #: what a signal brought
        self.received: dict[str, Any] = {}
        self.parameters = parameters
        self.place = place
        #: whether the run has to pause, until somebody confirms
        self.awaits = False
        self._confirmed = confirmed
        self.parameter_types = parameter_types or {}
        self.directory = directory
        self.engine, self.profiles = surroundings.engine, surroundings.profiles
        self.library, self.settings = surroundings.library, surroundings.settings
        #: what was told by `note`, and by `warn` under `warnings`
        self.facts: dict[str, Any] = {}
        #: what is to be remembered when the run is done
        self.memory: ibis.Table | None = None
        self._opened: dict[str, Transport] = {}
        self._surroundings = surroundings
        self._steps = steps
        self._noted_fault = fault
        self._kept = kept
        self._remembered = memory
        self._members = Members(self.library, self.profiles, now)
        self._rules = Rules(self._members.scope, parameters, self.fault)

    @property
    def deliveries(self) -> Deliveries:
        """What sends messages."""
        return self._surroundings.open_deliveries()

    def people(self) -> ibis.Table:
        """Give the current profiles."""
        return self.profiles.current()

    def condition(self, text: str, table: ibis.Table, path: str) -> ibis.Table:
        """Give the rows for which a condition is true."""
        return self._rules.condition(text, table, path)

    def expression(self, text: str, table: ibis.Table, path: str) -> ibis.Value:
        """Give the value of an expression."""
        return self._rules.expression(text, table, path)

    def ordering(self, text: str, table: ibis.Table, path: str) -> list[ibis.Value]:
        """Give sort keys."""
        return self._rules.ordering(text, table, path)

    def text(self, template: str, path: str) -> str:
        """Fill the parameters of a name."""
        return self._rules.text(template, path)

    def audience(self, name: str, path: str) -> Population:
        """Give the members of an audience; where there is none, nobody, and a fault."""
        try:
            audience = self.library.audience(name)
            if audience.type is not AudienceType.QUERY:
                return Population(self.library.rows(name), audience.dimension)
            people = self._members.chosen(name, audience.rule)
            return Population(people.rows.select("profile_id"), selection=people)
        except DefinitionError as error:
            self.fault(path, error.summary, error.hint)
            return Population(self.people().select("profile_id").limit(0))

    def keep(self, relation: ibis.Table, name: str) -> ibis.Table:
        """Compute a relation once."""
        if self.mode is Mode.CHECK:
            return relation
        if self._kept is not None:
            return self._kept(self.activity, name, relation, self.directory)
        schema = relation.schema().to_pyarrow()
        files = self.engine.write(relation, self.directory / f"kept-{name}", schema)
        return self.engine.scan([str(file.path) for file in files], schema)

    def remembered(self, schema: pa.Schema) -> ibis.Table:
        """Give what was remembered in the last run that was done."""
        return self._remembered.read(self.workflow, self.activity, schema)

    def remember(self, relation: ibis.Table) -> None:
        """Remember rows for the next run."""
        self.memory = relation

    def count(self, relation: ibis.Table) -> int:
        """Count rows; 0 in a check."""
        return 0 if self.mode is Mode.CHECK else self.engine.count(relation)

    def open_transport(self, name: str) -> Any:
        """Give a transport; it is open until the activity ends, and the same one when it is asked for again."""
        if name not in self._opened:
            self._opened[name] = self._surroundings.open_transport(name)
        return self._opened[name]

    def close(self) -> None:
        """Let go of the transports that the activity opened. May be called twice."""
        while self._opened:
            _, transport = self._opened.popitem()
            # what was to be moved has moved, or its own error is on the way: a server that does not answer to a
            # farewell changes neither
            with suppress(SymbolonError, OSError):
                transport.close()

    def is_transport(self, name: str) -> bool:
        """Say whether a transport of this name is defined."""
        return self._surroundings.is_transport(name)

    def wait_until(self, moment: datetime) -> None:
        """Wait, in a run."""
        if self.mode is Mode.RUN:
            self._steps.sleep_until(moment)

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a signal, in a run."""
        if self.mode is not Mode.RUN:
            return None
        given = self._steps.receive(topic, timeout_s)
        self.received.update(given or {})
        return given

    def is_confirmed(self) -> bool:
        """Say whether a person has confirmed; if not, the run pauses."""
        self.awaits = self.mode is Mode.RUN and not self._confirmed
        return self.mode is Mode.RUN and self._confirmed

    def note(self, **facts: Any) -> None:
        """Tell what was done."""
        self.facts.update(facts)

    def warn(self, text: str) -> None:
        """Tell what a person should know."""
        self.facts.setdefault("warnings", []).append(text)

    def fault(self, path: str, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        """Note that the definition is wrong."""
        self._noted_fault(path, message, hint, line=line, column=column)


class Memory:
    """What activities remember from one run to the next: a table of the lake each, pointed to by the store."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def read(self, workflow: str, activity: str, schema: pa.Schema) -> ibis.Table:
        """Give the rows of the last run that was done; none at first, or when their columns changed."""
        around = self._surroundings
        state = around.store.state(_memory_name(workflow, activity))
        if state is None:
            return around.engine.scan([], schema)
        table = around.lake.table(_memory_table(workflow, activity))
        if not table.exists or not table.schema(state.lake_version).equals(schema):
            return around.engine.scan([], schema)
        return around.engine.scan(table.files(state.lake_version), schema)

    def write(self, workflow: str, activity: str, relation: ibis.Table, directory: Path, run_id: str) -> None:
        """Add to what is remembered; the same execution (`run_id`, with its restarts) again changes nothing.

        What is known already stays: an older run that ends after a newer one takes nothing back. Of moments the last
        one counts.
        """
        around = self._surroundings
        name = _memory_name(workflow, activity)
        before = around.store.state(name)
        if before is not None and before.facts.get("run_id") == run_id:
            return
        schema = relation.schema().to_pyarrow()
        merged = relation.union(self.read(workflow, activity, schema), distinct=True)
        if schema.names == ["moment"]:
            merged = merged.aggregate(moment=merged["moment"].max())
        files = around.engine.write(merged, directory / f"memory-{activity}", schema)
        version = around.lake.table(_memory_table(workflow, activity)).commit(files, schema, mode="overwrite")
        revision = before.revision + 1 if before else 1
        after = TableState(lake_version=version, revision=revision, facts={"run_id": run_id})
        around.store.set_state(name, after, before.revision if before else None)

    def forget(self, workflow: str, activities: Sequence[str]) -> None:
        """Remove what the activities of a workflow remember."""
        for activity in activities:
            self._surroundings.store.delete_state(_memory_name(workflow, activity))
            self._surroundings.lake.table(_memory_table(workflow, activity)).delete()


def key_of(name: str) -> str:
    """Give the part of a table's name that stands for a workflow or a run."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name.lower())
    return f"{plain}_{zlib.crc32(name.encode()):08x}"


def _memory_name(workflow: str, activity: str) -> str:
    return f"workflows/{workflow}/{activity}"


def _memory_table(workflow: str, activity: str) -> str:
    return f"workflows/{key_of(workflow)}/{activity}"
