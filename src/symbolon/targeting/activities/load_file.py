"""Load file: the rows of a file, typed, and the ones that could not be read.

Source: Adobe Campaign Standard, "Load file": declared columns with type, case, white space, remapped values and an
error mode, also of fixed width; rejects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from msgspec import Meta

from symbolon.columns import column as arrow_column
from symbolon.columns import empty_table
from symbolon.errors import Location, SymbolonError
from symbolon.files import ColumnsError, FileMissing, open_table
from symbolon.files.fixedwidth import open_fixed_width
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.profiles.cells import typed
from symbolon.profiles.fields import extra_type
from symbolon.targeting.activities._columns import ARROW, twice
from symbolon.targeting.activities._errors import FileColumns, FileGrowing, RowsRejected
from symbolon.targeting.activities._places import WILD, check_transport, fresh, matching, named, split
from symbolon.targeting.activities._reading import Column, columns_of, places_of, read
from symbolon.targeting.activities._values import Type  # noqa: TC001 - msgspec reads the annotation
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import UNKNOWN, Population

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from symbolon.files import TableBatch
    from symbolon.files.tables import Table

REJECTS = "rejects"
_REJECTED = pa.schema(
    [(name, pa.int64() if name == "line" else pa.string()) for name in ("file", "line", "reason", "column", "raw")]
)
#: what stands for columns that nobody knows
_NOTHING = pa.schema([("line", pa.int64())])
#: signs that a rejected row keeps of what was wrong
_KEPT = 256
_SHOWN = 12


class LoadFileOptions(Options, frozen=True, kw_only=True):
    """Which file, and how it is read."""

    file: Annotated[
        str,
        Meta(
            description="Path in the project's `inbox/`, or on the transport. The last part may be a pattern, "
            "`orders_*.csv`: all files that match are loaded. `${parameter}` is filled in."
        ),
    ]
    transport: Annotated[str, Meta(description="Name of a transport; empty = the inbox.")] = ""
    format: Annotated[
        Literal["csv", "tsv", "fixed", "ndjson", "parquet"] | None,
        Meta(
            description="`csv`, `tsv`, `fixed` (fixed width), `ndjson` or `parquet`, also as `.gz`. By default found "
            "out from the file, all but `fixed`."
        ),
    ] = None
    header: Annotated[
        bool | None,
        Meta(
            description="Whether the first line holds the names; else columns are called `1`, `2`, ... By default it "
            "does, but for fixed width."
        ),
    ] = None
    columns: Annotated[
        dict[str, Type | Column],
        Meta(
            description="The columns to load, by name: a type (text, integer, number, boolean, date, moment), or "
            "`type`, `case` (keep, lower, upper, title), `trim`, `remap` (what stands in the file: what it means), "
            "`on_error` (reject, ignore, default), `empty` (keep, reject, default), `default`, `column` (its name in "
            "the file), and for fixed width `start` (from 1) and `width` in signs. Without any, all columns."
        ),
    ] = {}  # noqa: RUF012 - msgspec copies it
    missing: Annotated[
        Literal["fail", "empty"], Meta(description="If there is no such file: `fail`, or go on with no rows (`empty`).")
    ] = "fail"
    max_rejected: Annotated[
        int | str | None, Meta(description="Most rejected rows, `100` or `1%`; more stop the run. Default: any.")
    ] = None


def apply(options: LoadFileOptions, context: Context) -> Outcome:
    """Stage the rows of the file."""
    columns = columns_of(options.columns, context, fixed=options.format == "fixed")
    limit = _limit(options, context)
    check_transport(context, options.transport)
    name = named(context, options.file, "file", "transport" if options.transport else "inbox")
    if name is not None and WILD & set(split(name)[0]):
        context.fault("file", "only the last part of a path may have `*`, `?` or `[`", "file: in/orders_*.csv")
        name = None
    if context.mode is Mode.CHECK:
        schema = _declared(columns) or _found(options, context, name)
        return _outcome(*[context.engine.relation(empty_table(one)) for one in (schema, _REJECTED)])
    directory = fresh(context, "loaded")
    loader = _Loader(options, columns, directory)
    for shown, path in _files(options, context, name or "", directory):
        loader.load(path, shown)
    loader.close()
    total = sum(loader.reasons.values())
    context.note(
        fileName=loader.names[-1] if loader.names else None,
        filesCount=len(loader.names),
        lines=loader.lines,
        rows=loader.lines - total,
        rejected=dict(sorted(loader.reasons.items())),
    )
    for text in loader.warnings:
        context.warn(text)
    if limit is not None and total > limit(loader.lines):
        raise RowsRejected(
            f"{total:,} of {loader.lines:,} rows were rejected, more than "
            f"`max_rejected: {options.max_rejected}` allows",
            details={"rejected": loader.reasons},
        )
    engine = context.engine
    rows = engine.scan([str(file.path) for file in loader.rows], loader.schema or _declared(columns) or _NOTHING)
    return _outcome(rows, engine.scan([str(file.path) for file in loader.rejected], _REJECTED))


def _outcome(rows: Any, rejected: Any) -> Outcome:
    return {RESULT: Population(rows, UNKNOWN), REJECTS: Population(rejected, UNKNOWN)}


def _limit(options: LoadFileOptions, context: Context) -> Any:
    given = options.max_rejected
    if given is None:
        return None
    text = str(given)
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf") or (text.endswith("%") and value > 100):
        context.fault("max_rejected", "this is no number of rows and no share of them", "max_rejected: 1%")
        return None
    return (lambda lines: lines * value / 100) if text.endswith("%") else (lambda _lines: value)


def _declared(columns: dict[str, Column]) -> pa.Schema | None:
    return pa.schema([(name, ARROW[one.type]) for name, one in columns.items()]) if columns else None


def _found(options: LoadFileOptions, context: Context, name: str | None) -> pa.Schema:
    """Give the columns of the file that is there, for a check."""
    hint = "columns: {email: text, birth_date: date}"
    if options.format == "fixed":  # that was told
        return _NOTHING
    if name is None or options.transport:
        if options.transport or "${" in options.file:  # else the name is wrong, and that was told
            context.fault("columns", "the columns can't be known before the run: declare them", hint)
        return _NOTHING
    try:
        files = matching(_inbox(context), name, "inbox")
        if not files:
            context.fault("columns", "the file is not there yet: declare its columns", hint)
            return _NOTHING
        shown, path = files[0]
        with open_table(path, format=options.format, name=shown, header=options.header is not False) as table:
            first = next(iter(table.batches()))
        return _schema_of(first, shown)
    except SymbolonError as error:
        context.fault("file", error.summary, error.hint)
        return _NOTHING


def _schema_of(batch: TableBatch, shown: str) -> pa.Schema:
    names = list(batch.table.schema.names)
    if not all(names):
        raise ColumnsError(f"column {names.index('') + 1} of {len(names)} has no name", where=Location(shown, 1))
    ours = next((name for name in names if name.startswith("__")), None)
    if ours is not None:
        raise ColumnsError(f"a column is called `{ours[:64]}`; such names are our own", where=Location(shown, 1))
    double = twice(names)
    if double is not None:
        raise ColumnsError(
            f"several columns have the name `{double[:64]}`; capitals do not make two of one", where=Location(shown, 1)
        )
    return pa.schema([(field.name, extra_type(field.type)) for field in batch.table.schema])


def _inbox(context: Context) -> Path:
    return context.settings.project / "inbox"


def _files(options: LoadFileOptions, context: Context, name: str, directory: Path) -> Iterator[tuple[str, Path]]:
    """Give the files to load: what they are called, and where they are."""
    count = 0
    if options.transport:
        transport = context.open_transport(options.transport)
        folder, last = split(name)
        wild = bool(WILD & set(last))
        found = transport.list(folder, last) if wild else [one for one in [transport.stat(name)] if one is not None]
        for count, one in enumerate(found, start=1):
            path = directory / f"file-{count}"
            transport.fetch(one.name, path, expected=one)
            yield one.name, path
            path.unlink(missing_ok=True)
    else:
        for count, one in enumerate(matching(_inbox(context), name, "inbox"), start=1):  # noqa: B007
            yield one
    if not count and (options.missing == "fail" or not options.columns):
        raise FileMissing(
            "there is no such file", where=Location(name), hint="wait for it, or go on without: `missing: empty`"
        )


class _Loader:
    """Stages the rows of files, and the rejected ones."""

    def __init__(self, options: LoadFileOptions, columns: dict[str, Column], directory: Path) -> None:
        self._options = options
        self._columns = columns
        self._directory = directory
        self._rows: ParquetStaging | None = None
        self._rejected = ParquetStaging(directory, _REJECTED, name="rejected")
        self.schema: pa.Schema | None = None
        self.rows: list[Any] = []
        self.rejected: list[Any] = []
        self.names: list[str] = []
        self.lines = 0
        self.reasons: dict[str, int] = {}
        self.warnings: list[str] = []

    def load(self, path: Path, shown: str) -> None:
        """Read a file to its end.

        Raises:
            FileColumns: it does not have the columns.
            FileGrowing: it changed meanwhile.
            InputError: it is no readable file of its format.
        """
        before = path.stat() if path.exists() else None
        headers: dict[str, str] | None = None
        with self._open(path, shown) as table:
            for batch in table.batches():
                found = _schema_of(batch, shown)
                if headers is None:
                    headers = self._headers(found, shown)
                self._add(batch, headers, shown)
        after = path.stat()
        if before is not None and (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise FileGrowing("the file changed while it was read", where=Location(shown))
        self.names.append(shown)

    def _open(self, path: Path, shown: str) -> AbstractContextManager[Table]:
        options = self._options
        if options.format == "fixed":
            return open_fixed_width(path, places_of(self._columns), name=shown, header=options.header is True)
        return open_table(path, format=options.format, name=shown, header=options.header is not False)

    def close(self) -> None:
        """Finish the staged files."""
        self.rows = [] if self._rows is None else self._rows.close()
        self.rejected = self._rejected.close()

    def _headers(self, found: pa.Schema, shown: str) -> dict[str, str]:
        """Give the name in the file of each column to load."""
        if self.schema is None:
            self.schema = _declared(self._columns) or found
            self._columns = self._columns or {field.name: Column(trim=False) for field in found}
            self._rows = ParquetStaging(self._directory, self.schema, name="rows")
        alike = {name.strip().lower(): name for name in found.names}
        headers = {}
        for name, one in self._columns.items():
            wanted = one.column or name
            header = wanted if wanted in found.names else alike.get(wanted.strip().lower())
            if header is None:
                listed = ", ".join(f"`{each[:64]}`" for each in found.names[:_SHOWN])
                raise FileColumns(f"the file has no column `{wanted}`; it has: {listed}", where=Location(shown, 1))
            headers[name] = header
        more = len(set(found.names) - set(headers.values()))
        if more:
            self.warnings.append(f"{shown}: {more} column{'s' if more > 1 else ''} of the file left out")
        return headers

    def _add(self, batch: TableBatch, headers: dict[str, str], shown: str) -> None:
        assert self.schema is not None  # noqa: S101 - the headers were read
        assert self._rows is not None  # noqa: S101
        count = batch.table.num_rows
        self.lines += batch.nonblank
        lines = np.asarray(batch.lines, dtype=np.int64)
        refused = np.zeros(count, dtype=bool)
        values = []
        for name, one in self._columns.items():
            kind = self.schema.field(name).type
            header = headers[name]
            there = header in batch.table.schema.names
            cells = batch.table.column(header) if there else pa.nulls(count, pa.string())
            column, wrong, empty = read(cells, one, kind)
            for reason, mask in (("invalid_value", wrong), ("missing_value", empty)):
                fresh_ones = mask & ~refused
                if fresh_ones.any():
                    self._refuse(lines, cells, fresh_ones, reason, name, shown)
                    refused |= fresh_ones
            values.append(column)
        made = pa.record_batch(values, schema=self.schema)
        self._rows.write(made.filter(arrow_column(~refused)) if refused.any() else made)
        self._reject_lines(batch, shown)

    def _refuse(
        self, lines: NDArray[np.int64], cells: pa.Array, mask: NDArray[np.bool_], reason: str, name: str, shown: str
    ) -> None:
        picked = arrow_column(mask)
        raw = pc.fill_null(pc.utf8_slice_codeunits(typed(cells.filter(picked), pa.string())[0], 0, _KEPT), "")
        number = len(raw)
        self.reasons[reason] = self.reasons.get(reason, 0) + number
        told = [pa.repeat(pa.scalar(text, pa.string()), number) for text in (shown, reason, name)]
        columns = [told[0], arrow_column(lines[mask]), told[1], told[2], raw]
        self._rejected.write(pa.record_batch(columns, schema=_REJECTED))

    def _reject_lines(self, batch: TableBatch, shown: str) -> None:
        if not batch.rejected:
            return
        for one in batch.rejected:
            self.reasons[one.reason] = self.reasons.get(one.reason, 0) + 1
        rows = [
            {
                "file": shown,
                "line": one.line,
                "reason": one.reason,
                "column": None,
                "raw": one.raw.decode(errors="backslashreplace"),
            }
            for one in batch.rejected
        ]
        self._rejected.write(pa.RecordBatch.from_pylist(rows, schema=_REJECTED))


ACTIVITY = Activity(
    name="load_file",
    title="Load file",
    summary="Gives the rows of a file, typed, and those that could not be read.",
    category=Category.DATA,
    options=LoadFileOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    outputs=lambda _options: [RESULT, REJECTS],
    kept=True,
    example="""\
