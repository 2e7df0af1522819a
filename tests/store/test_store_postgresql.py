"""PostgreSQL passes the suite of all stores, on a real server; other settings of the server do not disturb it."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from symbolon.records import DataSource
from symbolon.settings import Settings, SettingsError
from symbolon.store import StoreBusy, StoreConflict, StoreFailed, StoreValueError, open_store
from symbolon.store.sql import SqlStore, postgresql, tables
from symbolon.store.sql.flavour import flavour_of
from symbolon.testing import StoreConformance


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    return Settings(project=tmp_path, store=database)


@pytest.fixture
def store(settings: Settings):
    store = open_store(settings, create=True)
    yield store
    store.close()


class TestPostgresql(StoreConformance):
    @pytest.fixture
    def store(self, settings: Settings):
        store = open_store(settings, create=True)
        yield store
        store.close()


class TestServerWithOtherDefaults(StoreConformance):
    """An administrator made every transaction serializable, and the clock is far from UTC."""

    @pytest.fixture
    def store(self, settings: Settings, database: str):
        name = sa.make_url(database).database
        run(database, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        run(database, f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'")
        run(database, f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'")
        store = open_store(settings, create=True)
        yield store
        store.close()


class TestSchemaOfItsOwn(StoreConformance):
    """The database is shared: another program has tables of the same names in the usual schema."""

    @pytest.fixture
    def store(self, tmp_path: Path, database: str):
        run(database, "CREATE TABLE public.sources (photo bytea)", "CREATE SCHEMA shop")
        url = sa.make_url(database).update_query_dict({"options": "-csearch_path=shop"})
        store = open_store(Settings(project=tmp_path, store=url.render_as_string(hide_password=False)), create=True)
        yield store
        store.close()


def run(database: str, *statements: str) -> list[tuple]:
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    rows: list[tuple] = []
    with engine.connect() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows


def test_migrations_build_what_the_code_knows(store: SqlStore, database: str) -> None:
    with store._database.reading() as connection:
        options = {"version_table": tables.VERSION_TABLE, "compare_type": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    assert differences == []


def test_tables_of_something_else_are_left_alone(settings: Settings, database: str) -> None:
    run(database, "CREATE TABLE runs (distance integer)", "INSERT INTO runs VALUES (42)")
    with pytest.raises(StoreFailed, match="something else") as caught:
        open_store(settings, create=True)
    assert "schema of its own" in caught.value.hint
    assert run(database, "SELECT * FROM runs") == [(42,)]
    assert run(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("runs",)]


def test_the_url_may_leave_out_the_driver(store: SqlStore, tmp_path: Path, database: str) -> None:
    store.add_source(DataSource(name="a"))
    for name in ("postgresql", "postgres"):
        url = database.replace("postgresql+psycopg", name)
        again = open_store(Settings(project=tmp_path, store=url))
        assert again.source("a")
        again.close()


@pytest.mark.parametrize("name", ["mysql://host/x", "postgresql+psycopg2://host/x", "postgresql+asyncpg://host/x"])
def test_other_databases_and_drivers(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="no URL of a database") as caught:
        open_store(Settings(project=tmp_path, store=name))
    assert "postgresql+psycopg" in caught.value.hint


def test_without_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match="not installed") as caught:
        open_store(Settings(project=tmp_path, store="postgresql+psycopg://host/x"))
    assert "symbolon[postgres]" in caught.value.hint


def test_somebody_holds_a_record(store: SqlStore, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_S", 0.05)
    source = store.add_source(DataSource(name="a"))
    other = sa.create_engine(database, poolclass=sa.NullPool)
    with other.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM sources FOR UPDATE")
        with pytest.raises(StoreBusy):
            store.update_source(source)
        assert store.sources() == [source]  # reading goes on
    store.update_source(source)


def test_two_that_wait_for_each_other(store: SqlStore) -> None:
    """The server ends one of them, which is told to run again; the other goes on."""
    ids = [store.add_source(DataSource(name=name)).id for name in "ab"]
    both_hold_one = threading.Barrier(2)

    def lock(first: int, second: int) -> object:
        held = sa.select(tables.sources.c.id).with_for_update()
        try:
            with store._database.writing() as connection:
                connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
                connection.execute(held.where(tables.sources.c.id == first))
                both_hold_one.wait()
                connection.execute(held.where(tables.sources.c.id == second))
        except StoreConflict as error:
            return error.summary
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(map(str, pool.map(lock, ids, reversed(ids))))
    assert outcomes[0] == "done"
    assert "nothing was changed" in outcomes[1]


def test_values_of_a_broken_key_are_not_shown(store: SqlStore) -> None:
    """PostgreSQL tells them in the DETAIL of its message."""
    with store._database.writing() as connection:
        connection.execute(sa.insert(tables.sequences).values(name="canary", next=1))
    with pytest.raises(StoreConflict) as caught, store._database.writing() as connection:
        connection.execute(sa.insert(tables.sequences).values(name="canary", next=1))
    assert "canary" not in f"{caught.value}{caught.value!r}{caught.value.as_dict()}"
    assert caught.value.__suppress_context__
    with pytest.raises(StoreValueError) as refused, store._database.writing() as connection:
        connection.execute(sa.insert(tables.sequences).values(name="canary" * 50, next=1))
    assert "canary" not in str(refused.value)


def test_nothing_outlives_a_transaction(store: SqlStore) -> None:
    """So a pooler may give each transaction to another server process: no setting, no prepared statement."""
    for _ in range(12):
        store.sources()
        store.next_ids("a", 1)
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar() == 0
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
        found = connection.exec_driver_sql("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        assert found.scalar() == "symbolon"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "postgresql://u:canary@db.example:5433/shop?sslmode=require",
            "PostgreSQL db.example port 5433, database shop",
        ),
        ("postgresql://u@/shop?host=/run/postgresql&password=canary", "PostgreSQL /run/postgresql port 5432, database"),
        ("postgresql://?user=canary", "PostgreSQL the local socket port 5432"),
        ("sqlite:////home/canary/shop.db", "SQLite file shop.db"),
    ],
)
def test_a_place_has_no_user_and_no_password(url: str, place: str) -> None:
    found = flavour_of(url).place
    assert found.startswith(place)
    assert "canary" not in found


def test_no_connection_is_left_when_it_is_closed(store: SqlStore, database: str) -> None:
    store.sources()
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'symbolon' AND datname = current_database()"
    assert run(database, mine) == [(1,)]
    store.close()
    while run(database, mine) != [(0,)]:
        pass
