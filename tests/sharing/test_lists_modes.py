"""Saving populations in any order of modes, types and columns gives what a dict gives, and refuses what it refuses."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from saving import LINES, PROFILE, Model, ids_of, save, saved

import symbolon
from symbolon.errors import SymbolonError

NAMES = st.sampled_from(["vip", "Gäste, 'alle'"])
MODES = st.sampled_from([(m, c) for m in ("update", "create_or_update") for c in ("replace", "complete")])
TEXTS = st.sampled_from([None, "", "a", "ä'\n", "NULL"])
COLUMNS = st.sampled_from([(), ("city",), ("city", "score"), ("profile_id",), ("x_city", "status", "position")])


@st.composite
def populations(draw) -> tuple[str, tuple[str, ...], list[dict]]:
    dimension = draw(st.sampled_from([PROFILE, PROFILE, LINES]))
    columns = draw(COLUMNS)
    if dimension:
        columns = tuple(name for name in columns if name != "profile_id")
        keys = draw(st.lists(st.integers(0, 7), unique=True, max_size=6))
        return dimension, columns, [{"profile_id": key, **draw(_cells(columns))} for key in keys]
    columns = columns or ("email",)
    return dimension, columns, draw(st.lists(_cells(columns), max_size=5))


def _cells(columns: tuple[str, ...]) -> st.SearchStrategy[dict]:
    number = st.sampled_from([None, 0, 1])
    return st.fixed_dictionaries({name: number if name in ("score", "profile_id") else TEXTS for name in columns})


class Saving(RuleBasedStateMachine):
    people: Path

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.folder = tempfile.mkdtemp()
        shutil.copytree(self.people, Path(self.folder) / "project")
        self.project = symbolon.open(Path(self.folder) / "project")
        self.ids = ids_of(self.project, *(f"C{number}" for number in range(1, 9)))
        self.runs = 0

    @rule(name=NAMES, mode=MODES, population=populations(), again=st.booleans())
    def save(self, name, mode, population, again) -> None:
        dimension, columns, rows = population
        if dimension:
            rows = [{**row, "profile_id": self.ids[row["profile_id"]]} for row in rows]
        before = self.state(name)
        self.runs += 1
        given = {"dimension": dimension, "mode": mode[0], "content": mode[1], "run_id": f"run-{self.runs}/save"}
        table = _table(columns, rows, dimension)
        planned = self.outcome(name, table, given | {"run_id": ""}, plan=True)
        assert self.state(name) == before
        done = self.outcome(name, table, given)
        assert done == planned
        expected = self.model.save(name, mode[0], mode[1], dimension, rows)
        assert done == expected
        if isinstance(expected, str):
            assert self.state(name) == before
            return
        self.compare(name)
        if again:
            assert self.outcome(name, table, given) == expected
            self.compare(name)

    def outcome(self, name, table, given, **options):
        try:
            receipt = save(self.project, name, table, **given, **options)
        except SymbolonError as error:
            return error.code
        assert receipt.faults() == []
        return receipt.members, receipt.added, receipt.removed

    def state(self, name):
        if name not in self.model.kind:
            return None
        return self.project.audiences.show(name), self.project.audiences.versions(name)

    def compare(self, name) -> None:
        audience = self.project.audiences.show(name)
        dimension = self.model.kind[name]
        assert (audience.type, audience.dimension) == ("list" if dimension else "file", dimension)
        assert (audience.version, audience.members) == (self.model.version[name], self.model.members(name))
        rows = saved(self.project, name)
        if dimension:
            found = {row.pop("profile_id"): _present(row) for row in rows}
            assert found == {key: _present(row) for key, row in self.model.people[name].items()}
        else:
            bag = Counter(tuple(sorted(_present(row).items())) for row in rows)
            assert bag == self.model.lines[name]

    def teardown(self) -> None:
        self.project.close()
        shutil.rmtree(self.folder)


def _present(row: dict) -> dict:
    """Leave out what is null: completing with other columns fills them so."""
    return {key: value for key, value in row.items() if value is not None}


def _table(columns, rows, dimension):
    names = [*(["profile_id"] if dimension else []), *columns]
    kinds = {"profile_id": pa.int64(), "score": pa.int64()}
    return pa.table({name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in names})


def test_any_order_of_saving(people_folder: Path) -> None:
    machine = type("OnProject", (Saving,), {"people": people_folder})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=5, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize("dimension", [PROFILE, LINES])
def test_the_model_refuses_what_the_documentation_refuses(dimension: str) -> None:
    other = LINES if dimension else PROFILE
    model = Model()
    assert model.save("a", "update", "replace", dimension, []) == "name.unknown"
    assert model.save("a", "create_or_update", "complete", dimension, []) == (0, 0, 0)
    assert model.save("a", "create_or_update", "complete", other, []) == "audience.type"
    assert model.save("a", "create_or_update", "replace", other, []) == (0, 0, 0)
