# ruff: noqa: S101 - a suite of tests
"""What every engine must do, as tests. The subclass supplies the fixture `engine`.

Invariant: each test says what a caller sees, never how the engine does it.
"""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from symbolon.errors import EngineError
from symbolon.lake import Lake, LakeCorrupt, ParquetStaging, StatementFailed, WrittenFile
from symbolon.testing.marks import Conformance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from symbolon.lake import Engine

#: every type that a table of the lake has
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("small", pa.int32()),
        ("tiny", pa.int8()),
        ("flag", pa.bool_()),
        ("text", pa.string()),
        ("raw", pa.binary()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", "UTC")),
        ("share", pa.float64()),
    ]
)
_MOMENT = dt.datetime(2026, 3, 29, 2, 30, 0, 123456, dt.UTC)
ROWS: list[dict[str, Any]] = [
    {
        "number": 2**63 - 1,
        "small": -(2**31),
        "tiny": 127,
        "flag": True,
        "text": "fovea.f 'İß' \v\"é\"",
        "raw": b"\x00\xff'\"",
        "day": dt.date(1969, 12, 31),
        "moment": _MOMENT,
        "share": 0.1,
    },
    {
        "number": -(2**63),
        "small": 0,
        "tiny": -128,
        "flag": False,
        "text": "",
        "raw": b"",
        "day": dt.date(9999, 1, 1),
        "moment": _MOMENT - dt.timedelta(days=40_000),
        "share": -0.0,
    },
    dict.fromkeys(SCHEMA.names),
]
NUMBERS = pa.schema([("number", pa.int64())])


