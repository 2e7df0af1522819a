"""Whether values fit into their columns, on every database alike.

PostgreSQL bounds texts and numbers and refuses NUL; SQLite keeps anything. What one store refuses the other one does
too, so that a project can move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from symbolon.store.errors import StoreValueError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_fit(table: sa.Table, values: Mapping[str, Any]) -> None:
    """Make sure that a row can be kept.

    Args:
        table: where it goes.
        values: by column; others than texts and whole numbers always fit.

    Raises:
        StoreValueError: a text is too long or no text, or a number too large. The message does not repeat the value.
    """
    for name, value in values.items():
        kind = table.c[name].type
        if isinstance(value, str) and isinstance(kind, sa.String):
            _check_text(table.name, name, value, kind.length)
        elif isinstance(value, int) and isinstance(kind, sa.Integer):
            bits = 63 if isinstance(kind, sa.BigInteger) else 31
            if not -(2**bits) <= value < 2**bits:
                raise StoreValueError(
                    f"`{name}` in {table.name} is too large: whole numbers of {bits + 1} bits are kept",
                    hint="choose a smaller one",
                )


def _check_text(table: str, name: str, value: str, limit: int | None) -> None:
    if limit is not None and len(value) > limit:
        raise StoreValueError(f"`{name}` in {table} has {len(value):,} characters; {limit} are kept")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise StoreValueError(
            f"`{name}` in {table} holds a character that is none (NUL, or half of a pair)", hint="take it out"
        )
