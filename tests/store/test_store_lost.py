"""A server that is not there, goes away and comes back, or does not let us in. It is stopped and killed for real."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from postgres import Server, new_database, running, skip_where_there_is_none
from symbolon.errors import SymbolonError
from symbolon.records import Audience, AudienceType, DataSource
from symbolon.settings import Settings
from symbolon.store import (
    StoreBusy,
    StoreDenied,
    StoreMissing,
    StoreUncertain,
    StoreUnreachable,
    migrate,
    open_store,
)
from symbolon.store.sql import SqlStore, tables


@pytest.fixture(scope="module")
def own():
    """A server for this module alone."""
    skip_where_there_is_none()
    with running() as server:
        yield server


@pytest.fixture
def url(own: Server):
    if not own.is_running:  # a test failed before it started it again
        own.start()
    with new_database(own.url) as url:
        yield sa.make_url(url)


def settings_for(tmp_path: Path, url: sa.URL) -> Settings:
    return Settings(project=tmp_path, store=url.render_as_string(hide_password=False))


@pytest.fixture
def store(tmp_path: Path, url: sa.URL):
    store = open_store(settings_for(tmp_path, url), create=True)
    yield store
    store.close()


def end(server: Server, how: str) -> None:
    server.stop() if how == "stopped" else server.kill()


ENDINGS = pytest.mark.parametrize("how", ["stopped", "killed"])


@ENDINGS
def test_while_nobody_uses_it(own: Server, store: SqlStore, how: str) -> None:
    source = store.add_source(DataSource(name="a"))
    end(own, how)
    own.start()
    assert store.sources() == [source]
    end(own, how)
    own.start()
    assert store.add_source(DataSource(name="b")).id > source.id


@ENDINGS
def test_while_it_is_gone(own: Server, store: SqlStore, how: str) -> None:
    store.add_source(DataSource(name="a"))
    end(own, how)
    try:
        for call in (store.sources, lambda: store.add_source(DataSource(name="b")), store.check):
            with pytest.raises(StoreUnreachable) as caught:
                call()
            tell(caught.value, own)
    finally:
        own.start()
    assert [source.name for source in store.sources()] == ["a"]


def tell(error: SymbolonError, server: Server) -> None:
    """Say where the server should be and what to do, and nothing about who asks."""
    shown = f"{error}{error!r}{error.as_dict()}"
    assert f"127.0.0.1 port {server.port}" in error.summary
    assert "pg_isready" in error.hint
    assert (error.exit_code, error.retryable) == (6, True)
    assert "canary" not in shown
    assert "symbolon@" not in shown
    assert error.__suppress_context__


@ENDINGS
def test_in_the_middle_of_a_change(own: Server, store: SqlStore, how: str) -> None:
    audience = store.add_audience(Audience(name="x", type=AudienceType.LIST))

    def change() -> None:
        with store._database.writing() as connection:
            connection.execute(sa.delete(tables.audiences))
            end(own, how)
            connection.execute(sa.insert(tables.sequences).values(name="half", next=1))

    with pytest.raises(StoreUnreachable, match="nothing of this change counts") as caught:
        change()
    tell(caught.value, own)
    own.start()
    assert store.audiences() == [audience]
    assert store.next_ids("half", 1) == 1


@ENDINGS
def test_while_a_change_is_confirmed(own: Server, store: SqlStore, how: str) -> None:
    def change() -> None:
        with store._database.writing() as connection:
            connection.execute(sa.insert(tables.sequences).values(name="whole", next=7))
            end(own, how)

    with pytest.raises(StoreUncertain, match="whole or not at all") as caught:
        change()
    assert "symbolon audience versions" in caught.value.hint
    own.start()
    assert store.next_ids("whole", 1) == 1  # it was killed before the word of it came


def test_a_change_that_counts_although_nobody_heard(own: Server, tmp_path: Path, url: sa.URL) -> None:
    """The line is cut when the server answers the COMMIT: the error must not say that nothing was changed."""
    open_store(settings_for(tmp_path, url), create=True).close()
    with Line(own.port) as line:
        store = open_store(settings_for(tmp_path, url.set(port=line.port)))
        line.cut_at_commit = True
        with pytest.raises(StoreUncertain):
            store.add_source(DataSource(name="a"))
        assert [source.name for source in store.sources()] == ["a"]
        store.close()


class Line:
    """A line to the server that can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut_at_commit = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            cut = threading.Event()
            threading.Thread(target=self._up, args=(client, server, cut), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server, cut), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        while data := client.recv(65536):
            if self.cut_at_commit and b"COMMIT\0" in data:
                self.cut_at_commit = False
                cut.set()
            server.sendall(data)
        server.close()

    def _down(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        while data := server.recv(65536):
            if cut.is_set():
                break
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


def test_reading_is_tried_twice_and_not_a_third_time(store: SqlStore) -> None:
    store.add_source(DataSource(name="a"))
    times = 0

    def work(connection: sa.Connection, failing: int) -> int | None:
        nonlocal times
        times += 1
        if times <= failing:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return connection.exec_driver_sql("SELECT count(*) FROM sources").scalar()

    assert store._database.read(lambda connection: work(connection, 1)) == 1
    assert times == 2
    times = 0
    with pytest.raises(StoreUnreachable, match="lost"):
        store._database.read(lambda connection: work(connection, 99))
    assert times == 2
    assert len(store.sources()) == 1


def test_changing_is_tried_once(store: SqlStore) -> None:
    times = 0
    with pytest.raises(StoreUnreachable), store._database.writing() as connection:  # noqa: PT012
        times += 1
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert times == 1


def test_nothing_listens(tmp_path: Path, own: Server, url: sa.URL) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for use in (open_store, migrate):
            with pytest.raises(StoreUnreachable, match=f"127.0.0.1 port {port}") as caught:
                use(settings_for(tmp_path, url.set(port=port)))
            assert "canary" not in str(caught.value)
    elsewhere = {
        url.set(host="no-such-host.invalid"): f"no-such-host.invalid port {own.port}",
        sa.make_url("postgresql://u@/shop?host=/no/such/folder"): "/no/such/folder port 5432",
    }
    for there, named in elsewhere.items():
        with pytest.raises(StoreUnreachable, match=named):
            open_store(settings_for(tmp_path, there))


def test_something_listens_and_never_answers(tmp_path: Path, url: sa.URL) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = url.set(port=silent.getsockname()[1]).update_query_dict({"connect_timeout": "2"})
        with pytest.raises(StoreUnreachable):
            open_store(settings_for(tmp_path, there))


def test_wrong_words(tmp_path: Path, own: Server, url: sa.URL) -> None:
    cases: list[tuple[sa.URL, type[SymbolonError], str]] = [
        (url.set(password="wrong-canary"), StoreDenied, "PGPASSWORD"),  # noqa: S106
        (sa.URL.create("postgresql", "symbolon", None, "127.0.0.1", own.port, url.database), StoreDenied, "PGPASSWORD"),
        (url.set(username="nobody-canary"), StoreDenied, "PGPASSWORD"),
        (url.set(database="missing"), StoreMissing, "createdb missing"),
        (url.update_query_dict({"sslmode": "require"}), StoreDenied, "sslmode"),
    ]
    for there, kind, hint in cases:
        with pytest.raises(kind, match=f"127.0.0.1 port {own.port}") as caught:
            open_store(settings_for(tmp_path, there))
        assert hint in caught.value.hint
        assert "canary" not in f"{caught.value}{caught.value!r}{caught.value.as_dict()}"
    with pytest.raises(SymbolonError) as wrong:
        open_store(settings_for(tmp_path, url.update_query_dict({"no_such_option": "canary"})))
    assert wrong.value.code == "settings.invalid"
    assert "canary" not in str(wrong.value)


@pytest.fixture
def guest(own: Server, url: sa.URL):
    """Somebody without rights, and a way to give some."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def grant(*statements: str) -> None:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    grant("CREATE ROLE guest LOGIN PASSWORD 'canary-guest'")
    yield url.set(username="guest", password="canary-guest"), grant  # noqa: S106
    grant("DROP OWNED BY guest", "DROP ROLE guest")


def test_missing_rights(tmp_path: Path, url: sa.URL, guest) -> None:
    there, grant = guest
    with pytest.raises(StoreDenied, match="may not do this") as caught:
        open_store(settings_for(tmp_path, there), create=True)
    assert "GRANT" in caught.value.hint
    open_store(settings_for(tmp_path, url), create=True).close()
    with pytest.raises(StoreDenied):
        open_store(settings_for(tmp_path, there))
    grant("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    store = open_store(settings_for(tmp_path, there))
    assert store.sources() == []
    with pytest.raises(StoreDenied):
        store.add_source(DataSource(name="a"))
    assert [fault.summary for fault in store.faults()] == [
        "the user may not INSERT, UPDATE, DELETE, USAGE of the sequences in the store's tables"
    ]
    grant(
        "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO guest",
    )
    assert store.faults() == []
    assert store.add_source(DataSource(name="a")).id
    store.close()


def test_a_server_that_takes_no_changes_or_nobody_more(tmp_path: Path, url: sa.URL, guest) -> None:
    there, grant = guest
    open_store(settings_for(tmp_path, url), create=True).close()
    grant(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guest",
        "ALTER ROLE guest SET default_transaction_read_only = on",
    )
    store = open_store(settings_for(tmp_path, there))
    with pytest.raises(StoreDenied, match="takes no changes"):
        store.add_source(DataSource(name="a"))
    store.close()
    grant("ALTER ROLE guest CONNECTION LIMIT 0")
    with pytest.raises(StoreBusy, match="no more connections"):
        open_store(settings_for(tmp_path, there))
    grant("ALTER ROLE guest NOLOGIN")
    with pytest.raises(StoreDenied, match="does not let this user"):
        open_store(settings_for(tmp_path, there))
