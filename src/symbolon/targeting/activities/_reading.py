"""How the columns of a file are read: declared, checked, and made of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from symbolon.columns import column as arrow_column
from symbolon.columns import flags
from symbolon.files.blocks import MAX_LINE_BYTES
from symbolon.files.fixedwidth import Place
from symbolon.later import pc
from symbolon.profiles.cells import typed
from symbolon.targeting.activities._columns import ARROW, twice
from symbolon.targeting.activities._values import Type  # noqa: TC001 - msgspec reads the annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from symbolon.targeting.activity import Context

_MOST_REMAPPED = 10_000
#: signs of a line, of which a longer one is refused anyhow; and of all columns, which may lie over each other
_WIDEST, _WIDEST_TOGETHER = MAX_LINE_BYTES, 1_000_000


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one column is read."""

    type: Type = "text"
    case: Literal["keep", "lower", "upper", "title"] = "keep"
    #: whether blanks at the ends are dropped
    trim: bool = True
    #: what stands in the file -> what it means; anything else means itself
    remap: dict[str, Any] = {}
    #: a cell that is no such value: the row is rejected, the cell is left empty, or gets the default
    on_error: Literal["reject", "ignore", "default"] = "reject"
    #: an empty cell: it stays empty, the row is rejected, or it gets the default
    empty: Literal["keep", "reject", "default"] = "keep"
    default: Any = None
    #: what the file calls it; empty = the same
    column: str = ""
    #: fixed width: its first sign on the line, from 1; None = behind the column before
    start: int | None = None
    #: fixed width: its signs
    width: int | None = None


def columns_of(declared: Mapping[str, Type | Column], context: Context, *, fixed: bool) -> dict[str, Column]:
    """Give the columns as they were declared, and note what is wrong with them."""
    columns = {name: one if isinstance(one, Column) else Column(type=one) for name, one in declared.items()}
    double = twice(list(columns))
    if double is not None:
        context.fault("columns", f"`{double}` stands there twice; capitals do not make two of one", "rename one")
    if fixed and not columns:
        context.fault("columns", "a file of fixed width does not tell its columns", "columns: {email: {width: 40}}")
    if sum(one.width or 0 for one in columns.values()) > _WIDEST_TOGETHER:
        context.fault("columns", f"all columns together have at most {_WIDEST_TOGETHER:,} signs", "leave some out")
    for name, one in columns.items():
        path = f"columns.{name}"
        if not name.strip() or len(name) > 128 or not name.isprintable() or name.startswith("__"):
            context.fault(path, "a column has a name of at most 128 signs, without `__` in front", "rename it")
        if one.case != "keep" and one.type != "text":
            context.fault(f"{path}.case", f"only text has a case; this is {one.type}", "type: text")
        if one.default is not None and not _is_one(one.default, one):
            context.fault(f"{path}.default", f"the default is no {one.type}", f"a value of type {one.type}")
        if one.default is None and "default" in (one.on_error, one.empty):
            context.fault(path, "a default is asked for, and none is given", "default: 0")
        _check_remap(one, path, context)
        _check_place(one, path, context, fixed=fixed)
    return columns


def places_of(columns: Mapping[str, Column]) -> list[Place]:
    """Give the places of columns of fixed width; those without a start stand behind the one before."""
    places: list[Place] = []
    for name, one in columns.items():
        behind = places[-1].start + places[-1].width if places else 1
        places.append(Place(name, behind if one.start is None else one.start, one.width or 1))
    return places


def read(cells: pa.Array, one: Column, kind: pa.DataType) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Read cells as a column; say which are no such value, and which are empty, where that rejects the row."""
    nothing = np.zeros(len(cells), dtype=bool)
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if one.trim and _is_text(cells.type):
        cells = pc.utf8_trim_whitespace(cells)
    if one.remap:
        cells = _remapped(cells, one.remap)
    made, found = typed(cells, kind)
    wrong = nothing if found is None else found
    if pa.types.is_string(kind) and one.case != "keep":
        made = {"lower": pc.utf8_lower, "upper": pc.utf8_upper, "title": pc.utf8_title}[one.case](made)
    empty = flags(made.is_null()) & ~wrong
    default = typed(pa.array([_written(one.default)]), kind)[0][0] if one.default is not None else None
    if default is not None:
        given = (wrong if one.on_error == "default" else nothing) | (empty if one.empty == "default" else nothing)
        made = pc.if_else(arrow_column(given), default, made)
    return made, wrong if one.on_error == "reject" else nothing, empty if one.empty == "reject" else nothing


def _check_remap(one: Column, path: str, context: Context) -> None:
    if len(one.remap) > _MOST_REMAPPED:
        context.fault(
            f"{path}.remap", f"at most {_MOST_REMAPPED:,} values are mapped here", "a file, and an enrichment by it"
        )
        return
    for number, value in enumerate(one.remap.values(), 1):
        if value is not None and not _is_one(value, one):
            # the value itself may be somebody's
            context.fault(f"{path}.remap", f"value {number} of it is no {one.type}", f"a value of type {one.type}")


def _check_place(one: Column, path: str, context: Context, *, fixed: bool) -> None:
    if not fixed:
        if one.width is not None or one.start is not None:
            context.fault(path, "only columns of a file of fixed width have a place on the line", "format: fixed")
        return
    if one.width is None:
        context.fault(path, "a column of a file of fixed width has a width", "width: 10")
    for name, value in (("start", one.start), ("width", one.width)):
        if value is not None and not 1 <= value <= _WIDEST:
            context.fault(f"{path}.{name}", f"`{name}` is counted in signs, from 1 to {_WIDEST:,}", f"{name}: 1")
    if one.column:
        context.fault(f"{path}.column", "a file of fixed width does not name its columns", "leave it out")


def _remapped(cells: pa.Array, remap: Mapping[str, Any]) -> pa.Array:
    """Give cells as text, with the values that stand for others in their places."""
    text = cells if pa.types.is_string(cells.type) else typed(cells, pa.string())[0]
    meant = pa.array([None if value is None else _written(value) for value in remap.values()], pa.string())
    place = pc.index_in(text, pa.array(list(remap), pa.string()))
    return pc.if_else(place.is_null(), text, meant.take(place))


def _is_one(value: Any, one: Column) -> bool:
    return typed(pa.array([_written(value)]), ARROW[one.type])[1] is None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
