"""`symbolon file`: look at a file before it is used. Needs no project."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from symbolon.cli.receipts import rejected_lines
from symbolon.cli.screen import Line, printable
from symbolon.cli.session import Session, command, noun
from symbolon.cli.words import PROFILE_REJECTED, REJECTED, percent
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.files import Inspection

app = noun()
_KINDS = {"segments": "a segment file", "inbound": "an inbound file", "control": "a control file"}
#: segments that are listed
_SHOWN = 20


@app.callback()
def _group() -> None:
    """Look at a file before it is used."""


@command(app, "inspect", project=False)
def inspect(
    session: Session,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A segment file, an inbound file, a list, or a control file (.info).")
    ],
    timestamp: Annotated[
        Literal["milliseconds", "seconds"], typer.Option("--timestamp", help="How 13 digits in its name are read.")
    ] = "milliseconds",
) -> None:
    """Take a file apart: name, columns or segments, first rows masked, rejects. Needs no project, keeps nothing.

    $ symbolon file inspect S3_46390_14016_full_1486140844000.sync.gz
    """
    from symbolon.files import inspect_file  # noqa: PLC0415 - heavy

    found = inspect_file(file, timestamp=timestamp)
    if session.as_json:
        session.screen.json(found)
        return
    session.screen.lines(_lines(found))
    if found.kind != "inbound":
        session.next(_import_of(found, file))


def _lines(found: Inspection) -> Iterator[Line]:
    kind = f"a list ({found.format})" if found.kind == "list" else _KINDS[found.kind]
    packed = ", gzip" if found.compression else ""
    yield Line(f"{found.file}: {kind}{packed}, {counted(found.size_bytes, 'byte')}", "bold")
    yield from (Line(f"  {part:<14} {value}") for part, value in found.name.items() if value not in (None, ""))
    if found.kind != "control":
        more = "" if found.complete else " were read; the file goes on"
        yield Line(f"  {'lines':<14} {found.lines:,}{more}")
    for looks, share in found.id_kinds.items():
        yield Line(f"  {'IDs look like':<14} {looks} ({percent(round(1000 * share), 1000)} of a sample)")
    yield from _columns(found)
    yield from _segments(found)
    yield from _table("parts" if found.kind == "control" else "first rows, masked", found.first_rows)
    yield from _rejected(found)
    yield from (Line(f"note: {note}", "yellow") for note in found.notes)


def _columns(found: Inspection) -> Iterator[Line]:
    if found.columns:
        yield Line("columns", "bold")
    width = max((len(column.name) for column in found.columns), default=0)
    for column in found.columns:
        yield Line(f"  {column.name:<{width}}  {column.type:<8} {column.looks_like}".rstrip())


def _segments(found: Inspection) -> Iterator[Line]:
    shown = found.segments[:_SHOWN]
    if shown:
        what = "traits" if found.kind == "inbound" else "segments"
        yield Line(f"{what} ({found.segment_count:,})", "bold")
    width = max((len(one.segment) for one in shown), default=0)
    for one in shown:
        out = f"  {one.removed:,} removed" if one.removed else ""
        yield Line(f"  {one.segment:<{width}}  {one.added:>12,}{out}")
    if found.segment_count > len(shown):
        yield Line(f"  and {found.segment_count - len(shown):,} more; --json lists them")
    keys = list(found.signals)[:_SHOWN]
    if keys:
        yield Line(f"signals ({found.signal_count:,})", "bold")
    width = max((len(printable(key)) for key in keys), default=0)
    yield from (Line(f"  {printable(key):<{width}}  {found.signals[key]:>12,}") for key in keys)
    if found.signal_count > len(keys):
        yield Line(f"  and {found.signal_count - len(keys):,} more; --json lists them")


def _rejected(found: Inspection) -> Iterator[Line]:
    if not found.rejected:
        return
    yield Line(f"rejected ({sum(found.rejected.values()):,})", "bold")
    yield from rejected_lines(found.rejected, found.lines, {**PROFILE_REJECTED, **REJECTED})
    for sample in found.rejected_lines[:5]:
        yield Line(f"    line {sample.line:,}: {sample.reason}: {printable(sample.masked)}", "dim")


def _table(title: str, rows: list[list[str]]) -> Iterator[Line]:
    if not rows:
        return
    yield Line(title, "bold")
    for row in rows:
        yield Line("  " + "  ".join(row), "dim")


def _import_of(found: Inspection, file: Path) -> list[str]:
    wanted = ["audience", "import", str(file), "--source", "NAME"]
    if found.kind == "segments" and found.segments:
        wanted += ["--segment", found.segments[0].segment] if found.segment_count == 1 else ["--all-segments"]
    if len(found.columns) > 1:
        likely = next((column.name for column in found.columns if column.looks_like), found.columns[0].name)
        wanted += ["--column", likely]
    return [*wanted, "--plan"]