class EngineConformance(Conformance):
    """Subclass it in a test module as `Test...` and give the fixture `engine`, over the lake of the fixture `lake`."""

    @pytest.fixture
    def lake(self, tmp_path: Path) -> Lake:
        """An empty lake."""
        return Lake(tmp_path / "lake")

    @pytest.fixture
    def directory(self, lake: Lake) -> Iterator[Path]:
        """A staging directory."""
        with lake.attempt("conformance") as directory:
            yield directory

    @pytest.fixture
    def rows(self) -> pa.Table:
        """A few rows of every type."""
        return pa.Table.from_pylist(ROWS, schema=SCHEMA)

    def test_rows_in_memory_come_back(self, engine: Engine, rows: pa.Table) -> None:
        """Every type and null survives."""
        relation = engine.relation(rows)
        assert engine.fetch(relation).equals(rows)
        assert engine.count(relation) == rows.num_rows
        assert relation.columns == tuple(SCHEMA.names)

    def test_written_rows_come_back(self, engine: Engine, rows: pa.Table, directory: Path) -> None:
        """Write, scan: the same rows, and a footer with exactly the columns asked for."""
        files = engine.write(engine.relation(rows), directory, SCHEMA, order_by=["tiny"])
        assert sum(file.rows for file in files) == rows.num_rows
        for file in files:
            assert file.path.parent == directory
            assert file.path.stat().st_size == file.size_bytes
            assert file.path.stat().st_mode & 0o777 == 0o600
            assert [(field.name, field.type) for field in pq.read_schema(file.path)] == [
                (field.name, field.type) for field in SCHEMA
            ]
        back = engine.fetch(engine.scan([str(file.path) for file in files], SCHEMA))
        assert _sorted(back) == _sorted(rows)

    def test_write_picks_orders_and_casts(self, engine: Engine, directory: Path) -> None:
        """Columns go by name, whatever their order, type or the ones beside them."""
        given = engine.relation(pa.table({"extra": [1], "b": pa.array([7], pa.int32()), "a": ["x"]}))
        wanted = pa.schema([("a", pa.string()), ("b", pa.int64()), ("c", pa.int64())])
        files = engine.write(given.mutate(c=ibis.literal(1, "int64")), directory, wanted)
        assert [(field.name, field.type) for field in pq.read_schema(files[0].path)] == [
            (field.name, field.type) for field in wanted
        ]
        scanned = engine.fetch(engine.scan([str(files[0].path)], wanted))
        assert scanned.to_pylist() == [{"a": "x", "b": 7, "c": 1}]

    def test_write_sorts(self, engine: Engine, directory: Path) -> None:
        """With `order_by` the files in the order given are sorted."""
        numbers = engine.relation(pa.table({"number": [(i * 7919) % 300_007 for i in range(300_007)]}))
        files = engine.write(numbers, directory, NUMBERS, order_by=["number"])
        found = [value for file in files for value in pq.read_table(file.path)["number"].to_pylist()]
        assert found == list(range(300_007))

    def test_nothing_written_is_no_file(self, engine: Engine, rows: pa.Table, directory: Path) -> None:
        """A relation without rows gives no file and leaves none."""
        assert engine.write(engine.relation(rows.slice(0, 0)), directory, SCHEMA) == []
        assert list(directory.iterdir()) == []

    def test_write_twice_into_one_directory(self, engine: Engine, directory: Path) -> None:
        """Two writes with two prefixes do not disturb each other; the same prefix is refused, and the file stays."""
        one = engine.relation(pa.table({"number": [1]}))
        first = engine.write(one, directory, NUMBERS, prefix="one")
        second = engine.write(one, directory, NUMBERS, prefix="two")
        assert engine.count(engine.scan([str(file.path) for file in first + second], NUMBERS)) == 2
        with pytest.raises(EngineError):
            engine.write(one, directory, NUMBERS, prefix="one")
        assert engine.count(engine.scan([str(file.path) for file in first], NUMBERS)) == 1

    def test_scan_of_nothing(self, engine: Engine) -> None:
        """No file is an empty relation with the columns."""
        nothing = engine.scan([], SCHEMA)
        assert engine.count(nothing) == 0
        assert engine.fetch(nothing).schema.equals(SCHEMA)

    def test_scan_fills_columns_that_a_file_lacks(self, engine: Engine, directory: Path) -> None:
        """A column that was added later is null in the rows from before."""
        old = _staged(directory / "old", pa.table({"number": [1]}))
        new = _staged(directory / "new", pa.table({"number": [2], "text": ["x"]}))
        wider = pa.schema([("number", pa.int64()), ("text", pa.string())])
        both = engine.fetch(engine.scan([str(old.path), str(new.path)], wider).order_by("number"))
        assert both.to_pylist() == [{"number": 1, "text": None}, {"number": 2, "text": "x"}]
        assert engine.fetch(engine.scan([str(old.path)], wider)).to_pylist() == [{"number": 1, "text": None}]

    def test_scan_of_a_missing_file(self, engine: Engine, directory: Path) -> None:
        """A file that is not there is a lake that is damaged."""
        with pytest.raises(LakeCorrupt):
            engine.count(engine.scan([str(directory / "gone.parquet")], NUMBERS))

    def test_scan_of_garbage(self, engine: Engine, directory: Path) -> None:
        """A file that is no Parquet, or is cut, is a lake that is damaged."""
        whole = _staged(directory, pa.table({"number": list(range(1000))})).path
        for content in (b"", b"garbage" * 100, whole.read_bytes()[:-20]):
            damaged = directory / "damaged.parquet"
            damaged.write_bytes(content)
            with pytest.raises(LakeCorrupt):
                engine.fetch(engine.scan([str(damaged)], NUMBERS))

    def test_batches(self, engine: Engine) -> None:
        """Batches have the relation's types, at most the rows asked for, and all of them together."""
        numbers = engine.relation(pa.table({"number": list(range(10_000))}))
        batches = list(engine.batches(numbers, chunk_rows=3_000))
        assert all(0 < batch.num_rows <= 3_000 for batch in batches)
        assert all(batch.schema.equals(NUMBERS) for batch in batches)
        assert sorted(value for batch in batches for value in batch.column(0).to_pylist()) == list(range(10_000))

    def test_batches_survive_other_statements(self, engine: Engine) -> None:
        """Reading in batches goes on while other statements run."""
        numbers = engine.relation(pa.table({"number": list(range(10_000))}))
        total = 0
        for batch in engine.batches(numbers, chunk_rows=1_000):
            total += batch.num_rows
            assert engine.count(engine.relation(pa.table({"number": [1]}))) == 1
        assert total == 10_000

    def test_fetch_limits(self, engine: Engine) -> None:
        """`limit` bounds the rows; None gives all of them."""
        numbers = engine.relation(pa.table({"number": list(range(200_000))}))
        assert engine.fetch(numbers, limit=7).num_rows == 7
        assert engine.fetch(numbers).num_rows == 100_000
        assert engine.fetch(numbers, limit=None).num_rows == 200_000

    def test_relations_compose(self, engine: Engine) -> None:
        """Joins, filters and aggregates over scans, rows in memory and memtables."""
        left = engine.relation(pa.table({"key": [1, 2, 3], "a": ["x", "y", "z"]}))
        right = ibis.memtable(pa.table({"key": [2, 3, 4], "b": [20, 30, 40]}))
        joined = left.join(right, "key").filter(ibis._.b > 20)
        assert engine.fetch(joined).to_pylist() == [{"key": 3, "a": "z", "b": 30}]
        assert engine.count(joined) == 1
        assert "key" in engine.sql(joined)

    def test_rows_in_memory_live_as_long_as_their_relations(self, engine: Engine) -> None:
        """What is made from rows in memory still works when the first relation is gone."""
        derived = engine.relation(pa.table({"number": [1, 2, 3]})).filter(ibis._.number > 1)
        for _ in range(20):
            engine.count(engine.relation(pa.table({"number": [0]})))
        assert engine.count(derived) == 2

    def test_failures_hold_no_values(self, engine: Engine, directory: Path) -> None:
        """The text of a failed statement never shows what was in the rows."""
        secret = "canary.maria@example.org"  # noqa: S105 - a planted address
        texts = engine.relation(pa.table({"number": [secret, "12345678901234567890123"]}))
        failing: list[Callable[[], object]] = [
            lambda: engine.fetch(texts.select(number=texts.number.cast("int64"))),
            lambda: engine.write(texts, directory, NUMBERS),
            lambda: engine.fetch(texts.filter(texts.number.cast("timestamp") > ibis.now())),
        ]
        for fail in failing:
            with pytest.raises(StatementFailed) as caught:
                fail()
            shown = f"{caught.value}{caught.value.as_dict()}{caught.value!r}".lower()
            assert not any(part in shown for part in ("canary", "maria", "example.org", "1234567"))
            assert caught.value.__suppress_context__

    def test_a_failed_write_leaves_nothing(self, engine: Engine, directory: Path) -> None:
        """No half a file stays behind, and the name can be used again."""
        texts = engine.relation(pa.table({"number": [str(i) for i in range(200_000)] + ["x"]}))
        with pytest.raises(StatementFailed):
            engine.write(texts, directory, NUMBERS)
        assert list(directory.iterdir()) == []
        assert engine.write(engine.relation(pa.table({"number": [1]})), directory, NUMBERS)

    def test_several_threads(self, engine: Engine, directory: Path) -> None:
        """Threads use one engine at once without seeing each other's rows."""
        start = threading.Barrier(4)

        def work(number: int) -> int:
            start.wait()
            total = 0
            for turn in range(10):
                relation = engine.relation(pa.table({"number": [number] * 100}))
                files = engine.write(relation, directory, NUMBERS, prefix=f"thread-{number}-{turn}")
                scanned = engine.scan([str(file.path) for file in files], NUMBERS)
                total += engine.count(scanned.filter(scanned.number == number))
            return total

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [1_000] * 4

    def test_it_examines_itself(self, engine: Engine) -> None:
        """It says what it is, and leaves nothing of it."""
        assert engine.name in engine.examine().lower()

    def test_closing_twice(self, engine: Engine) -> None:
        """Closing again does nothing; a closed engine says so."""
        relation = engine.relation(pa.table({"number": [1]}))
        engine.close()
        engine.close()
        with pytest.raises(EngineError):
            engine.count(relation)


def _staged(directory: Path, table: pa.Table) -> WrittenFile:
    staging = ParquetStaging(directory, table.schema)
    for batch in table.to_batches():
        staging.write(batch)
    return staging.close()[0]


def _sorted(table: pa.Table) -> list[str]:
    return sorted(str(row) for row in table.to_pylist())
