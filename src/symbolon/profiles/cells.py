"""Cells as typed values, a column at a time; an empty cell is null, and a cell that does not parse is told apart.

Invariant: a whole column is cast at once where it can be; only a batch with an odd cell is read cell by cell.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_TRUE = frozenset({"true", "t", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "off"})


def typed(cells: pa.Array, kind: pa.DataType) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    """Read cells as values of a type.

    Args:
        cells: text (an empty one is null), or values that are typed already.
        kind: the wanted type.

    Returns:
        The values, and which cells hold something that is no such value (None = none).
    """
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        if cells.type == kind:
            return cells, None
        try:
            return cells.cast(kind), None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            cells = _as_text(cells)
    cells = cells.cast(pa.string())
    empty = pc.equal(pc.binary_length(cells), 0)
    if pc.any(empty).as_py():
        cells = pc.if_else(empty, pa.scalar(None, pa.string()), cells)
    if pa.types.is_string(kind):
        return cells, None
    try:
        # Arrow takes a date for a moment and "1" for a number just as the readers below do
        return cells.cast(kind) if not pa.types.is_boolean(kind) else _booleans(cells), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(cells, kind)


def _as_text(cells: pa.Array) -> pa.Array:
    try:
        return cells.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if cell is None else str(cell) for cell in cells.to_pylist()], pa.string())


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
        except (ValueError, OverflowError):
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
    return value if value.tzinfo else value.replace(tzinfo=UTC)


_READERS: dict[int, Callable[[str], Any]] = {
    pa.bool_().id: _boolean,
    pa.int64().id: _integer,
    pa.float64().id: float,
    pa.date32().id: date.fromisoformat,
    pa.timestamp("us", tz="UTC").id: moment,
}
