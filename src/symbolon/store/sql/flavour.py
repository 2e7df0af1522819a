"""What differs between the databases that a store can be in.

Invariant: a flavour's errors never hold text of the database: it quotes values, users and statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import exc
from sqlalchemy.engine import make_url

from symbolon.settings import SettingsError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from symbolon.errors import SymbolonError
    from symbolon.store.fault import StoreFault

#: what was going on when the database failed: a connection was being made, statements ran, a change was being confirmed
Phase = Literal["connect", "read", "write", "commit"]
#: execution option of a connection that will write
WRITES = "symbolon_writes"


class Flavour(Protocol):
    """One kind of database."""

    #: where it is, without a user, a password or options
    place: str
    #: how to keep a copy of it, as one goes on after "first"
    backup: str

    def engine(self, *, create: bool, migrates: bool) -> sa.Engine:
        """Give SQLAlchemy's engine, which connects when it is first used.

        Args:
            create: whether the database may be made.
            migrates: whether tables will be rebuilt: references are then checked at the end, not at each statement.
        """
        ...

    def translate(self, error: exc.SQLAlchemyError, phase: Phase) -> SymbolonError:
        """Give what the database raised as an error of ours."""
        ...

    def lock_tables(self, connection: sa.Connection) -> None:
        """Keep other processes from migrating until the transaction ends."""
        ...

    def check_tables(self, connection: sa.Connection, found: str) -> None:
        """Make sure that what is there may be migrated; `found` is its revision, empty for none."""
        ...

    def check_references(self, connection: sa.Connection) -> None:
        """Make sure that a migration left no record that refers to nothing."""
        ...

    def faults(self, connection: sa.Connection) -> list[StoreFault]:
        """Look for what would make later calls fail."""
        ...


def flavour_of(url: str) -> Flavour:
    """Give the kind of database that a URL names.

    Raises:
        SettingsError: the URL cannot be understood, or its driver is not installed.
    """
    from symbolon.store.sql.postgresql import Postgresql  # noqa: PLC0415 - they know this module
    from symbolon.store.sql.sqlite import Sqlite  # noqa: PLC0415

    try:
        parsed = make_url(url)
        if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
            return Sqlite(parsed)
        if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
            return Postgresql(parsed.set(drivername="postgresql+psycopg"))
    except (exc.ArgumentError, ValueError):
        pass
    raise SettingsError(
        "the setting `store` is no URL of a database that a store can be in",
        hint="leave it empty for SQLite, or write postgresql+psycopg://user@host/name",
    )


def url_has_password(url: str) -> bool:
    """Tell whether a password stands in the URL itself."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        return False
    secrets: set[str] = {"password", "sslpassword"}
    return bool(parsed.password) or bool(secrets & set(parsed.query))


def detail_of(error: exc.SQLAlchemyError) -> Any:
    """Give what the driver raised."""
    return getattr(error, "orig", None) or error
