"""The columns there are: those of the rows themselves, and those of linked tables.

Invariant: a column is known by its exact name, or by one that differs in capitals only.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import ibis.expr.datatypes as types

from symbolon.targeting.conditions.functions import FUNCTIONS
from symbolon.targeting.conditions.kinds import ANY, OTHER, kind_of
from symbolon.targeting.conditions.tree import Column, Node, Null
from symbolon.targeting.conditions.words import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from symbolon.targeting.conditions.errors import Fault
    from symbolon.targeting.conditions.syntax import Syntax


class Columns:
    """The columns of one table.

    Args:
        schema: column -> type.
        table: name of the linked table; empty for the rows themselves.
        outer: the columns outside of `EXISTS`.
    """

    def __init__(self, schema: Mapping[str, Any], table: str = "", outer: Columns | None = None) -> None:
        self.types: dict[str, types.DataType] = {name: types.dtype(kind) for name, kind in schema.items()}
        self._lower = {name.lower(): name for name in reversed(list(self.types))}
        self._table = table
        self._outer = outer
        #: how many EXISTS this is inside of
        self.deep: int = 0 if outer is None else outer.deep + 1

    def name_of(self, written: str) -> str | None:
        """Give the name of a column as it is written; None if there is none."""
        if written.startswith('"'):
            return written[1:-1] if written[1:-1] in self.types else None
        return written if written in self.types else self._lower.get(written.lower())

    def find(self, one: Syntax, faults: list[Fault]) -> tuple[Node, str]:
        """Give a column and its kind; a fault if there is none, or conditions cannot use it."""
        name = self.name_of(one.text)
        if name is None:
            faults.append(self._unknown(one))
            return Null(), ANY
        kind = kind_of(self.types[name])
        if kind == OTHER:
            faults.append(one.fault(f"`{name}` is of a type that conditions cannot use", "ask only `IS NULL` of it"))
            return Null(), ANY
        return Column(name), kind

    def _unknown(self, one: Syntax) -> Fault:
        name = one.text.strip('"')
        where = f" in `{self._table}`" if self._table else ""
        if one.text.startswith('"') and not is_plain(name):
            return one.fault(f"there is no such column{where}", "texts stand in single quotes: 'FR'")
        if self._outer is not None and self._outer.name_of(one.text):
            hint = f"inside of EXISTS only the columns of `{self._table}` can be used; ask for `{name}` outside of it"
            return one.fault(f"there is no column `{name[:64]}`{where}", hint)
        if name.lower() in FUNCTIONS and not nearest(name, self.types):
            return one.fault(f"`{name[:64]}` is a function", f"write {FUNCTIONS[name.lower()].signature}")
        hint = nearest(name, self.types) or listed(self.types)
        return one.fault(f"there is no column `{name[:64]}`{where}", hint)


def nearest(name: str, known: Iterable[str]) -> str:
    """Ask whether one of the nearest names was meant; empty if none comes near."""
    near = get_close_matches(name.lower(), list(known), n=3, cutoff=0.6)
    return "did you mean " + " or ".join(f"`{one}`" for one in near) + "?" if near else ""


def listed(known: Iterable[str]) -> str:
    """Name what there is."""
    names = list(known)
    if not names:
        return "there is none"
    return "known: " + ", ".join(f"`{name}`" for name in names[:12]) + (" ..." if len(names) > 12 else "")
