"""PostgreSQL: a server that several processes and machines share, and that may go away.

Invariant: every writing transaction runs at READ COMMITTED, whatever the server's default is: `SqlStore` compares and
sets in one UPDATE, which then sees what was committed while it waited. Nothing outlives a transaction (no
prepared statement, no session setting but the style of dates), so a pooler may hand each to another server process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from symbolon.settings import SettingsError
from symbolon.store.fault import StoreFault
from symbolon.store.sql import pgerrors
from symbolon.store.sql.flavour import WRITES
from symbolon.store.sql.tables import audiences, metadata, sources

if TYPE_CHECKING:
    from symbolon.errors import SymbolonError
    from symbolon.store.sql.flavour import Phase

#: how long the server may take to answer a new connection; `connect_timeout` of the URL or PGCONNECT_TIMEOUT win
CONNECT_TIMEOUT_S = 10
#: how long a statement waits for a record that somebody else is changing
LOCK_TIMEOUT_S = 30
#: connections of one process: a thread takes one for the milliseconds of a call
_POOL, _OVERFLOW = 2, 18
#: any number, but always the same: what migrations of all processes agree on
_MIGRATION_LOCK = 0x53594D424F4C4F4E
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}


class Postgresql:
    """A store on a server.

    Args:
        url: of SQLAlchemy, with the driver psycopg.
    """

    backup = "make a backup of the database (pg_dump)"

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._database = url.database or os.environ.get("PGDATABASE", "")
        self._host = _host(url)
        self.place = f"PostgreSQL {self._host}" + (f", database {self._database}" if self._database else "")

    def engine(self, *, create: bool, migrates: bool) -> sa.Engine:
        """Give the engine.

        Raises:
            SettingsError: psycopg is not installed.
        """
        del create, migrates
        given = dict(self._url.query)
        defaults: dict[str, Any] = {
            "application_name": "symbolon",
            **_KEEPALIVE,
            **({} if os.environ.get("PGCONNECT_TIMEOUT") else {"connect_timeout": CONNECT_TIMEOUT_S}),
        }
        try:
            engine = sa.create_engine(
                self._url,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_recycle=1800,
                pool_size=_POOL,
                max_overflow=_OVERFLOW,
                isolation_level="READ COMMITTED",
                connect_args={
                    "prepare_threshold": None,
                    **{name: value for name, value in defaults.items() if name not in given},
                },
            )
        except ImportError:
            raise SettingsError(
                "the store is in PostgreSQL, and its driver is not installed",
                hint="pip install 'symbolon[postgres]'",
            ) from None
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def translate(self, error: exc.SQLAlchemyError, phase: Phase) -> SymbolonError:
        """Tell failures apart by their SQLSTATE; see `pgerrors`."""
        return pgerrors.translate(error, phase, host=self._host, database=self._database)

    def lock_tables(self, connection: sa.Connection) -> None:
        """Hold one lock of the database until the transaction ends."""
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))

    def check_tables(self, connection: sa.Connection, found: str) -> None:
        """Tables of others may stand beside ours; the server tells if one has the name of ours."""

    def check_references(self, connection: sa.Connection) -> None:
        """The server watches them all the time."""

    def faults(self, connection: sa.Connection) -> list[StoreFault]:
        """Look at rights, encoding, and whether the server takes changes."""
        found: list[StoreFault] = []
        if connection.execute(sa.select(sa.func.pg_is_in_recovery())).scalar():
            found.append(StoreFault("the server is a standby: it takes no changes", "name the primary in `store`"))
        missing = _missing_rights(connection)
        if missing:
            found.append(
                StoreFault(
                    f"the user may not {', '.join(missing)} in the store's tables",
                    "GRANT it, or make the user their owner: docs/guide/postgresql.md",
                )
            )
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            found.append(
                StoreFault(
                    f"the database keeps text as {encoding}: names outside of it fail",
                    "move the store to a database with ENCODING 'UTF8'",
                )
            )
        return found


def _set_up(connection: Any, _record: object) -> None:
    # psycopg reads moments in one style only; poolers know this setting and keep it for their client
    if not (connection.info.parameter_status("DateStyle") or "").startswith("ISO"):
        connection.execute("SET datestyle TO ISO")
        connection.commit()


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")


def _missing_rights(connection: sa.Connection) -> list[str]:
    """Give what the user lacks on any of our tables or their numbers."""
    lacking = []
    for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        allowed = sa.select(*(sa.func.has_table_privilege(name, verb) for name in metadata.tables))
        if not all(connection.execute(allowed).one()):
            lacking.append(verb)
    numbers = (sa.func.pg_get_serial_sequence(table.name, "id") for table in (sources, audiences))
    usage = sa.select(*(sa.func.has_sequence_privilege(number, "USAGE") for number in numbers))
    if not all(connection.execute(usage).one()):
        lacking.append("USAGE of the sequences")
    return lacking


def _host(url: sa.URL) -> str:
    """Give host and port as a person looks for them; a folder is where a local server has its socket."""
    host = url.host or url.query.get("host") or os.environ.get("PGHOST") or "the local socket"
    port = url.port or url.query.get("port") or os.environ.get("PGPORT") or 5432
    hosts = host if isinstance(host, str) else ",".join(host)
    return f"{hosts} port {port if isinstance(port, (int, str)) else ','.join(port)}"
