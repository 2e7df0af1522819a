"""Stores that the last release made, on both databases: brought up to date whole, once, and by nobody who is older.

`released/` holds them as SQL, with records in every table; what is in there never changes. A release that adds a
migration adds its own.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from symbolon.errors import SymbolonError
from symbolon.records import Channel, DataSource, Origin, RunState, RunStep
from symbolon.settings import Settings
from symbolon.store import StoreVersionError, migrate, open_store
from symbolon.store.sql import migrating, tables

HERE = Path(__file__).parent
NEXT = HERE / "next_release"
DATABASES = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture
def released(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A store of the last release."""
    text = (HERE / "released" / f"0001-{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        with sqlite3.connect(tmp_path / "symbolon.db") as connection:
            connection.executescript(text)
        connection.close()
        return Settings(project=tmp_path)
    url = request.getfixturevalue("database")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(text)
    return Settings(project=tmp_path, store=url)


def ask(settings: Settings, statement: str) -> list[tuple]:
    engine = sa.create_engine(settings.store_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@DATABASES
def test_the_last_release_can_be_read(released: Settings) -> None:
    migrate(released)
    store = open_store(released)
    first, numbers = store.sources()
    assert (first.name, first.channel, first.dpid, first.terms) == (
        "crm-email", Channel.EMAIL, 2**40, "Ünïcode 'terms'\n\"two lines\"",
    )  # fmt: skip
    assert store.keys(first.id) == [(2, b"\xfftwo"), (1, b"\x00one")]
    assert [audience.name for audience in store.audiences()] == ["list", "vip"]
    version = store.version(store.audience("vip").id, 1)
    assert (version.origin, version.members, version.receipt.warnings) == (Origin.IMPORT, 11, ["ü"])
    assert version.created.isoformat() == "2026-03-29T02:30:00.123456+00:00"
    assert [run.state for run in store.runs()] == [RunState.DONE]
    state = store.state("profiles")
    assert state is not None
    assert state.facts == {"count": 3, "columns": ["a", "ü"]}
    assert store.next_ids("profile", 1) == 42
    assert store.add_source(DataSource(name="new")).id > numbers.id + 1  # the id of a removed one is not given again
    assert store.schema_version == tables.REVISION
    store.close()


@DATABASES
def test_what_the_last_release_kept_means_what_it_meant(released: Settings) -> None:
    """Audiences of addresses have no dimension, all others are of profiles; runs are of no workflow."""
    ask(
        released,
        "INSERT INTO audiences (name, type, segment, version, members, created, modified) "
        "VALUES ('addresses', 'file', '', 0, 0, '2026-03-29 02:30:00', '2026-03-29 02:30:00')",
    )
    migrate(released)
    store = open_store(released)
    assert {one.name: one.dimension for one in store.audiences()} == {
        "addresses": "",
        "list": "profile",
        "vip": "profile",
    }
    vip = store.audience("vip")
    assert (vip.rule, vip.description, vip.workflow, vip.expires, vip.counted) == ("", "", "", None, None)
    (run,) = store.runs()
    assert (run.workflow, run.workflow_version, run.facts) == ("", 0, {})
    assert (store.steps(run.id), store.arrivals("crm")) == ([], [])
    store.put_step(RunStep(run_id=run.id, step="query"))
    assert store.delete_runs([run.id]) == 1
    assert ask(released, "SELECT count(*) FROM run_steps") == [(0,)]
    store.close()


@pytest.fixture
def coming(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next release."""
    monkeypatch.setattr(migrating, "VERSIONS", [*migrating.VERSIONS, NEXT])


@DATABASES
def test_a_migration_keeps_every_record(released: Settings, coming: None) -> None:
    engine = sa.create_engine(released.store_url, poolclass=sa.NullPool)
    there = sa.inspect(engine).get_table_names()
    names = [name for name in tables.metadata.tables if name != "sources" and name in there]
    columns = {name: ", ".join(f'"{one["name"]}"' for one in sa.inspect(engine).get_columns(name)) for name in names}
    before = {name: sorted(map(str, ask(released, f"SELECT {columns[name]} FROM {name}"))) for name in names}
    migrate(released)
    after = {name: sorted(map(str, ask(released, f"SELECT {columns[name]} FROM {name}"))) for name in names}
    assert after == before
    assert ask(released, "SELECT id, name, colour FROM sources ORDER BY id") == [
        (1, "crm-email", "blue"),
        (3, "numbers", "blue"),
    ]
    ask(released, "INSERT INTO sources SELECT * FROM sources WHERE 1 = 0")
    assert ask(released, "SELECT version_num FROM symbolon_version") == [("0003",)]


@DATABASES
def test_references_are_watched_again_after_a_migration(released: Settings, coming: None) -> None:
    migrate(released)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("sqlstore", "tables"):
            patch.setattr(f"symbolon.store.sql.{module}.REVISION", "0003")
        store = open_store(released)
        with pytest.raises(SymbolonError) as caught:
            store.delete_source("crm-email")
        assert caught.value.code == "source.in_use"
        assert len(store.keys(1)) == 2
        store.delete_audience("vip")
        store.delete_source("crm-email")
        assert store.keys(1) == []
        store.close()
    assert ask(released, "SELECT count(*) FROM audience_versions") == [(0,)]


@DATABASES
def test_a_migration_that_fails_changes_nothing(
    released: Settings, coming: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", migrating.VERSIONS[:-1])
        migrate(released)
    monkeypatch.setenv("TEST_MIGRATION_FAILS", "1")
    with pytest.raises(SymbolonError):
        migrate(released)
    assert ask(released, "SELECT version_num FROM symbolon_version") == [("0002",)]
    store = open_store(released)
    assert len(store.keys(store.source("crm-email").id)) == 2
    store.close()
    monkeypatch.delenv("TEST_MIGRATION_FAILS")
    migrate(released)
    assert ask(released, "SELECT version_num FROM symbolon_version") == [("0003",)]


MIGRATE = """
import pathlib, sys
from symbolon.settings import Settings
from symbolon.store import migrate
from symbolon.store.sql import migrating
migrating.VERSIONS.append(pathlib.Path(sys.argv[2]))
migrate(Settings(project=pathlib.Path(sys.argv[1]), store=sys.argv[3]))
"""


@DATABASES
def test_processes_that_migrate_at_once(released: Settings) -> None:
    """One does it, the others find it done: a second time would fail, because the table is there."""
    command = [sys.executable, "-c", MIGRATE, str(released.project), str(NEXT), released.store]
    environment = {**os.environ, "TEST_MIGRATION_S": "0.3"}
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert ask(released, "SELECT name FROM colours") == [("blue",)]
    assert ask(released, "SELECT version_num FROM symbolon_version") == [("0003",)]


@pytest.mark.parametrize("kind", ["postgresql"])
def test_processes_that_make_a_store_at_once(database: str, tmp_path: Path, kind: str) -> None:
    settings = Settings(project=tmp_path, store=database)
    command = [sys.executable, "-c", MIGRATE, str(tmp_path), str(NEXT), database]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert ask(settings, "SELECT name FROM colours") == [("blue",)]


@DATABASES
def test_a_store_of_a_release_to_come_is_refused(released: Settings, coming: None) -> None:
    migrate(released)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", migrating.VERSIONS[:-1])
        for use in (open_store, migrate):
            with pytest.raises(StoreVersionError, match="0003") as caught:
                use(released)
            assert "newer release" in caught.value.hint
    assert ask(released, "SELECT count(*) FROM sources") == [(2,)]


@DATABASES
def test_a_store_of_an_earlier_release_says_how_to_go_on(released: Settings, kind: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbolon.store.sql.sqlstore.REVISION", "0003")
        with pytest.raises(StoreVersionError, match="symbolon upgrade") as caught:
            open_store(released)
    assert ("pg_dump" if kind == "postgresql" else "copy of symbolon.db") in caught.value.hint
