"""A database to talk to: connections set up, transactions that write said to be so, and errors without values.

Invariant: a writing transaction of SQLite takes its lock at its beginning. One that read first and then wants to write
would fail at once if somebody else wrote in between, instead of waiting.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import make_url

from symbolon.settings import SettingsError
from symbolon.store.errors import StoreBusy, StoreCorrupt, StoreFailed, StoreFull, StoreMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.errors import SymbolonError

#: how long SQLite waits for somebody else who writes
BUSY_TIMEOUT_S = 30
_WRITES = "symbolon_writes"
_MEANINGS: tuple[tuple[tuple[str, ...], type[SymbolonError], str], ...] = (
    (("is locked", "lock timeout"), StoreBusy, f"another process has written to the store for {BUSY_TIMEOUT_S} s"),
    (("disk is full", "no space left", "could not extend"), StoreFull, "the disk of the store is full"),
    (
        ("not a database", "malformed", "no such table", "no such column", "does not exist", "disk i/o error"),
        StoreCorrupt,
        "the store cannot be read: it is damaged, or no store",
    ),
    (("readonly", "read-only"), StoreFailed, "the store may not be written to"),
    (("unable to open",), StoreMissing, "the store cannot be opened"),
)


class Database:
    """Connections to one database.

    Args:
        url: a SQLAlchemy URL: `sqlite:////path/symbolon.db`, `postgresql+psycopg://host/name`.
        create: whether SQLite's file may be made.

    Raises:
        StoreMissing: SQLite's file does not exist.
        SettingsError: the URL cannot be understood, or its driver is not installed.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                _prepare_file(parsed.database or "", create=create)
            self.engine = sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=_is_remote(parsed))
        except (exc.ArgumentError, ImportError):
            raise SettingsError(
                "the setting `store` is no URL of a database that is installed here",
                hint="leave it empty for SQLite, or write postgresql+psycopg://user@host/name and install psycopg",
            ) from None
        if not _is_remote(parsed):
            event.listen(self.engine, "connect", _set_up)
            event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection to read with."""
        with failures(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that commits at the end, or takes everything back."""
        with failures(), self.engine.execution_options(**{_WRITES: True}).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def failures() -> Iterator[None]:
    """Raise what the database raises inside as Symbolon's errors; its text may hold values and stays inside."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise _translate(error) from None


def _translate(error: exc.SQLAlchemyError) -> SymbolonError:
    text = str(getattr(error, "orig", error)).lower()
    for signs, meaning, summary in _MEANINGS:
        if any(sign in text for sign in signs):
            return meaning(summary)
    kind = type(getattr(error, "orig", error)).__name__
    return StoreFailed(f"the store's database failed a statement ({kind})", details={"kind": kind})


def _is_remote(url: sa.URL) -> bool:
    return url.get_backend_name() != "sqlite"


def _prepare_file(name: str, *, create: bool) -> None:
    """Make SQLite's file for this user only; its log and index files take over the mode."""
    path = Path(name)
    if path.is_file():
        return
    if not create:
        raise StoreMissing(f"there is no store `{path.name}` in `{path.parent}`")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreFailed(f"the store `{path}` cannot be made: {error.strerror}") from None


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