- id: orders
  type: load_file
  file: orders_*.csv.gz
  columns:
    email: {type: text, case: lower}
    amount: {type: number, on_error: default, default: 0}
    ordered: {type: date, column: Order date, empty: reject}
  max_rejected: 1%
""",
    notes="""\
The rows have no targeting dimension yet: `reconciliation` finds the profiles they are about. Each line of the file is
in `result` or in `rejects`, which has the columns `file`, `line`, `reason`, `column` and `raw` (what was wrong, as it
came). Reasons are `invalid_value`, `missing_value`, `malformed_line`, `line_too_long` and `bad_encoding`.

`remap: {M: male, F: female, n/a: null}` says what the values of a column mean: they are compared whole and with their
capitals, after blanks are dropped; `null` is an empty cell, and a value that is not named means itself.

`format: fixed` reads columns by their places, `columns: {id: {width: 9}, day: {type: date, start: 12, width: 10}}`.
Each has a `width` and, unless it stands right behind the one before, a `start`. Signs are counted, not bytes. A line
that ends early leaves its last columns empty.

Columns that are declared can be checked before the file is there. Without `columns` the file's own are taken, all as
text (Parquet and NDJSON keep their types), and the file must be in the inbox when the workflow is checked. Blanks at
the ends of declared columns are dropped; an empty cell is no value. Numbers, dates (`2026-07-01`) and moments
(`2026-07-01T08:00:00Z`) are read as profile imports read them.

Files are read once, at the run, whole or not at all: one that changes meanwhile is refused. Nothing is read outside
the inbox or the root of the transport. A following `transfer_file` can remove the file.
""",
)
