"""What an activity is: a function from populations to populations, and a description of its options.

Invariant: an activity is one file in `activities/` that names itself in `ACTIVITY`; nothing else knows it. It composes
relations and computes nothing by itself; what has to be computed or done outside goes through its context, which knows
whether this is a check, a plan or a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from symbolon.lake import Engine
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.targeting.activities._values import Type
    from symbolon.targeting.delivering import Deliveries
    from symbolon.targeting.population import Population
    from symbolon.targeting.publishing import Library

#: name of the transition of an activity that has only one
RESULT = "result"
COMPLEMENT = "complement"


class Mode(StrEnum):
    """What an activity is asked for."""

    CHECK = "check"  #: are the options right? Relations are composed, nothing is read
    PLAN = "plan"  #: what would happen? Rows are read, nothing that counts is written, nothing outside is changed
    RUN = "run"


class Category(StrEnum):
    """Where a palette lists an activity."""

    TARGETING = "targeting"
    DATA = "data"
    CHANNELS = "channels"
    FLOW = "flow"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of one kind of activity; each field is `Annotated[type, msgspec.Meta(description=...)]`."""


class Context(Protocol):
    """What an activity may use. Paths of faults are relative to the activity: `where`, `segments[1].limit`."""

    mode: Mode
    #: id of the activity
    activity: str
    #: id of the run; empty in a check or a plan
    run_id: str
    #: name of the workflow
    workflow: str
    #: the moment of the run, UTC; the same for all its activities
    now: datetime
    #: a number of its own for each run and activity, the same when it is done again
    seed: int
    #: what comes in, in the order of `from`; branches that were not taken are left out
    inputs: Sequence[Population]
    #: whether a transition comes in, with a population or without
    has_input: bool
    #: parameters of the run (external signal)
    parameters: Mapping[str, Any]
    #: types of all that are declared
    parameter_types: Mapping[str, Type]
    engine: Engine
    profiles: Profiles
    library: Library
    settings: Settings
    #: first part of the names of tables of the lake that belong to this activity in this run: they survive a crash and
    #: a pause, and go when the run goes; empty in a check or a plan
    place: str
    #: a folder that lives as long as this activity; for files on their way
    directory: Path

    @property
    def deliveries(self) -> Deliveries:
        """What sends messages."""
        ...

    def people(self) -> ibis.Table:
        """Give the current profiles: `profile_id` and all fields."""
        ...

    def condition(self, text: str, table: ibis.Table, path: str) -> ibis.Table:
        """Give the rows of `table` (people, or rows of a file) for which a condition is true. Faults are noted."""
        ...

    def expression(self, text: str, table: ibis.Table, path: str) -> ibis.Value:
        """Give the value of an expression over the columns of `table`. Faults are noted; the value is then null."""
        ...

    def ordering(self, text: str, table: ibis.Table, path: str) -> list[ibis.Value]:
        """Give the sort keys of `last_name, years_old(birth_date) DESC`. Faults are noted."""
        ...

    def audience(self, name: str, path: str) -> Population:
        """Give the members of an audience of any type; a Query audience is evaluated now. Faults are noted."""
        ...

    def text(self, template: str, path: str) -> str:
        """Fill `${parameter}` in a name or path."""
        ...

    def keep(self, relation: ibis.Table, name: str) -> ibis.Table:
        """Compute a relation once and give its rows; they survive a crash in a run. A check gives it as it is."""
        ...

    def remembered(self, schema: pa.Schema) -> ibis.Table:
        """Give what this activity of this workflow remembered in its last finished run; no rows at first."""
        ...

    def remember(self, relation: ibis.Table) -> None:
        """Remember rows for the next run, once this one is done; a check or plan remembers nothing."""
        ...

    def count(self, relation: ibis.Table) -> int:
        """Count rows; 0 in a check."""
        ...

    def open_transport(self, name: str) -> Any:
        """Give a transport (`symbolon.transports.Transport`) by the name of a definition, a folder or a URL.

        It is closed when the activity ends, well or not: activities do not close it, and keep nothing that reads from
        it.
        """
        ...

    def is_transport(self, name: str) -> bool:
        """Say whether a transport of this name is defined; a folder of the project is none."""
        ...

    def wait_until(self, moment: datetime) -> None:
        """Wait, over a crash too; a check or plan does not wait."""
        ...

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a signal and give its parameters; None after the timeout, in a check and in a plan."""
        ...

    def is_confirmed(self) -> bool:
        """Say whether a person has confirmed that this activity may act. If not, the run pauses here, then asks again.

        An activity that is not confirmed tells by `note` what it would do, and gives no transitions. A check or a plan
        is never confirmed, and does not pause.
        """
        ...

    def note(self, **facts: Any) -> None:
        """Tell what was done, for the history and the plan: small JSON-able values, never rows or identifiers."""
        ...

    def warn(self, text: str) -> None:
        """Tell what a person should know."""
        ...

    def fault(self, path: str, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        """Note that the definition is wrong here. The activity goes on as well as it can, so that all are found."""
        ...


#: transitions by name; None = one without a population
Outcome = dict[str, "Population | None"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """How many transitions may come in."""

    least: int = 1
    most: int | None = 1

    def __str__(self) -> str:
        if self.most is None:
            return f"{self.least} or more"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


NO_INPUT, ONE_INPUT, MAYBE_INPUT, SEVERAL = Inputs(0, 0), Inputs(1, 1), Inputs(0, 1), Inputs(2, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """A kind of activity, described once: for checking, for the palette and for its page in the guide."""

    #: its `type` in a definition: `query`, `save_audience`
    name: str
    #: as people say it: `Query`, `Save audience`
    title: str
    #: one sentence: what it gives
    summary: str
    category: Category
    options: type[Options]
    apply: Callable[[Any, Context], Outcome]
    inputs: Inputs = ONE_INPUT
    #: names of its transitions, by its options
    outputs: Callable[[Any], list[str]] = field(default=lambda _options: [RESULT])
    #: whether it changes something outside the run (files, audiences, profiles): done once, its transitions are kept
    effect: bool = False
    #: whether its transitions must be computed once: it draws lots, or reads what can change
    kept: bool = False
    #: whether it joins, sorts or groups: its transitions are computed once, so that no count does it again
    heavy: bool = False
    #: whether it may wait, for a moment or a signal
    waits: bool = False
    #: an activity as YAML, for the guide; a test checks it
    example: str = ""
    #: further paragraphs of the guide page, Markdown
    notes: str = ""
