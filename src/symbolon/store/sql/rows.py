"""Records to rows and back: the only place that knows how one looks as the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from symbolon.records import Receipt
from symbolon.store.state import TableState

if TYPE_CHECKING:
    import sqlalchemy as sa

T = TypeVar("T", bound=msgspec.Struct)

#: fields that are kept as JSON text
_JSON: dict[str, Any] = {"receipt": Receipt, "facts": dict[str, Any]}


def to_row(record: msgspec.Struct) -> dict[str, Any]:
    """Give the columns of a record."""
    values = msgspec.structs.asdict(record)
    for name in _JSON.keys() & values.keys():
        values[name] = msgspec.json.encode(values[name]).decode()
    return {name: getattr(value, "value", value) for name, value in values.items()}


def to_record(kind: type[T], row: sa.RowMapping) -> T:
    """Give the record of a row; columns that the record does not have are left out."""
    values = {name: row[name] for name in kind.__struct_fields__}
    for name in _JSON.keys() & values.keys():
        values[name] = msgspec.json.decode(values[name], type=_JSON[name])
    return msgspec.convert(values, kind, from_attributes=True)


def to_state(row: sa.RowMapping) -> TableState:
    """Give the state of a derived table."""
    return to_record(TableState, row)
