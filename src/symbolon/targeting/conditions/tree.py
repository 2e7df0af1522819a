"""A condition as values of our own: what the parser gives, what is compiled, written as text and as rules.

Invariant: a tree that was checked has known columns, fitting types and allowed functions only, and holds nothing of the
library that parsed it. Values are equal exactly when they mean the same in the same words.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads it at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

Comparison: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]
Operation: TypeAlias = Literal["+", "-", "*", "/"]


class Node(msgspec.Struct, frozen=True, tag=True):
    """A part of a condition."""

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the parts directly below, from left to right."""
        return ()


class Text(Node, frozen=True):
    """A text: `'FR'`."""

    value: str


class Number(Node, frozen=True):
    """A number: `18`, `0.5`."""

    value: int | float


class Truth(Node, frozen=True):
    """`TRUE` or `FALSE`."""

    value: bool


class Null(Node, frozen=True):
    """`NULL`."""


class Date(Node, frozen=True):
    """A day: `DATE '2026-01-31'`."""

    value: dt.date


class Moment(Node, frozen=True):
    """A moment, in UTC: `TIMESTAMP '2026-01-31 12:00:00'`."""

    value: dt.datetime


class Column(Node, frozen=True):
    """A column of the rows that the condition is about."""

    name: str


class Call(Node, frozen=True):
    """A function of the documented list."""

    function: str
    arguments: tuple[Node, ...] = ()

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the arguments."""
        return self.arguments


class Arithmetic(Node, frozen=True):
    """Two numbers and what is done with them."""

    operator: Operation
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give both numbers."""
        return self.left, self.right


class Case(Node, frozen=True):
    """`CASE WHEN condition THEN value ... ELSE value END`."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None = None

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give conditions and values, in order."""
        inside = tuple(part for branch in self.branches for part in branch)
        return inside if self.otherwise is None else (*inside, self.otherwise)


class Compare(Node, frozen=True):
    """Two values of one kind, compared."""

    operator: Comparison
    left: Node
    right: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give both values."""
        return self.left, self.right


class Between(Node, frozen=True):
    """`value BETWEEN low AND high`: both ends belong to it."""

    value: Node
    low: Node
    high: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the value and both ends."""
        return self.value, self.low, self.high


class In(Node, frozen=True):
    """`value IN ('a', 'b')`: literals only."""

    value: Node
    items: tuple[Text | Number | Truth | Date | Moment, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the value; the items are literals."""
        return (self.value,)


class Like(Node, frozen=True):
    """`value LIKE 'a%'`."""

    value: Node
    pattern: str
    escape: str = ""

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the value."""
        return (self.value,)


class IsNull(Node, frozen=True):
    """`value IS NULL`."""

    value: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the value."""
        return (self.value,)


class Exists(Node, frozen=True):
    """`EXISTS (SELECT 1 FROM links WHERE ...)`: the profile has such a row in a linked table."""

    table: str
    where: Node | None = None

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the condition on rows of the linked table; its columns are those of that table."""
        return () if self.where is None else (self.where,)


class Member(Node, frozen=True):
    """`in_audience('VIP')`: the profile is a member of an audience."""

    audience: str


class Not(Node, frozen=True):
    """`NOT rule`."""

    rule: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the rule."""
        return (self.rule,)


class Group(Node, frozen=True):
    """Rules combined: all of them, one of them, or the first but none of the others."""

    combinator: Literal["and", "or", "except"]
    rules: tuple[Node, ...]

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the rules."""
        return self.rules


class Named(Node, frozen=True):
    """A rule with a name, for people: `named('Adults', ...)`."""

    name: str
    rule: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """Give the rule."""
        return (self.rule,)


LITERALS = (Text, Number, Truth, Date, Moment)


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it, from left to right."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.parts))


def outer(node: Node) -> Iterator[Node]:
    """Give a node and what is below it, but nothing inside of `EXISTS`, whose columns are those of another table."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, Exists):
            waiting.extend(reversed(one.parts))
