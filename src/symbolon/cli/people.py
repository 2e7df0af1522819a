"""Rows of people on their way out: to the screen, to a pipe, or to a file that only this user can read.

Invariant: a file appears whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from symbolon.cli.errors import OutputError
from symbolon.cli.screen import cell
from symbolon.errors import Location
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from symbolon.cli.session import Session
    from symbolon.sharing import Rows

#: rows of a table on the screen where nobody said how many
SHOWN = 40

Format = Literal["csv", "ndjson", "parquet", "table"]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="Default: a table on a terminal, else what the name of --output says, else CSV."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file, readable by you alone.")
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=0, help="At most so many rows.")]

_BY_ENDING: dict[str, Format] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}


def put(session: Session, rows: Rows, *, fmt: Format | None, output: Path | None, limit: int | None) -> None:
    """Give rows out as the options say.

    Raises:
        OutputError: Parquet to a terminal, or a file that cannot be written.
    """
    if session.as_json:
        _json(session, _limited(rows, limit))
        return
    chosen: Format = fmt or _default(session, output)
    if output is not None and str(output) != "-":
        count = write_private(output, lambda sink: _write(_limited(rows, limit), sink, chosen))
        session.screen.say(f"{counted(count, 'row')} written to {output}")
        return
    if chosen == "table":
        _table(session, rows, limit)
        return
    if chosen == "parquet" and sys.stdout.isatty():
        raise OutputError("Parquet on a terminal is noise", hint="add --output FILE, or another --format")
    sys.stdout.flush()
    _write(_limited(rows, limit), sys.stdout.buffer, chosen)
    sys.stdout.buffer.flush()


def split_columns(text: str | None) -> list[str] | None:
    """Take `a,b` apart; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def write_private(output: Path, write: Callable[[IO[bytes]], int]) -> int:
    """Write a file beside its place, mode 0600, and move it there when it is whole.

    Raises:
        OutputError: the place cannot be written to.
    """
    if output.is_dir():
        raise OutputError("it is a folder", where=Location(str(output)), hint="name a file")
    beside = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"the file cannot be written: {reason}", where=Location(str(output)), hint="check the folder and its mode"
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as sink:
            count = write(sink)
        beside.replace(output)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return count


def _default(session: Session, output: Path | None) -> Format:
    if output is not None and output.suffix.lower() in _BY_ENDING:
        return _BY_ENDING[output.suffix.lower()]
    return "table" if output is None and session.screen.is_terminal else "csv"


def _write(rows: Rows, sink: IO[bytes], fmt: Format) -> int:
    return rows.write(sink, "csv" if fmt == "table" else fmt)


def _limited(rows: Rows, limit: int | None) -> Rows:
    from symbolon.sharing import Rows as Limited  # noqa: PLC0415 - heavy

    if limit is None:
        return rows

    def read() -> Iterator[pa.RecordBatch]:
        left = limit
        for batch in rows.batches() if left else ():
            yield batch.slice(0, left)
            left -= min(left, batch.num_rows)
            if not left:
                return

    return Limited(rows.schema, read)


def _table(session: Session, rows: Rows, limit: int | None) -> None:
    shown = SHOWN if limit is None else limit
    cells = [[cell(value) for value in row.values()] for row in _records(_limited(rows, shown + 1))]
    session.screen.table(rows.columns, cells[:shown])
    if len(cells) > shown and limit is None:
        session.screen.say(f"... and more: the first {shown} are shown; --limit N shows more, --format csv all")


def _records(rows: Rows) -> Iterator[dict[str, object]]:
    for batch in rows.batches():
        yield from batch.to_pylist()


def _json(session: Session, rows: Rows) -> None:
    import msgspec  # noqa: PLC0415

    encoder = msgspec.json.Encoder()
    session.screen.bytes(b"[")
    first = True
    for batch in rows.batches():
        if batch.num_rows:
            data = encoder.encode(batch.to_pylist())[1:-1]
            session.screen.bytes(data if first else b"," + data)
            first = False
    session.screen.bytes(b"]\n")
