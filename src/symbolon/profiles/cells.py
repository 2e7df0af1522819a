"""Cells as typed values, a column at a time; an empty cell is null, and a cell that does not parse is told apart.

Invariant: what a cell means depends on the cell alone. A whole column is cast at once where it can be; only a batch
with an odd cell is read cell by cell, and by readers that agree with the cast.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from symbolon.columns import flags
from symbolon.later import pc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Typed = tuple[pa.Array, "NDArray[np.bool_] | None"]

_TRUE = frozenset({"true", "t", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "off"})
_NAIVE = pa.timestamp("us")
_EPOCH = date(1970, 1, 1)
#: days and microseconds since 1970 that Python has a date for: years 1 to 9999
_DAYS = ((date.min - _EPOCH).days, (date.max - _EPOCH).days)
_MICROSECONDS = (_DAYS[0] * 86_400_000_000, (_DAYS[1] + 1) * 86_400_000_000 - 1)


def typed(cells: pa.Array, kind: pa.DataType) -> Typed:
    """Read cells as values of a type.

    Args:
        cells: text (an empty one is null), or values that are typed already.
        kind: the wanted type.

    Returns:
        The values, and which cells hold something that is no such value (None = none).
    """
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if _is_text(cells.type):
        return _read(cells.cast(pa.string()), kind)
    if cells.type != kind:
        try:
            cells = cells.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            text, bad = _as_text(cells)
            values, wrong = _read(text, kind)
            return values, bad if wrong is None else bad | wrong
        if pa.types.is_string(kind):
            return _read(cells, kind)
    return _within_years(cells)


def _read(cells: pa.Array, kind: pa.DataType) -> Typed:
    empty = pc.equal(pc.binary_length(cells), 0)
    if pc.any(empty).as_py():
        cells = pc.if_else(empty, pa.scalar(None, pa.string()), cells)
    if pa.types.is_string(kind):
        return cells, None
    try:
        values = _at_once(cells, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(cells, kind)
    return _within_years(values)


def _at_once(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return _booleans(cells)
    if pa.types.is_integer(kind) and pc.any(pc.match_substring(cells, "x", ignore_case=True)).as_py():
        raise pa.ArrowInvalid("hexadecimal, which only Arrow takes for a number")
    if not pa.types.is_timestamp(kind):
        return cells.cast(kind)
    try:
        return cells.cast(kind)
    except pa.ArrowInvalid:
        return cells.cast(_NAIVE).cast(kind)  # no zone: UTC


def _within_years(values: pa.Array) -> Typed:
    """Refuse days and moments that Python, and with it every face, has no date for."""
    if pa.types.is_date32(values.type):
        numbers, (low, high) = values.cast(pa.int32()), _DAYS
    elif pa.types.is_timestamp(values.type):
        numbers, (low, high) = values.cast(pa.int64()), _MICROSECONDS
    else:
        return values, None
    found = pc.min_max(numbers).as_py()
    if found["min"] is None or (found["min"] >= low and found["max"] <= high):
        return values, None
    beyond = pc.fill_null(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)), fill_value=False)
    return pc.if_else(beyond, pa.scalar(None, values.type), values), flags(beyond)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _as_text(cells: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Write typed values as text; bytes that are no UTF-8 are told apart."""
    texts: list[str | None] = []
    bad = np.zeros(len(cells), dtype=bool)
    for place, cell in enumerate(cells.to_pylist()):
        try:
            texts.append(_text(cell))
        except UnicodeDecodeError:
            texts.append(None)
            bad[place] = True
    return pa.array(texts, pa.string()), bad


def _text(cell: Any) -> str | None:
    if isinstance(cell, bytes):
        return cell.decode()
    if isinstance(cell, float | Decimal) and cell == cell // 1:
        return str(int(cell))  # as Arrow casts it: 2.0 is the whole number 2
    return None if cell is None else str(cell)


def _booleans(cells: pa.Array) -> pa.Array:
    lower = pc.ascii_lower(cells)
    true = pc.is_in(lower, value_set=pa.array(sorted(_TRUE)))
    false = pc.is_in(lower, value_set=pa.array(sorted(_FALSE)))
    if not pc.all(pc.or_(pc.or_(true, false), pc.is_null(cells))).as_py():
        raise pa.ArrowInvalid("no booleans")
    return pc.if_else(pc.is_null(cells), pa.scalar(None, pa.bool_()), true)


def _one_by_one(cells: pa.Array, kind: pa.DataType) -> tuple[pa.Array, NDArray[np.bool_]]:
    read = _READERS[kind.id]
    values: list[Any] = []
    bad = np.zeros(len(cells), dtype=bool)
    for place, cell in enumerate(cells.to_pylist()):
        try:
            values.append(None if cell is None or not cell.strip() else read(cell.strip()))
        except (ValueError, OverflowError, OSError):
            values.append(None)
            bad[place] = True
    return pa.array(values, kind), bad


def _boolean(cell: str) -> bool:
    if cell.lower() in _TRUE:
        return True
    if cell.lower() in _FALSE:
        return False
    raise ValueError


def _integer(cell: str) -> int:
    value = int(cell)
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def moment(cell: str) -> datetime:
    """Read a moment: ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970."""
    if cell.isdigit():
        number = int(cell)
        return datetime.fromtimestamp(number / 1000 if number >= 10**11 else number, UTC)
    value = datetime.fromisoformat(cell)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


_READERS: dict[int, Callable[[str], Any]] = {
    pa.bool_().id: _boolean,
    pa.int64().id: _integer,
    pa.float64().id: float,
    pa.date32().id: date.fromisoformat,
    pa.timestamp("us", tz="UTC").id: moment,
}
