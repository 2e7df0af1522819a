"""SQLite passes the suite of all stores; its file is private, versioned, and never half written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from symbolon.records import Arrival, Audience, AudienceType, AudienceVersion, DataSource, Definition, Run
from symbolon.settings import Settings, SettingsError
from symbolon.store import (
    StoreBusy,
    StoreCorrupt,
    StoreFull,
    StoreMissing,
    StoreVersionError,
    TableState,
    migrate,
    open_store,
)
from symbolon.store.sql import SqlStore, tables
from symbolon.store.sql.flavour import flavour_of
from symbolon.testing import StoreConformance


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(project=tmp_path / "project")


class TestSqlite(StoreConformance):
    @pytest.fixture
    def store(self, settings: Settings):
        store = open_store(settings, create=True)
        yield store
        store.close()


@pytest.fixture
def store(settings: Settings):
    store = open_store(settings, create=True)
    yield store
    store.close()


def test_migrations_build_what_the_code_knows(store: SqlStore) -> None:
    with store._database.reading() as connection:
        options = {"version_table": tables.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, tables.metadata)
        made = {row[0]: row[1] for row in connection.execute(sa.text("SELECT name, sql FROM sqlite_master"))}
    assert differences == []
    fresh = sa.create_engine("sqlite://")
    tables.metadata.create_all(fresh)
    with fresh.connect() as connection:
        wanted = {row[0]: row[1] for row in connection.execute(sa.text("SELECT name, sql FROM sqlite_master"))}
    fresh.dispose()
    made.pop(tables.VERSION_TABLE)
    assert {name: plain(sql) for name, sql in made.items() if tables.VERSION_TABLE not in name} == {
        name: plain(sql) for name, sql in wanted.items()
    }


def plain(sql: str | None) -> str:
    return " ".join((sql or "").split())


def test_records_and_tables_have_the_same_fields() -> None:
    for kind, table in {
        DataSource: tables.sources,
        Audience: tables.audiences,
        AudienceVersion: tables.audience_versions,
        Run: tables.runs,
        Definition: tables.definitions,
        Arrival: tables.arrivals,
        TableState: tables.states,
    }.items():
        assert set(kind.__struct_fields__) == {column.name for column in table.columns} - (
            {"name"} if kind is TableState else set()
        )


def test_the_file_is_private_and_safe(settings: Settings, store: SqlStore) -> None:
    store.add_source(DataSource(name="a"))
    files = sorted(path.name for path in settings.project.iterdir())
    assert files == ["symbolon.db", "symbolon.db-shm", "symbolon.db-wal"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.project.iterdir())
    assert settings.project.stat().st_mode & 0o077 == 0
    with store._database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    assert found == {"journal_mode": "wal", "busy_timeout": 30_000, "foreign_keys": 1, "synchronous": 1}


def test_making_it_again_changes_nothing(settings: Settings) -> None:
    first = open_store(settings, create=True)
    source = first.add_source(DataSource(name="a"))
    migrate(settings)
    second = open_store(settings, create=True)
    assert second.sources() == first.sources() == [source]
    first.close()
    second.close()
    third = open_store(settings)
    assert third.source("a") == source
    third.close()


def test_it_is_not_made_by_asking(settings: Settings) -> None:
    with pytest.raises(StoreMissing, match=r"no store `symbolon\.db`"):
        open_store(settings)
    assert not settings.project.exists()


@pytest.mark.parametrize(("revision", "hint"), [("9999", "newer release"), ("0000", "symbolon upgrade")])
def test_a_store_of_another_version(settings: Settings, revision: str, hint: str) -> None:
    open_store(settings, create=True).close()
    change(settings, f"UPDATE {tables.VERSION_TABLE} SET version_num = '{revision}'")
    with pytest.raises(StoreVersionError, match=hint) as caught:
        open_store(settings)
    assert caught.value.exit_code == 2
    with pytest.raises(StoreVersionError):
        migrate(settings)


def change(settings: Settings, statement: str) -> None:
    connection = sqlite3.connect(settings.project / "symbolon.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_file_that_is_no_store(settings: Settings) -> None:
    settings.project.mkdir()
    path = settings.project / "symbolon.db"
    path.write_bytes(b"this is no database " * 100)
    for use in (open_store, migrate):
        with pytest.raises(StoreCorrupt):
            use(settings)
    assert path.read_bytes() == b"this is no database " * 100
    path.unlink()
    change(settings, "CREATE TABLE photos (id INTEGER)")
    with pytest.raises(StoreCorrupt, match="no tables"):
        open_store(settings)
    with pytest.raises(StoreCorrupt, match="no store of Symbolon"):
        migrate(settings)


def test_a_cut_file(settings: Settings, store: SqlStore) -> None:
    for number in range(200):
        store.add_source(DataSource(name=f"source-{number}", terms="x" * 200))
    store.close()
    path = settings.project / "symbolon.db"
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(StoreCorrupt):
        open_store(settings).sources()


def test_a_table_that_is_gone(settings: Settings, store: SqlStore) -> None:
    change(settings, "DROP TABLE runs")
    with pytest.raises(StoreCorrupt):
        store.runs()


def test_a_full_disk(store: SqlStore) -> None:
    store.add_source(DataSource(name="a"))
    with store._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StoreFull):
        store.add_source(DataSource(name="b", terms="x" * 400_000))
    assert "a" in [source.name for source in store.sources()]


def test_a_url_that_nobody_understands(tmp_path: Path) -> None:
    for url in ("nonsense", "nosuchdatabase://x/y", "postgresql+nosuchdriver://user:canary@host/x"):
        with pytest.raises(SettingsError) as caught:
            open_store(Settings(project=tmp_path, store=url))
        assert "canary" not in str(caught.value)


def test_somebody_else_writes(settings: Settings, store: SqlStore) -> None:
    with store._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(settings.project / "symbolon.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        store.add_source(DataSource(name="a"))
    assert store.sources() == []  # reading goes on
    other.execute("COMMIT")
    store.add_source(DataSource(name="a"))
    other.close()


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql+psycopg://h/d"])
@pytest.mark.parametrize("phase", ["connect", "read", "write", "commit"])
def test_errors_hold_no_values(url: str, phase) -> None:
    for kind in (sa.exc.OperationalError, sa.exc.IntegrityError, sa.exc.DataError):
        error = kind("INSERT canary", {"terms": "canary"}, Exception("canary value"))
        shown = flavour_of(url).translate(error, phase)
        assert "canary" not in f"{shown}{shown!r}{shown.as_dict()}"


def test_what_the_database_says_stays_inside(store: SqlStore) -> None:
    def fail() -> None:
        with store._database.writing() as connection:
            connection.execute(sa.text("SELECT canary"))

    for use in (fail, lambda: store._rows(sa.text("SELECT canary"))):
        with pytest.raises(StoreCorrupt) as caught:
            use()
        assert caught.value.__suppress_context__
        assert "canary" not in str(caught.value)


def test_a_refused_change_leaves_nothing(store: SqlStore) -> None:
    audience = store.add_audience(Audience(name="x", type=AudienceType.LIST))

    def fail_halfway() -> None:
        with store._database.writing() as connection:
            connection.execute(sa.delete(tables.audiences))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert store.audiences() == [audience]


COUNT = """
import pathlib, sys
from symbolon.settings import Settings
from symbolon.store import open_store
store = open_store(Settings(project=pathlib.Path(sys.argv[1])), create=True)
for _ in range(50):
    print(store.next_ids("profile", 3))
