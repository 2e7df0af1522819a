"""Conditions, expressions and orders as they are handed around: a checked tree, its text, and what it needs.

Invariant: only `checking` makes them, so each one fits the schema it was made for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import ibis.expr.datatypes as types
import msgspec

from symbolon.targeting.conditions.tree import Call, Column, Exists, Member, Node, outer, walk

if TYPE_CHECKING:
    from datetime import datetime

    import ibis

#: functions whose value depends on the moment of the run
_CLOCK = frozenset({"now", "today", "days_ago", "years_old"})
_DIGESTS = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})


class Expression(msgspec.Struct, frozen=True):
    """One value of a row: a column, or something computed from columns."""

    #: what it is, checked
    tree: Node
    #: canonical text: parsed again, it gives the same tree
    text: str
    #: what type its values have
    type: types.DataType

    @property
    def linked(self) -> frozenset[str]:
        """Name the linked tables it looks into."""
        return frozenset(node.table for node in walk(self.tree) if isinstance(node, Exists))

    @property
    def audiences(self) -> frozenset[str]:
        """Name the audiences whose members it asks for."""
        return frozenset(node.audience for node in walk(self.tree) if isinstance(node, Member))

    @property
    def columns(self) -> frozenset[str]:
        """Name the columns of the rows themselves that it uses; not those of linked tables."""
        return frozenset(node.name for node in outer(self.tree) if isinstance(node, Column))

    @property
    def uses_now(self) -> bool:
        """Whether its value depends on the moment of the run."""
        return not _CLOCK.isdisjoint(self.functions)

    @property
    def digests(self) -> frozenset[str]:
        """Name the digest algorithms it needs; an engine says in its `digests` which ones it has."""
        return _DIGESTS & self.functions

    @property
    def functions(self) -> frozenset[str]:
        """Name the functions it calls."""
        return frozenset(node.function for node in walk(self.tree) if isinstance(node, Call))


class Condition(Expression, frozen=True):
    """A predicate over the rows of a table: true, false or, where a value is missing, unknown."""

    type: types.DataType = types.boolean


class Order(msgspec.Struct, frozen=True):
    """One key to sort by."""

    expression: Expression
    descending: bool = False
    #: where rows without a value go; ascending: last, descending: last, unless it was said otherwise
    nulls_first: bool = False

    @property
    def text(self) -> str:
        """Give the canonical text of this key."""
        direction = "DESC" if self.descending else "ASC"
        return f"{self.expression.text} {direction} NULLS {'FIRST' if self.nulls_first else 'LAST'}"


class Scope(Protocol):
    """What a condition is evaluated in: the moment, linked tables, audiences."""

    @property
    def now(self) -> datetime:
        """The moment of the run, in UTC; the same for all its conditions."""

    def linked(self, name: str) -> ibis.Table:
        """Give the rows of a linked table: `profile_id` and its columns."""

    def audience(self, name: str) -> ibis.Table:
        """Give the members of an audience: `profile_id`."""
