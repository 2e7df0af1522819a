"""A context for one activity over relations in memory: the real `ActivityContext`, real DuckDB, real conditions.

Only profiles, the audience library and the memory between runs stand in for what other rooms bring.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import msgspec
import pyarrow as pa

from symbolon.errors import UnknownNameError
from symbolon.lake.duckdb import DuckDbEngine
from symbolon.records import Audience, AudienceType
from symbolon.targeting.activity import Mode
from symbolon.targeting.context import ActivityContext
from symbolon.targeting.kinds import known
from symbolon.targeting.population import PROFILE, UNKNOWN, Population

NOW = datetime(2026, 7, 1, 8, 30, 15, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
PEOPLE = pa.schema(
    [
        ("profile_id", pa.int64()),
        ("email", pa.string()),
        ("city", pa.string()),
        ("country", pa.string()),
        ("birth_date", pa.date32()),
        ("opt_out_email", pa.bool_()),
        ("points", pa.int64()),
        ("modified", MOMENT),
    ]
)
LINKS = pa.schema([("d0", pa.int64()), ("d1", pa.int64()), ("profile_id", pa.int64()), ("last_seen", MOMENT)])
#: texts that engines and careless statements take for something else
HOSTILE = [
    None, "", " ", "a", "A", "a ", "ß", "ẞ", "é", "e\u0301", "İ", "'", "''", '"', "\\", "\\n", "\n", "x\r\n", "%", "_",
    "$", "${city}", "--", "/*", "NULL", "~", "~|", "|", "\0", "nul\0in", "\u2028", "😀", "0", "-1", "1e3",
]  # fmt: skip


class Fault(msgspec.Struct, frozen=True):
    """A fault as it was noted."""

    path: str
    message: str
    hint: str


class Memory:
    """What is remembered from run to run, in a dict."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.kept: dict[tuple[str, str], pa.Table] = {}

    def read(self, workflow: str, activity: str, schema: pa.Schema) -> ibis.Table:
        found = self.kept.get((workflow, activity))
        return self._engine.relation(schema.empty_table() if found is None else found.select(schema.names))


class Library:
    """Audiences in a dict."""

    def __init__(self) -> None:
        self.audiences: dict[str, tuple[Audience, ibis.Table | None]] = {}

    def put(
        self, name: str, rows: ibis.Table | None, kind: str = "list", dimension: str = PROFILE, rule: str = ""
    ) -> None:
        self.audiences[name] = (Audience(name=name, type=AudienceType(kind), dimension=dimension, rule=rule), rows)

    def audience(self, name: str) -> Audience:
        if name not in self.audiences:
            raise UnknownNameError.among("audience", name, list(self.audiences))
        return self.audiences[name][0]

    def rows(self, name: str) -> ibis.Table:
        rows = self.audiences[name][1]
        assert rows is not None
        return rows


