"""What PostgreSQL and psycopg raise, as errors of ours.

The server tells failures apart by SQLSTATE (PostgreSQL manual, appendix A). Only while a connection is made there is
none, and libpq's text must do; where it is in another language the message says less.

Invariant: nothing of that text goes on: it names users, and its DETAIL lines hold values of keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exc

from symbolon.settings import SettingsError
from symbolon.store.errors import (
    BrokenReference,
    DuplicateRecord,
    StoreBusy,
    StoreConflict,
    StoreCorrupt,
    StoreDenied,
    StoreFailed,
    StoreFull,
    StoreMissing,
    StoreUncertain,
    StoreUnreachable,
    StoreValueError,
)
from symbolon.store.sql.flavour import detail_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.errors import SymbolonError
    from symbolon.store.sql.flavour import Phase

_GUIDE = "docs/guide/postgresql.md"
_RUN_AGAIN = "then run the same command again"
#: the beginning of a SQLSTATE -> class, what happened, how to mend it; the longest beginning counts
_STATES: Mapping[str, tuple[type[SymbolonError], str, str | None]] = {
    "22": (StoreValueError, "a value does not fit into the store", None),
    "23": (StoreConflict, "the tables of the store refuse the record", None),
    "23001": (BrokenReference, "other records refer to it", None),
    "23503": (BrokenReference, "a record is gone, or others refer to it", None),
    "23505": (DuplicateRecord, "a record of this name or number exists already", None),
    "25006": (
        StoreDenied,
        "the server takes no changes: it is a standby, or set to read only",
        "name the primary in `store`",
    ),
    "40": (StoreConflict, "somebody else changed the same records at the same moment; nothing was changed", None),
    "42501": (
        StoreDenied,
        "the user may not do this in the store's tables",
        f"GRANT it, or make the user their owner: {_GUIDE}",
    ),
    "3F": (
        StoreMissing,
        "the database has no schema that the store could be in",
        f"make it, or name another one: {_GUIDE}",
    ),
    "42P01": (
        StoreCorrupt,
        "the store lacks a table: it is damaged, or no store",
        "restore the database from a backup; the rows in the lake are not affected",
    ),
    "42703": (
        StoreCorrupt,
        "the store lacks a column: it is damaged, or no store",
        "restore the database from a backup; the rows in the lake are not affected",
    ),
    "42P07": (
        StoreFailed,
        "the database has tables of something else with the names that the store needs",
        f"give the store a database or a schema of its own: {_GUIDE}",
    ),
    "53": (
        StoreFailed,
        "the server has run out of memory or of something else that it needs",
        f"mend it, {_RUN_AGAIN}",
    ),
    "53100": (StoreFull, "the disk of the store's server is full", f"free space on it, {_RUN_AGAIN}"),
    "53300": (StoreBusy, "the server takes no more connections", f"wait, or raise its max_connections: {_GUIDE}"),
    "55P03": (StoreBusy, "another process has been changing the same record for 30 s", None),
    "57014": (StoreFailed, "the server gave up a statement: it took longer than statement_timeout allows", None),
}
_LOST = ("08", "57P")
#: what libpq says while connecting (English; all words of a group) -> class, what happened, how to mend it
_REFUSALS: tuple[tuple[tuple[str, ...], type[SymbolonError], str, str], ...] = (
    (("role", "does not exist"), StoreDenied, "{host} knows no such user", "check the user in `store`, or PGUSER"),
    (
        ("database", "does not exist"),
        StoreMissing,
        "{host} has no database `{database}`",
        f"make it: createdb {{database}}; see {_GUIDE}",
    ),
    *(
        (
            (words,),
            StoreDenied,
            "{host} does not accept the user with this password, or without one",
            "set PGPASSWORD, or write the password into ~/.pgpass (mode 0600)",
        )
        for words in ("authentication failed", "no password supplied")
    ),
    *(
        (
            (words,),
            StoreDenied,
            "{host} does not let this user into database `{database}` from here",
            "its pg_hba.conf, GRANT CONNECT and LOGIN decide; it may want TLS: sslmode=require",
        )
        for words in ("pg_hba", "permission denied for database", "not permitted to log in")
    ),
    *(
        (
            (words,),
            StoreBusy,
            "{host} takes no more connections",
            f"wait, or raise its max_connections: {_GUIDE}",
        )
        for words in ("too many", "connection slots")
    ),
    *(
        (
            (words,),
            StoreDenied,
            "{host} and this computer do not agree on TLS",
            f"check `sslmode` and `sslrootcert`: {_GUIDE}",
        )
        for words in ("ssl", "certificate")
    ),
    *(
        (
            ("invalid", words),
            SettingsError,
            "the URL in `store` has an option or a value that PostgreSQL does not know",
            f"see {_GUIDE}",
        )
        for words in ("connection option", "integer value", "port number", "value:")
    ),
)


def translate(error: exc.SQLAlchemyError, phase: Phase, *, host: str, database: str) -> SymbolonError:
    """Give the error of ours.

    Args:
        error: what SQLAlchemy raised.
        phase: what was going on.
        host: host and port, without user or password.
        database: the database's name.
    """
    cause = detail_of(error)
    if isinstance(error, exc.TimeoutError):
        return StoreBusy("this process has more calls under way than connections", hint="use fewer threads")
    state = str(getattr(cause, "sqlstate", None) or "")
    if phase == "connect" and not state:
        return _not_connected(str(cause).lower(), host, database)
    if state.startswith(_LOST) or getattr(error, "connection_invalidated", False):
        return _lost(phase, host)
    for length in (5, 3, 2):
        if known := _STATES.get(state[:length]):
            kind, summary, hint = known
            return kind(summary, hint=hint, details={"sqlstate": state})
    kind_name = type(cause).__name__
    return StoreFailed(
        f"the store's database failed a statement ({kind_name})",
        hint="`symbolon doctor` looks at the store; the server's own log tells more",
        details={"kind": kind_name, "sqlstate": state},
    )


def _lost(phase: Phase, host: str) -> SymbolonError:
    if phase == "commit":
        return StoreUncertain(
            f"the connection to the store ({host}) was lost while a change was being confirmed: "
            "it counts whole or not at all"
        )
    if phase == "connect":
        return StoreUnreachable(f"the store's server ({host}) takes no connections now", hint=_check(host))
    return StoreUnreachable(
        f"the connection to the store ({host}) was lost"
        + ("; nothing of this change counts" if phase == "write" else ""),
        hint=_check(host),
    )


def _not_connected(text: str, host: str, database: str) -> SymbolonError:
    """Tell by libpq's text why there is no connection; whatever else it says, the server was not reached."""
    for words, kind, summary, hint in _REFUSALS:
        if all(word in text for word in words):
            place = f"the store's server ({host})"
            return kind(summary.format(host=place, database=database), hint=hint.format(database=database))
    return StoreUnreachable(f"the store's server ({host}) cannot be reached", hint=_check(host))


def _check(host: str) -> str:
    return f"check that PostgreSQL runs at {host} and may be reached from here (pg_isready), {_RUN_AGAIN}"
