"""Extract file: a population as a file, in the outbox or on a transport.

Invariant: the name depends on the run, not on the moment of writing, and the file appears whole; so doing it again
after a crash replaces the same file by itself.

Source: Adobe Campaign Standard, "Extract file": columns are expressions, the name gets `_YYYYMMDD_hhmmss`, compression,
"do not generate a file if the inbound transition is empty".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
import zlib
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from symbolon.lake.errors import disk_errors
from symbolon.targeting.activities._columns import batches, described, twice
from symbolon.targeting.activities._places import WILD, check_transport, fresh, inside, named
from symbolon.targeting.activities._writing import Format, write_rows
from symbolon.targeting.activity import RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    import ibis

    from symbolon.targeting.population import Population

_AGAIN = re.compile(r"-r\d+\Z")
#: how long it is noted which run a name belongs to
_NOTED_S = 7 * 86_400
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}


class ExtractFileOptions(Options, frozen=True, kw_only=True):
    """What the file holds, what it is called and where it goes."""

    file: Annotated[
        str,
        Meta(
            description="Its name in the project's `outbox/`, or on the transport; `.gz` compresses. `${parameter}` is "
            "filled in."
        ),
    ]
    columns: Annotated[
        dict[str, str],
        Meta(
            description="Columns of the file, in order: name -> expression over fields of the profile and columns of "
            "the transition. Without any, the columns of the transition."
        ),
    ] = {}  # noqa: RUF012 - msgspec copies it
    transport: Annotated[str, Meta(description="Name of a transport; empty = the outbox.")] = ""
    format: Annotated[
        Literal["csv", "ndjson", "parquet"] | None,
        Meta(description="`csv`, `ndjson` or `parquet`; by default as the name ends, else `csv`."),
    ] = None
    delimiter: Annotated[
        str | None, Meta(description="What parts the cells of a CSV file, one sign. Default: a comma; a tab in `.tsv`.")
    ] = None
    header: Annotated[bool, Meta(description="Whether the first line of a CSV file holds the names.")] = True
    timestamp: Annotated[
        bool, Meta(description="Whether `_YYYYMMDD_hhmmss` (the start of the run, UTC) is added to the name.")
    ] = True
    if_empty: Annotated[
        Literal["write", "skip"], Meta(description="If there are no rows: `write` the file all the same, or `skip` it.")
    ] = "write"
    order_by: Annotated[str, Meta(description="What the rows are sorted by, `last_name, birth_date DESC`.")] = ""


def apply(options: ExtractFileOptions, context: Context) -> Outcome:
    """Write the file and give the inbound population on."""
    population = context.inputs[0]
    rows = _rows(options, context, population)
    place = "transport" if options.transport else "outbox"
    template = named(context, options.file, "file", place)
    check_transport(context, options.transport)
    kind, compressed, delimiter = _form(options, context)
    if context.mode is Mode.CHECK or template is None:
        return {RESULT: population}
    run = _AGAIN.sub("", context.run_id)  # what a person has done again replaces its own file
    mark = f"{zlib.crc32(f'{run}/{context.activity}'.encode()):08x}"
    name = _stamped(template, options, context)
    if options.timestamp and context.mode is Mode.RUN and not _is_own(name, options.transport, mark, context):
        name = _stamped(template, options, context, f"_{mark}")
    if context.mode is Mode.PLAN:
        count = context.count(rows)
        files = 0 if not count and options.if_empty == "skip" else 1
        context.note(fileName=name if files else None, filesCount=files, rows=count)
        return {RESULT: population}
    staged = fresh(context, "extract") / "file"
    schema = rows.schema().to_pyarrow()
    with disk_errors("a file for the outbox"):
        count = write_rows(
            staged,
            batches(context, rows, schema),
            schema,
            format=kind,
            gzip=compressed,
            delimiter=delimiter,
            header=options.header,
        )
        if not count and options.if_empty == "skip":
            context.note(fileName=None, filesCount=0, rows=0)
            return {RESULT: population}
        size = staged.stat().st_size
        if options.transport:
            context.open_transport(options.transport).put(staged, name, overwrite=True)
        else:
            _put(staged, inside(context.settings.project / "outbox", name, "outbox"), mark)
    staged.unlink(missing_ok=True)
    context.note(fileName=name, filesCount=1, rows=count, bytes=size)
    return {RESULT: population}


def _rows(options: ExtractFileOptions, context: Context, population: Population) -> ibis.Table:
    rows = described(context, population)
    if options.order_by.strip():
        keys = context.ordering(options.order_by, rows, "order_by")
        rows = rows.order_by(keys) if keys else rows
    if not options.columns:
        names = [name for name in population.relation.columns if population.dimension == "" or name != "profile_id"]
        if not names and population.dimension == PROFILE:
            context.fault(
                "columns", "the transition has no columns but the number of a profile", "columns: {email: lower(email)}"
            )
            return rows
        return rows.select(*names)
    double = twice(list(options.columns))
    if double is not None:
        context.fault("columns", f"`{double}` stands there twice; capitals do not make two of one", "rename one")
        return rows
    return rows.select(
        **{name: context.expression(text, rows, f"columns.{name}") for name, text in options.columns.items()}
    )


def _form(options: ExtractFileOptions, context: Context) -> tuple[Format, bool, str]:
    """Give format, compression and delimiter."""
    _, ending, compressed = _parts(options.file)
    kind = options.format or _ENDINGS.get(ending, "csv")
    if compressed and kind == "parquet":
        context.fault("file", "a Parquet file is compressed by itself", "file: people.parquet")
    if WILD & set(options.file):
        context.fault("file", "a name has no `*`, `?` or `[`", "file: people.csv")
    delimiter = options.delimiter or ("\t" if ending == ".tsv" else ",")
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in '"\r\n':
        context.fault("delimiter", "a delimiter is one ASCII sign that is no letter, digit or quote", "delimiter: ';'")
    if options.delimiter is not None and kind != "csv":
        context.fault("delimiter", f"`{kind}` has no delimiter", "format: csv")
    return kind, compressed and kind != "parquet", delimiter


def _parts(name: str) -> tuple[str, str, bool]:
    """Take a name apart: what stands before the ending, the ending, and whether it ends in `.gz`."""
    compressed = name.lower().endswith(".gz")
    bare = name[:-3] if compressed else name
    ending = next((one for one in _ENDINGS if bare.lower().endswith(one)), "")
    return bare[: len(bare) - len(ending)], bare[len(bare) - len(ending) :].lower(), compressed


def _stamped(name: str, options: ExtractFileOptions, context: Context, suffix: str = "") -> str:
    """Give the name of the file in this run."""
    stem, ending, compressed = _parts(name)
    ending = ending or f".{options.format or 'csv'}"
    stamp = f"_{context.now:%Y%m%d_%H%M%S}" if options.timestamp else ""
    return f"{stem}{stamp}{suffix}{ending}{'.gz' if compressed else ''}"


def _is_own(name: str, transport: str, mark: str, context: Context) -> bool:
    """Say whether this run may write under a name: the first that asks gets it, and gets it again after a crash.

    Two runs that began in the same second ask for the same name. Later none can, so old notes are removed.
    """
    folder = context.settings.locks_dir / "extracts"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - _NOTED_S:
                old.unlink()
    note = folder / hashlib.sha256(f"{transport}\n{name}".encode()).hexdigest()[:32]
    # a link appears whole or not at all: who finds a note can read whose it is
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as own:
        own.write(mark)
        own.flush()
        with contextlib.suppress(FileExistsError):
            note.hardlink_to(own.name)
    return note.read_text(encoding="ascii") == mark


def _put(staged: Path, target: Path, mark: str) -> None:
    """Move a file to its place, so that it appears whole; the temporary name is the same when it is done again."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.parent / f".{target.name[:200]}.{mark}.part"
    try:
        part.unlink(missing_ok=True)
        with staged.open("rb") as source, part.open("xb") as sink:
            os.fchmod(sink.fileno(), 0o600)
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


ACTIVITY = Activity(
    name="extract_file",
    title="Extract file",
    summary="Writes a population to a file, in the outbox or on a transport.",
    category=Category.DATA,
    options=ExtractFileOptions,
    apply=apply,
    effect=True,
    example="""\
- id: to_printer
  type: extract_file
  from: subscribers
  file: letters.csv.gz
  columns:
    name: coalesce(first_name, '')
    city: upper(city)
  order_by: city
  delimiter: ';'
  if_empty: skip
""",
    notes="""\
The name gets the moment at which the run began, `letters_20260701_083000.csv.gz`, so each run writes a file of its own
and a run that goes on after a crash writes the same one again. Of two runs that began in the same second the
later one adds a mark of its own to the name. With `timestamp: false` a file of that name is replaced.
Files appear whole, with mode 0600; until then they have a hidden name.

Columns are expressions over the fields of the profile and the columns that the transition carries; a column of the
transition goes before a field of the same name. The number of a profile inside Symbolon is never written unless it is
asked for. In CSV, text stands in quotation marks, moments are UTC, and what has no value is an empty cell.

The file holds what you name, readable. To share people with another solution by protected IDs, with consent and
removals, use `save_audience` with `mode: share`.
""",
)
