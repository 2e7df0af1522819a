"""SQLite: one private file, several processes, one of which writes at a time.

Invariant: a writing transaction takes its lock at its beginning. One that read first and then wants to write would fail
at once if somebody else wrote in between, instead of waiting.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from symbolon.store.errors import (
    BrokenReference,
    DuplicateRecord,
    StoreBusy,
    StoreConflict,
    StoreCorrupt,
    StoreFailed,
    StoreFull,
    StoreMissing,
)
from symbolon.store.sql.flavour import WRITES, detail_of

if TYPE_CHECKING:
    from symbolon.errors import SymbolonError
    from symbolon.store.fault import StoreFault
    from symbolon.store.sql.flavour import Phase

#: how long SQLite waits for somebody else who writes
BUSY_TIMEOUT_S = 30
_MEANINGS: tuple[tuple[tuple[str, ...], type[SymbolonError], str], ...] = (
    (("is locked",), StoreBusy, f"another process has written to the store for {BUSY_TIMEOUT_S} s"),
    (("disk is full", "no space left"), StoreFull, "the disk of the store is full"),
    (
        ("not a database", "malformed", "no such table", "no such column", "disk i/o error"),
        StoreCorrupt,
        "the store cannot be read: it is damaged, or no store",
    ),
    (("readonly", "read-only"), StoreFailed, "the store may not be written to"),
    (("unable to open",), StoreMissing, "the store cannot be opened"),
)


class Sqlite:
    """A store in a file.

    Args:
        url: of SQLAlchemy, `sqlite:////path/symbolon.db`.
    """

    backup = "make a copy of symbolon.db"

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self.place = f"SQLite file {Path(url.database or '').name}"

    def engine(self, *, create: bool, migrates: bool) -> sa.Engine:
        """Give the engine.

        Raises:
            StoreMissing: the file does not exist.
            StoreFailed: it cannot be made.
        """
        _prepare_file(self._url.database or "", create=create)
        engine = sa.create_engine(self._url, hide_parameters=True)

        def set_up(connection: Any, _record: object) -> None:
            _set_up(connection, references=not migrates)

        event.listen(engine, "connect", set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def translate(self, error: exc.SQLAlchemyError, phase: Phase) -> SymbolonError:
        """Tell failures apart by the text: SQLite's codes say less."""
        del phase
        text = str(detail_of(error)).lower()
        if isinstance(error, exc.IntegrityError):
            if "foreign key" in text:
                return BrokenReference("a record is gone, or others refer to it")
            if "unique" in text:
                return DuplicateRecord("a record of this name or number exists already")
            return StoreConflict("the tables of the store refuse the record")
        for signs, meaning, summary in _MEANINGS:
            if any(sign in text for sign in signs):
                return meaning(summary)
        kind = type(detail_of(error)).__name__
        return StoreFailed(f"the store's database failed a statement ({kind})", details={"kind": kind})

    def lock_tables(self, connection: sa.Connection) -> None:
        """The transaction holds the whole file already."""

    def check_tables(self, connection: sa.Connection, found: str) -> None:
        """Refuse a file with tables of something else."""
        if not found and sa.inspect(connection).get_table_names():
            raise StoreCorrupt("the file is a database, but no store of Symbolon")

    def check_references(self, connection: sa.Connection) -> None:
        """Look at all of them: they were not watched while tables were rebuilt."""
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise StoreCorrupt("the store has records that refer to nothing")

    def faults(self, connection: sa.Connection) -> list[StoreFault]:
        """Nothing but the file's own integrity and mode, which `doctor` looks at."""
        del connection
        return []


def _prepare_file(name: str, *, create: bool) -> None:
    """Make the file for this user only; SQLite's log and index files take over the mode."""
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


def _set_up(connection: Any, *, references: bool) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        # off while tables are rebuilt: dropping the old one would take along what refers to its rows
        f"foreign_keys = {'ON' if references else 'OFF'}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
