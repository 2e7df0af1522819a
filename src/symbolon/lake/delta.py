"""The Delta log of one table, through `deltalake`: the only module that knows it.

Invariant: nothing of deltalake's text reaches a message (it may hold file contents), and every failure to read
becomes `LakeCorrupt`. Retention is explicit and without end, because readers go back in time by the versions that the
store knows.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from symbolon.lake.errors import CommitConflict, DiskFull, LakeCorrupt, disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from deltalake import DeltaTable, Schema

_CONFIGURATION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


def has_log(directory: Path) -> bool:
    """Whether a table was ever committed here."""
    return (directory / "_delta_log").is_dir() and any((directory / "_delta_log").glob("*.json"))


def read(directory: Path, name: str, version: int | None = None) -> DeltaTable:
    """Open a table at a version, or at its newest.

    Raises:
        LakeCorrupt: there is no such table or version, or its log cannot be read.
    """
    from deltalake import DeltaTable  # noqa: PLC0415 - heavy
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    if not has_log(directory):
        raise LakeCorrupt(f"table `{name}` of the lake is missing")
    try:
        return DeltaTable(str(directory), version=version)
    except (DeltaError, OSError, ValueError):
        what = f"table `{name}`" if version is None else f"version {version} of table `{name}`"
        raise LakeCorrupt(f"{what} of the lake cannot be read: its log is damaged") from None


def schema_of(table: DeltaTable, name: str) -> pa.Schema:
    """Give the columns of a table."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    with _damaged(name):
        return pa.schema(table.schema().to_arrow())


def files_of(table: DeltaTable, name: str) -> list[tuple[str, int]]:
    """Give the files of a version and their rows: names inside the table's folder, sorted."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    with _damaged(name):
        actions = pa.table(table.get_add_actions(flatten=True))
        if not actions.num_rows:
            return []
        paths, rows = actions.column("path").to_pylist(), actions.column("num_records").to_pylist()
    return sorted(zip(paths, (int(count or 0) for count in rows), strict=True))


def commit(
    directory: Path,
    table: DeltaTable | None,
    adds: Sequence[tuple[str, int, int]],
    schema: pa.Schema,
    mode: str,
    name: str,
) -> int:
    """Write one transaction; the files stand in `directory` already.

    Args:
        directory: the table's folder.
        table: the version it is based on; None = the table is to be made.
        adds: name, size in bytes and rows of each file.
        schema: columns from now on.
        mode: `overwrite` or `append`.
        name: the table's name, for messages.

    Returns:
        The new version.

    Raises:
        CommitConflict: somebody committed in between.
        DiskFull: the log could not be written.
    """
    from deltalake import Schema  # noqa: PLC0415 - heavy
    from deltalake.exceptions import CommitFailedError, DeltaError  # noqa: PLC0415
    from deltalake.transaction import AddAction, create_table_with_add_actions  # noqa: PLC0415

    now = int(time.time() * 1000)
    actions = [AddAction(path, size, {}, now, True, json.dumps({"numRecords": rows})) for path, size, rows in adds]
    columns = Schema.from_arrow(schema)
    try:
        with disk_errors("the log of a table"):
            if table is None:
                create_table_with_add_actions(
                    str(directory), columns, actions, mode="error", configuration=_CONFIGURATION
                )
                return 0
            if mode == "append":
                _add_columns(table, columns)
            table.create_write_transaction(actions, mode, columns)  # type: ignore[arg-type]
            table.update_incremental()
            return int(table.version())
    except CommitFailedError:
        raise CommitConflict(f"table `{name}` was changed by somebody else; nothing was committed") from None
    except DeltaError as error:
        if "no space left" in str(error).lower():
            raise DiskFull("the disk is full: the log of a table could not be written") from None
        if "already exists" in str(error).lower():
            raise CommitConflict(f"table `{name}` was made by somebody else; nothing was committed") from None
        raise LakeCorrupt(f"table `{name}` of the lake cannot be committed to") from None


def ever_added(directory: Path) -> set[str] | None:
    """Give the names of all files that any version of the table has held; None if the log does not tell all of them."""
    names = set()
    logs = sorted((directory / "_delta_log").glob("*.json"))
    if [log.stem for log in logs] != [f"{number:020d}" for number in range(len(logs))]:
        return None
    try:
        for log in logs:
            for line in log.read_bytes().splitlines():
                action: dict[str, Any] = json.loads(line)
                if "add" in action:
                    names.add(str(action["add"]["path"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return names


def unfinished_entries(directory: Path) -> list[Path]:
    """Give the files of a log that were being written when their process was killed."""
    return [path for path in (directory / "_delta_log").glob("*") if "#" in path.name or ".tmp" in path.name]


def _add_columns(table: DeltaTable, wanted: Schema) -> None:
    """Add the columns that the table does not have yet: an append by itself would leave them out of its schema."""
    known = {field.name for field in table.schema().fields}
    added = [field for field in wanted.fields if field.name not in known]
    if added:
        table.alter.add_columns(added)


@contextmanager
def _damaged(name: str) -> Iterator[None]:
    from deltalake.exceptions import DeltaError  # noqa: PLC0415 - heavy

    try:
        yield
    except (DeltaError, OSError, ValueError):
        raise LakeCorrupt(f"the log of table `{name}` of the lake is damaged") from None
