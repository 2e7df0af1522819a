"""A layered table shows what a dict would, whatever happened to it in whatever order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.lake import CommitConflict, Lake, LayeredTable
from symbolon.lake.duckdb import DuckDbEngine

SCHEMA = pa.schema([("tenant", pa.int64()), ("key", pa.int64()), ("text", pa.string())])
KEY = ("tenant", "key")

keys = st.tuples(st.integers(0, 2), st.integers(0, 9))
rows = st.dictionaries(keys, st.one_of(st.none(), st.sampled_from(["a", "b", "", "ü"])), max_size=12)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), rows, st.sets(keys, max_size=5)),
        st.tuples(st.just("replace"), rows, st.just(set())),
        st.tuples(st.just("compact"), st.just({}), st.just(set())),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def engine():
    with tempfile.TemporaryDirectory() as folder, DuckDbEngine(Path(folder) / "lake", threads=1) as engine:
        yield engine


class Table:
    """A layered table in a lake of its own, and the few lines that its users write."""

    def __init__(self, engine: DuckDbEngine, name: str) -> None:
        self.engine = engine
        self.lake = Lake(engine._root)
        self.layered = LayeredTable(self.lake, name, SCHEMA, KEY)

    def relation(self, content: dict[tuple[int, int], str | None]):
        rows = [{"tenant": tenant, "key": key, "text": text} for (tenant, key), text in content.items()]
        return self.engine.relation(pa.Table.from_pylist(rows, schema=SCHEMA))

    def change(self, content: dict[tuple[int, int], str | None], gone: set[tuple[int, int]] = frozenset()) -> int:
        layered, seq = self.layered, self.layered.next_seq()
        removed = self.relation(dict.fromkeys(gone)).select(*KEY)
        with self.lake.attempt("change") as directory:
            changed = layered.layer(self.relation(content), seq).union(layered.layer(removed, seq, deleted=True))
            files = self.engine.write(changed, directory, layered.stored_schema)
            return layered.append_delta(files, seq=seq)

    def replace(self, content: dict[tuple[int, int], str | None]) -> int:
        with self.lake.attempt("replace") as directory:
            base = self.layered.layer(self.relation(content), 0)
            return self.layered.replace_base(self.engine.write(base, directory, self.layered.stored_schema))

    def compact(self) -> int:
        with self.lake.attempt("compact") as directory:
            return self.layered.compact(self.engine, directory)

    def content(self, version: int | None = None) -> dict[tuple[int, int], str | None]:
        found = self.engine.fetch(self.layered.current(self.engine, version), limit=None)
        assert found.schema.equals(SCHEMA)
        rows = found.to_pylist()
        content = {(row["tenant"], row["key"]): row["text"] for row in rows}
        assert len(content) == len(rows), "a key stands twice"
        return content


@pytest.fixture
def table(engine: DuckDbEngine, request: pytest.FixtureRequest) -> Table:
    table = Table(engine, f"tests/{abs(hash(request.node.name))}")
    table.layered.table.delete()
    return table


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_it_is_a_dict(table: Table, steps: list) -> None:
    table.layered.table.delete()
    plain: dict[tuple[int, int], str | None] = {}
    history: dict[int, dict[tuple[int, int], str | None]] = {}
    for step, content, gone in steps:
        if step == "change":
            gone_only = gone - content.keys()
            if not content and not gone_only:
                continue
            version = table.change(content, gone_only)
            plain = {key: text for key, text in (plain | content).items() if key not in gone_only}
        elif step == "replace":
            version = table.replace(content)
            plain = dict(content)
        elif table.layered.exists:
            version = table.compact()
            assert table.layered.layers() == 0
        else:
            continue
        history[version] = dict(plain)
        assert table.content() == plain
    for version, content in history.items():
        assert table.content(version) == content


def test_without_layers_it_is_a_scan(table: Table) -> None:
    table.replace({(0, 1): "a"})
    sql = table.engine.sql(table.layered.current(table.engine)).upper()
    assert "JOIN" not in sql
    assert "UNION" not in sql
    assert "ROW_NUMBER" not in sql


def test_nothing_yet(table: Table) -> None:
    layered = table.layered
    assert (layered.exists, layered.version, layered.next_seq(), layered.layers()) == (False, -1, 1, 0)
    assert (layered.base_rows(), layered.delta_rows(), layered.needs_compaction) == (0, 0, False)
    assert table.content() == {}
    assert table.change({(0, 1): "a"}) == 0
    assert table.content() == {(0, 1): "a"}


def test_when_to_compact(table: Table) -> None:
    table.replace({(0, number): "a" for number in range(100)})
    assert not table.layered.needs_compaction
    table.change({(0, number): "b" for number in range(10)})
    assert not table.layered.needs_compaction
    table.change({(0, 1): "b"})
    assert table.layered.needs_compaction
    table.compact()
    assert not table.layered.needs_compaction
    table.replace({(0, number): "a" for number in range(1000)})
    for number in range(16):
        table.change({(0, number): "c"})
    assert not table.layered.needs_compaction
    table.change({(0, 99): "c"})
    assert table.layered.needs_compaction


def test_two_that_change_at_once(table: Table) -> None:
    table.replace({(0, 1): "a"})
    layered, seq = table.layered, table.layered.next_seq()
    with table.lake.attempt("x") as directory:
        files = table.engine.write(layered.layer(table.relation({(0, 1): "b"}), seq), directory, layered.stored_schema)
        table.change({(0, 1): "c"})
        with pytest.raises(CommitConflict):
            layered.append_delta(files, seq=seq)
        with pytest.raises(CommitConflict):
            layered.append_delta(files, seq=seq, expected_version=0)
        with pytest.raises(CommitConflict):
            layered.replace_base(files, expected_version=0)
    assert table.content() == {(0, 1): "c"}


def test_columns_are_added_later(table: Table) -> None:
    table.replace({(0, 1): "a", (0, 2): "b"})
    wider = LayeredTable(table.lake, table.layered.table.name, SCHEMA.append(pa.field("extra", pa.float64())), KEY)
    assert table.engine.fetch(wider.current(table.engine).order_by("key")).to_pylist()[0]["extra"] is None
    seq = wider.next_seq()
    more = table.relation({(0, 2): "c"}).mutate(extra=1.5)
    with table.lake.attempt("x") as directory:
        wider.append_delta(table.engine.write(wider.layer(more, seq), directory, wider.stored_schema), seq=seq)
        found = table.engine.fetch(wider.current(table.engine).order_by("key")).to_pylist()
        assert [(row["text"], row["extra"]) for row in found] == [("a", None), ("c", 1.5)]
        wider.compact(table.engine, directory)
    found = table.engine.fetch(wider.current(table.engine).order_by("key")).to_pylist()
    assert [(row["text"], row["extra"]) for row in found] == [("a", None), ("c", 1.5)]
    assert table.content(0) == {(0, 1): "a", (0, 2): "b"}
