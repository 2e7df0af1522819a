"""The Delta log of one table, through `deltalake`: the only module that knows it.

Invariant: nothing of deltalake's text reaches a message (it may hold file contents), and every failure to read
becomes `LakeCorrupt`. Retention is explicit and without end, because readers go back in time by the versions that the
store knows.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbolon.lake.errors import CommitConflict, DiskFull, LakeCorrupt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, Schema

#: keys of `commitInfo` by which a commit says what its version consists of
_FILES, _ROWS = "symbolon_files", "symbolon_rows"
_CONFIGURATION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


def has_log(directory: Path) -> bool:
    """Whether a table was ever committed here."""
    return (directory / "_delta_log").is_dir() and any((directory / "_delta_log").glob("*.json"))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a table."""

    #: Delta's number of it, from 0
    version: int
    #: files and their rows: names inside the table's folder, sorted
    files: list[tuple[str, int]]
    #: columns
    schema: pa.Schema
    #: deltalake's own view of it
    handle: DeltaTable


def read(directory: Path, name: str, version: int | None = None) -> Snapshot:
    """Open a table at a version, or at its newest.

    Delta takes a log that was cut between two lines, or emptied, for a smaller one. So each commit says how many files
    and rows its version has, and that is compared.

    Raises:
        LakeCorrupt: there is no such table or version, or its log cannot be read or was cut.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    from deltalake import DeltaTable  # noqa: PLC0415
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    if not has_log(directory):
        raise LakeCorrupt(f"table `{name}` of the lake is missing")
    what = f"table `{name}`" if version is None else f"version {version} of table `{name}`"
    try:
        handle = DeltaTable(str(directory), version=version)
        number = int(handle.version())
        schema = pa.schema(handle.schema().to_arrow())
        files = _files(_arrow(handle.get_add_actions(flatten=True)))
        declared = _declared(directory, number)
    except (DeltaError, OSError, ValueError, KeyError, TypeError):
        raise LakeCorrupt(f"{what} of the lake cannot be read: its log is damaged") from None
    if declared != (len(files), sum(rows for _, rows in files)):
        raise LakeCorrupt(f"{what} of the lake cannot be read: its log was cut")
    return Snapshot(number, files, schema, handle)


def commit(
    directory: Path,
    before: Snapshot | None,
    adds: Sequence[tuple[str, int, int]],
    schema: pa.Schema,
    mode: str,
    name: str,
) -> int:
    """Write one transaction; the files stand in `directory` already.

    Args:
        directory: the table's folder.
        before: the version it is based on; None = the table is to be made.
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
    kept = before.files if before and mode == "append" else []
    after = _declaring([*kept, *((path, rows) for path, _, rows in adds)])
    try:
        if before is None:
            (directory / "_delta_log").mkdir(mode=0o700, parents=True, exist_ok=True)
            create_table_with_add_actions(
                str(directory), columns, actions, mode="error", configuration=_CONFIGURATION, commit_properties=after
            )
            _made_private(directory, 0)
            return 0
        if mode == "append":
            _add_columns(before, columns)
        table = before.handle
        table.create_write_transaction(actions, mode, columns, commit_properties=after)  # type: ignore[arg-type]
        table.update_incremental()
        _made_private(directory, int(table.version()))
        return int(table.version())
    except CommitFailedError:
        raise CommitConflict(f"table `{name}` was changed by somebody else; nothing was committed") from None
    except (DeltaError, OSError) as error:
        text = str(error).lower()
        if "no space left" in text or "quota exceeded" in text:
            raise DiskFull("the disk is full: the log of a table could not be written") from None
        if "already exists" in text:
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


def _made_private(directory: Path, version: int) -> None:
    """Take the log up to a version from all but the owner: deltalake writes by the umask."""
    for number in range(version, max(version - 2, -1), -1):  # new columns are a commit of their own before
        with suppress(OSError):  # another owner's, in a folder that is shared on purpose
            (directory / "_delta_log" / f"{number:020d}.json").chmod(0o600)


def _add_columns(before: Snapshot, wanted: Schema) -> None:
    """Add the columns that the table does not have yet: an append by itself would leave them out of its schema."""
    added = [field for field in wanted.fields if field.name not in before.schema.names]
    if added:
        before.handle.alter.add_columns(added, commit_properties=_declaring(before.files))


def _arrow(given: Any) -> pa.Table:
    """Take over rows of deltalake by their stream: asked whether it is a data frame, pyarrow would import pandas."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return pa.RecordBatchReader.from_stream(given).read_all()


def _files(actions: pa.Table) -> list[tuple[str, int]]:
    if not actions.num_rows:
        return []
    paths, rows = actions.column("path").to_pylist(), actions.column("num_records").to_pylist()
    return sorted(zip(paths, (int(count or 0) for count in rows), strict=True))


def _declaring(files: Sequence[tuple[str, int]]) -> CommitProperties:
    """Say in a commit what its version consists of."""
    from deltalake import CommitProperties  # noqa: PLC0415 - heavy

    return CommitProperties(custom_metadata={_FILES: len(files), _ROWS: sum(rows for _, rows in files)})


def _declared(directory: Path, version: int) -> tuple[int, int]:
    """Give the numbers of files and rows that a commit says its version has."""
    with (directory / "_delta_log" / f"{version:020d}.json").open("rb") as log:
        said: dict[str, Any] = json.loads(log.readline())["commitInfo"]
    return int(said[_FILES]), int(said[_ROWS])
