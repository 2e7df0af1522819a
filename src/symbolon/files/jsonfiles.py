"""NDJSON: one JSON object a line, or one JSON string a line.

Invariant: a line is judged by itself. Arrow reads a block at once when all its lines are objects of one shape;
otherwise each line of the block is decoded alone, with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pajson

from symbolon.errors import Location
from symbolon.files.blocks import BLOCK_BYTES, MAX_LINE_BYTES, RejectedLine, blocks
from symbolon.files.errors import FileFormatError
from symbolon.files.tables import TableBatch
from symbolon.files.textlines import BLANK, OK, Lines, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from symbolon.files.lexing import Ints

#: the one column of a file of plain strings
VALUE = "value"
#: lines of the first block in which the columns are looked for
_LOOK = 1000
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_STRING = msgspec.json.Decoder(str)
_STRINGS = msgspec.json.Decoder(list[str])
QUOTE = ord('"')


class JsonTable:
    """An NDJSON file that is open for reading.

    Args:
        stream: its bytes, unpacked.
        name: its name, for messages.
        size: bytes to read at a time.
        max_line: bytes of the longest line allowed.

    Raises:
        FileFormatError: it is one JSON document, or no line of its beginning is JSON.
    """

    has_header = True

    def __init__(self, stream: BinaryIO, name: str, *, size: int = BLOCK_BYTES, max_line: int = MAX_LINE_BYTES) -> None:
        self._max_line = max_line
        self._blocks = blocks(stream, size=size, max_line=max_line)
        first = next(self._blocks, None)
        self._lines = None if first is None else lines_of(first, b"", 1, max_line=max_line)
        self.is_plain, self.names = self._columns(name)

    def _columns(self, name: str) -> tuple[bool, list[str]]:
        """Look whether the lines are objects or strings, and which columns they have."""
        lines = self._lines
        if lines is None:
            return False, []
        looked = np.flatnonzero(lines.state == OK)[:_LOOK].tolist()
        if looked and lines.text(looked[0]).lstrip().startswith("["):
            raise FileFormatError(
                "the file is one JSON array, and one JSON object a line is expected",
                where=Location(name, int(lines.number + looked[0])),
                hint="convert it: `jq --compact-output '.[]' FILE > NEW.ndjson`",
            )
        names: dict[str, None] = {}
        strings = 0
        for line in looked:
            value = decode(lines.text(line))
            if isinstance(value, dict):
                names.update(dict.fromkeys(value))
            strings += isinstance(value, str)
        if names or strings:
            return not names, list(names) or [VALUE]
        if not looked:
            return False, []
        raise FileFormatError(
            "the first lines are no JSON objects",
            where=Location(name, int(lines.number + looked[0])),
            hint='NDJSON has one object a line: {"id": "..."}',
        )

    def batches(self, only: Sequence[str] | None = None) -> Iterator[TableBatch]:
        """Read the rows once, of some columns or of all; a column that appears later in the file joins then."""
        lines = self._lines
        if lines is None:
            wanted = list(only or [])
            empty = pa.record_batch([pa.array([], pa.string()) for _ in wanted], names=wanted)
            yield TableBatch(empty, np.zeros(0, np.int64), [], 0, 0)
            return
        while True:
            yield self._batch(lines, only)
            following = next(self._blocks, None)
            if following is None:
                return
            lines = lines_of(following, b"", lines.number + len(lines), max_line=self._max_line)

    def _batch(self, lines: Lines, only: Sequence[str] | None) -> TableBatch:
        rejected = lines.broken()
        table, number = _strings(lines) if self.is_plain else _by_arrow(lines, only)
        if table is None:
            table, number, malformed = _by_lines(lines, only, is_plain=self.is_plain)
            rejected = sorted(rejected + malformed, key=lambda entry: entry.line)
        nonblank = int(np.count_nonzero(lines.state != BLANK))
        return TableBatch(table, number + lines.number, rejected, len(lines), nonblank)


def decode(text: str) -> Any:
    """Decode a line that should be an object or a string; None for anything else."""
    try:
        return (_STRING if text.lstrip().startswith('"') else _OBJECT).decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _by_arrow(lines: Lines, only: Sequence[str] | None) -> tuple[pa.RecordBatch | None, Ints]:
    """Read a block at once; None when its lines are not all plain objects of matching types."""
    number = np.flatnonzero(lines.state == OK)
    if not len(number):
        return None, number
    # every line must hold exactly one object, else rows and lines would part
    begins, ends = lines.octets[lines.start[number]], lines.octets[lines.end[number] - 1]
    if (begins != ord("{")).any() or (ends != ord("}")).any():
        return None, number
    text = lines.pick(lines.state == OK)
    schema = pa.schema([(name, pa.string()) for name in only]) if only is not None else None
    parse = pajson.ParseOptions(schema, False, "infer" if only is None else "ignore")
    try:
        table = pajson.read_json(
            pa.BufferReader(text), pajson.ReadOptions(use_threads=False, block_size=len(text) + 1), parse
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        return None, number
    if table.num_rows != len(number) or any(_is_foreign(field.type) for field in table.schema):
        return None, number
    return table.combine_chunks().to_batches()[0], number


def _strings(lines: Lines) -> tuple[pa.RecordBatch | None, Ints]:
    """Read a block of plain strings at once; None when a line is anything else, or has an escaped quotation mark."""
    number = np.flatnonzero(lines.state == OK)
    start, end = lines.start[number], lines.end[number]
    text = bytes(lines.pick(lines.state == OK)) if len(number) else b""
    # two quotation marks a line, the first and the last byte of it: no string goes on in the next line
    if (
        not text
        or text.count(b'"') != 2 * len(number)
        or (end - start < 2).any()
        or (lines.octets[start] != QUOTE).any()
        or (lines.octets[end - 1] != QUOTE).any()
    ):
        return None, number
    try:
        values = _STRINGS.decode(b"[" + text.rstrip(b"\r\n").replace(b"\n", b",") + b"]")
        return pa.record_batch({VALUE: pa.array(values, pa.string())}), number
    except (msgspec.DecodeError, UnicodeError):
        return None, number


def _is_foreign(kind: pa.DataType) -> bool:
    """Whether Arrow made of a value what JSON does not have: nested columns, and times out of text."""
    return bool(pa.types.is_nested(kind) or pa.types.is_temporal(kind))


def _by_lines(
    lines: Lines, only: Sequence[str] | None, *, is_plain: bool
) -> tuple[pa.RecordBatch, Ints, list[RejectedLine]]:
    """Decode each line by itself."""
    rows: list[dict[str, Any]] = []
    number: list[int] = []
    malformed: list[RejectedLine] = []
    for line in np.flatnonzero(lines.state == OK).tolist():
        value = decode(lines.text(line))
        if is_plain:
            value = {VALUE: value} if isinstance(value, str) else None
        if not isinstance(value, dict) or (only is not None and not all(_is_text(value.get(name)) for name in only)):
            malformed.append(lines.rejected(line, "malformed_line"))
            continue
        rows.append(value)
        number.append(line)
    names = list(dict.fromkeys(name for row in rows for name in row)) if only is None else list(only)
    as_text = only is not None
    columns = [_column([row.get(name) for row in rows], as_text=as_text) for name in names]
    table = pa.record_batch(columns, names=names) if names else pa.record_batch({VALUE: pa.nulls(len(rows))})
    return table, np.array(number, np.int64), malformed


def _is_text(value: Any) -> bool:
    """Whether a value can be an ID: text, a whole number, or nothing."""
    return value is None or isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _column(values: list[Any], *, as_text: bool) -> pa.Array:
    """Make a column of one type: the values' own where they agree, numbers that mix as float, anything else as text."""
    kinds = {type(value) for value in values if value is not None}
    if not as_text and kinds <= {int, float} and kinds:
        try:
            return pa.array(values, pa.float64() if float in kinds else pa.int64())
        except (pa.ArrowInvalid, OverflowError):
            pass
    if not as_text and kinds == {bool}:
        return pa.array(values, pa.bool_())
    if not kinds and not as_text:
        return pa.nulls(len(values))
    return pa.array([_as_text(value) for value in values], pa.string())


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
