"""One DuckDB instance, shut in: it sees the lake and nothing else, and nobody can open it up again.

Invariant: after `connect` no statement can read or write outside the lake, load an extension, or change a setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import ibis

from symbolon.lake.dialects import load_one_by_one

if TYPE_CHECKING:
    from pathlib import Path

    from ibis.backends.duckdb import Backend

#: the functions that Spark has and DuckDB has not, or by another name, as far as our definitions use them
_SPARK_FUNCTIONS = {
    "btrim(value, signs)": "trim(value, signs)",
    "sha2(value, bits)": "CASE bits WHEN 256 THEN sha256(value) ELSE error('no such digest here') END",
    "conv(value, base, to_base)": "CASE WHEN base = 16 AND to_base = -10 THEN "
    "((('0x' || value)::UBIGINT::HUGEINT + 9223372036854775808) % 18446744073709551616 - 9223372036854775808)::VARCHAR "
    "ELSE error('no such conversion here') END",
}


def connect(root: Path, spill: Path, *, threads: int, memory_limit: str) -> tuple[duckdb.DuckDBPyConnection, Backend]:
    """Start an instance in memory.

    Args:
        root: the lake, the only folder it may read and write.
        spill: where it may spill, inside the lake. Never shared: DuckDB removes spilled files of others when it ends.
        threads: threads it may use, at least 1.
        memory_limit: in DuckDB's notation, `2GB`.

    Returns:
        The connection (a cursor of it for each statement), and Ibis's backend over it (for compiling).
    """
    connection = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": memory_limit})
    load_one_by_one()
    backend = ibis.duckdb.from_connection(connection)
    for function, body in _SPARK_FUNCTIONS.items():
        connection.execute(f"CREATE MACRO {function} AS {body}")
    for setting, value in {
        "GLOBAL TimeZone": _text("UTC"),
        "GLOBAL temp_directory": _text(str(spill)),
        "GLOBAL preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allowed_directories": f"[{_text(f'{root}/')}]",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }.items():
        connection.execute(f"SET {setting} = {value}")
    return connection, backend


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