class Bench:
    """People, links and audiences of a test, on an engine; makes contexts and populations."""

    def __init__(self, engine: Any, folder: Path) -> None:
        self.engine = engine
        self.library = Library()
        self.memory = Memory(engine)
        self.folder = folder
        self._numbers = itertools.count(1)
        self.people([])
        self.links([])

    def people(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Set the profiles; what a row does not name is missing."""
        self.people_table = self.table(rows, PEOPLE)

    def links(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Set the links with browsers."""
        self.links_table = self.table(rows, LINKS)

    def table(self, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> ibis.Table:
        """Give a relation of rows."""
        return self.engine.relation(pa.Table.from_pylist([dict(row) for row in rows], schema=schema))

    def set(self, ids: Iterable[int]) -> Population:
        """Give people without further columns."""
        return Population(self.table([{"profile_id": one} for one in ids], pa.schema([("profile_id", pa.int64())])))

    def rows(
        self,
        rows: Iterable[Mapping[str, Any]],
        columns: Mapping[str, pa.DataType],
        dimension: str = UNKNOWN,
        source: str = "",
    ) -> Population:
        """Give a population of any kind."""
        return Population(self.table(rows, pa.schema(list(columns.items()))), dimension, source)

    def context(
        self,
        inputs: Sequence[Population] = (),
        *,
        mode: Mode = Mode.RUN,
        run_id: str = "run-1",
        now: datetime = NOW,
        parameters: Mapping[str, Any] | None = None,
        activity: str = "step",
    ) -> Step:
        """Give the context of one activity."""
        directory = self.folder / f"step-{next(self._numbers)}"
        directory.mkdir(parents=True)
        profiles = SimpleNamespace(current=lambda: self.people_table, visitor_index=lambda: self.links_table)
        surroundings: Any = SimpleNamespace(
            engine=self.engine,
            profiles=profiles,
            library=self.library,
            settings=None,
            open_deliveries=lambda: None,
            open_transport=None,
            is_transport=None,
        )
        return Step(self, surroundings, mode, run_id, now, inputs, parameters or {}, directory, activity)


class Step(ActivityContext):
    """The context of one activity; its faults can be looked at."""

    def __init__(
        self,
        bench: Bench,
        surroundings: Any,
        mode: Mode,
        run_id: str,
        now: datetime,
        inputs: Sequence[Population],
        parameters: Mapping[str, Any],
        directory: Path,
        activity: str,
    ) -> None:
        self.faults: list[Fault] = []
        self.bench = bench

        def fault(path: str, message: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
            assert message
            assert line >= 0 <= column
            self.faults.append(Fault(path, message, hint))

        memory: Any = bench.memory
        super().__init__(
            surroundings,
            mode=mode,
            workflow="flow",
            run_id=run_id,
            activity=activity,
            now=now,
            inputs=inputs,
            parameters=parameters,
            directory=directory,
            steps=None,  # type: ignore[arg-type]
            fault=fault,
            memory=memory,
        )

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.faults]

    def finish(self) -> None:
        """End the run well: what was to be remembered is."""
        if self.memory is not None:
            self.bench.memory.kept["flow", self.activity] = self.bench.engine.fetch(self.memory, limit=None)


def apply(kind: str, context: Step, **values: Any) -> dict[str, Population]:
    """Do an activity. What comes back are the outputs it names, in that order."""
    chosen = msgspec.convert(values, known()[kind].options)
    outcome = known()[kind].apply(chosen, context)
    assert list(outcome) == known()[kind].outputs(chosen)
    return {name: population for name, population in outcome.items() if population is not None}


def fetch(context: Step, population: Population) -> list[dict[str, Any]]:
    """Give the rows of a population, and look that they have its shape."""
    table = context.engine.fetch(population.relation, limit=None)
    assert table.column_names == list(population.relation.columns)
    assert population.dimension == UNKNOWN or table.column_names[0] == "profile_id"
    return table.to_pylist()


def ids(context: Step, population: Population) -> list[int]:
    """Give the numbers of people, sorted; twice who is there twice."""
    return sorted(row["profile_id"] for row in fetch(context, population))


def run(bench: Bench, kind: str, inputs: Sequence[Population] = (), **values: Any) -> dict[str, list[dict[str, Any]]]:
    """Do an activity without faults; give the rows of its transitions."""
    context = bench.context(inputs)
    outcome = apply(kind, context, **values)
    assert not context.faults
    return {name: fetch(context, population) for name, population in outcome.items()}


def bag(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give rows so that bags of them can be compared, missing values and all."""

    def shown(value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    return sorted(repr(sorted((name, shown(value)) for name, value in row.items())) for row in rows)


def people_of(count: int) -> list[dict[str, Any]]:
    """Give people who differ, and some who do not, by their number."""
    return [
        {
            "profile_id": number,
            "email": HOSTILE[number % len(HOSTILE)],
            "city": ["Paris", "Lyon", None, "", "paris"][number % 5],
            "country": ["FR", "DE", None][number % 3],
            "birth_date": date(1990, 1, 1 + number % 28) if number % 4 else None,
            "opt_out_email": [True, False, None][number % 3],
            "points": number * 7 % 11 if number % 6 else None,
            "modified": datetime(2026, 6, 1 + number % 30, tzinfo=UTC) if number % 7 else None,
        }
        for number in range(1, count + 1)
    ]


@contextmanager
def opened(folder: Path) -> Iterator[Bench]:
    """Open a bench on DuckDB."""
    root = folder / "lake"
    with DuckDbEngine(root) as engine:
        yield Bench(engine, root / "tmp" / "bench")
