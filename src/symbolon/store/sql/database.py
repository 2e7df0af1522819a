"""A database to talk to: transactions, what is tried again when a connection drops, and errors without values.

Invariant: what reads is tried twice, what writes once. Whether a write counts is known unless the connection was lost
while it was being confirmed, and then the error says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import exc

from symbolon.store.sql.flavour import WRITES, flavour_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from symbolon.store.sql.flavour import Phase

T = TypeVar("T")


class Database:
    """Connections to one database.

    Args:
        url: a SQLAlchemy URL: `sqlite:////path/symbolon.db`, `postgresql+psycopg://host/name`.
        create: whether SQLite's file may be made.
        migrates: whether tables will be rebuilt.

    Raises:
        StoreMissing: SQLite's file does not exist.
        SettingsError: the URL cannot be understood, or its driver is not installed.
    """

    def __init__(self, url: str, *, create: bool = False, migrates: bool = False) -> None:
        self.flavour = flavour_of(url)
        self.engine = self.flavour.engine(create=create, migrates=migrates)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Give what `work` reads; it is called again on a new connection if the first one is lost."""
        try:
            with self._connected(writes=False) as connection:
                return work(connection)
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise self.flavour.translate(error, "read") from None
        with self.reading() as connection:
            return work(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection to read with."""
        with self._failures("read"), self._connected(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that commits at the end, or takes everything back."""
        with self._connected(writes=True) as connection:
            with self._failures("write"):
                transaction = connection.begin()
                try:
                    yield connection
                except BaseException:
                    transaction.rollback()
                    raise
            with self._failures("commit"):
                try:
                    transaction.commit()
                finally:
                    transaction.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[sa.Connection]:
        with self._failures("connect"):
            connection = self.engine.execution_options(**{WRITES: writes}).connect()
        with connection:
            yield connection

    @contextmanager
    def _failures(self, phase: Phase) -> Iterator[None]:
        """Raise what the database raises inside as Symbolon's errors; its text may hold values and stays inside."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise self.flavour.translate(error, phase) from None