store.close()
"""


def test_processes_share_a_store(settings: Settings) -> None:
    """Also its making: all of them start on a folder without one."""
    command = [sys.executable, "-c", COUNT, str(settings.project)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    firsts = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(firsts) == list(range(1, 450, 3))


KILL = """
import pathlib, sys, itertools
from symbolon.settings import Settings
from symbolon.store import TableState, open_store
store = open_store(Settings(project=pathlib.Path(sys.argv[1])))
before = store.state("x")
revision = before.revision if before else 0
for number in itertools.count(revision + 1):
    store.set_state("x", TableState(lake_version=number, revision=number, facts={"n": number}), number - 1 or None)
    print(number, flush=True)
"""


def test_a_kill_leaves_the_old_state_or_the_new(settings: Settings, store: SqlStore) -> None:
    for turn in range(3):
        command = [sys.executable, "-c", KILL, str(settings.project)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(10 + 7 * turn)]
        process.kill()
        told += [int(line) for line in process.communicate()[0].split()]
        state = store.state("x")
        assert state is not None
        assert state.revision in (told[-1], told[-1] + 1)
        assert state == TableState(lake_version=state.revision, revision=state.revision, facts={"n": state.revision})


def test_state_survives_json(store: SqlStore) -> None:
    facts = {"a": [1, 2.5, None, True, "ü"], "b": {"c": {}}}
    store.set_state("x", TableState(lake_version=0, revision=2**40, facts=facts), None)
    state = store.state("x")
    assert state is not None
    assert msgspec.json.decode(msgspec.json.encode(state.facts)) == facts
