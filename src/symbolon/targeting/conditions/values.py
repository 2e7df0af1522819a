"""Values and predicates of a tree as values of Ibis, over the columns of one relation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import ibis

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions import FUNCTIONS
from symbolon.targeting.conditions.functions.dates import moment_of
from symbolon.targeting.conditions.functions.function import alike, number, real
from symbolon.targeting.conditions.functions.numbers import divided
from symbolon.targeting.conditions.tree import (
    Arithmetic,
    Between,
    Call,
    Case,
    Column,
    Compare,
    Date,
    Exists,
    Group,
    In,
    IsNull,
    Like,
    Member,
    Moment,
    Named,
    Node,
    Not,
    Null,
    Number,
    Text,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_COMPUTED: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: number(left) + number(right),
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "/": divided,
}
#: what stands in `functions` for kinds that are asked for as such
_KINDS = {kinds.TEXT, kinds.INTEGER, kinds.NUMBER, kinds.BOOLEAN, kinds.DATE, kinds.MOMENT}


class Values:
    """Writes nodes as values over a relation.

    Args:
        table: the relation with all columns.
        now: the moment of the run.
        asked: gives the predicate for what other tables are asked.
    """

    def __init__(self, table: ibis.Table, now: datetime, asked: Callable[[Exists | Member], Any]) -> None:
        self._table = table
        self._now = now
        self._asked = asked

    def whole(self, node: Node) -> Any:
        """Give a value; a column as it is, of whatever type."""
        return self._table[node.name] if isinstance(node, Column) else self.value(node)

    def predicate(self, node: Node) -> Any:
        """Give a predicate."""
        found = self.value(node)
        return found.cast("boolean") if found.type().is_null() else found

    def value(self, node: Node) -> Any:
        """Give a value or a predicate."""
        return _WRITERS[type(node)](self, node)

    def column(self, node: Column) -> Any:
        """Give a column in the type its kind has, where that matters."""
        found = self._table[node.name]
        kind = found.type()
        if kind.is_decimal() or kind.is_float32():
            return found.cast("float64")
        return found.cast(kinds.UTC) if kind.is_timestamp() and kind.timezone is None else found

    def call(self, node: Call) -> Any:
        """Give the result of a function."""
        function = FUNCTIONS[node.function]
        arguments = []
        for place, part in enumerate(node.arguments):
            value, parameter = self.value(part), function.parameter(place)
            wanted = parameter.kind.split("|")[0] if parameter is not None else kinds.ANY
            if value.type().is_null() and wanted in _KINDS:
                value = value.cast(kinds.type_of(wanted))
            arguments.append(value)
        return function.compiled(arguments, self._now)

    def case(self, node: Case) -> Any:
        """Give the first result whose condition is true."""
        results = alike([self.value(value) for _, value in node.branches] + [self.value(node.otherwise or Null())])
        conditions = [self.predicate(condition) for condition, _ in node.branches]
        return ibis.cases(*zip(conditions, results, strict=False), else_=results[-1])

    def compare(self, node: Compare) -> Any:
        """Give a comparison."""
        return _COMPARED[node.operator](*alike([self.value(node.left), self.value(node.right)]))

    def between(self, node: Between) -> Any:
        """Give whether a value lies between two."""
        value, low, high = alike([self.value(part) for part in node.parts])
        return value.between(low, high)

    def contained(self, node: In) -> Any:
        """Give whether a value is in a list."""
        value, *items = alike([self.value(node.value), *[self.value(item) for item in node.items]])
        return value.isin(items)

    def group(self, node: Group) -> Any:
        """Give combined rules, halved again and again: a thousand in a row would be too deep for engines."""
        rules = [self.predicate(rule) for rule in node.rules]
        if node.combinator == "except":
            first, *others = rules
            return first & _combined([~rule.fill_null(False) for rule in others], "and")
        return _combined(rules, node.combinator)

    def asked(self, node: Exists | Member) -> Any:
        """Give whether another table has such a row."""
        return self._asked(node)


def text_of(value: str) -> Any:
    """Give a text as a literal. Spark replaces `${...}` in statements, with variables of its environment even."""
    parts = re.split(r"(?<=\$)(?=\{)", value)
    literals: list[Any] = [ibis.literal(part, "string") for part in parts]
    first, *others = literals
    return first.concat(*others) if others else first


def like(value: Any, pattern: str, escape: str = "") -> Any:
    """Say whether a text fits a pattern: the same on every engine, whatever sign it escapes by itself."""
    parts = _like_parts(pattern, escape)
    shape = "".join(kind for kind, _ in parts)
    text = text_of("".join(run for _, run in parts))
    simple: dict[str, Callable[[], Any]] = {
        "": lambda: value == "",
        "x": lambda: value == text,
        "x%": lambda: value.startswith(text),
        "%x": lambda: value.endswith(text),
        "%x%": lambda: value.contains(text),
    }
    if shape in simple:
        return simple[shape]()
    signs = {"%": ".*", "_": "."}
    inside = "".join(signs.get(kind) or "".join(map(_escaped, run)) for kind, run in parts)
    return value.re_search(rf"(?s)\A{inside}\z")


def _like_parts(pattern: str, escape: str) -> list[tuple[str, str]]:
    """Take a pattern apart: `%`, `_`, and runs of letters (`x`)."""
    parts: list[tuple[str, str]] = []
    signs = iter(pattern)
    for sign in signs:
        if sign == "%" and parts and parts[-1][0] == "%":
            continue
        if sign in "%_" and sign != escape:
            parts.append((sign, ""))
            continue
        letter = next(signs, "") if sign == escape else sign
        before = parts.pop()[1] if parts and parts[-1][0] == "x" else ""
        parts.append(("x", before + letter))
    return parts


def _escaped(letter: str) -> str:
    """Write a letter for a pattern: signs of ASCII mean themselves behind a backslash, in RE2 and in Java."""
    if letter.isalnum() or ord(letter) > 127:
        return letter
    return f"\\{letter}" if letter.isprintable() else f"\\x{ord(letter):02x}"


def _combined(rules: list[Any], combinator: str) -> Any:
    if len(rules) == 1:
        return rules[0]
    middle = len(rules) // 2
    left, right = _combined(rules[:middle], combinator), _combined(rules[middle:], combinator)
    return left & right if combinator == "and" else left | right


_WRITERS: dict[type[Node], Callable[[Values, Any], Any]] = {
    Text: lambda _, node: text_of(node.value),
    Number: lambda _, node: ibis.literal(node.value, "int64") if isinstance(node.value, int) else real(node.value),
    Truth: lambda _, node: ibis.literal(node.value),
    Null: lambda _, __: ibis.null(),
    Date: lambda _, node: ibis.literal(node.value),
    Moment: lambda _, node: moment_of(node.value),
    Column: Values.column,
    Call: Values.call,
    Arithmetic: lambda self, node: _COMPUTED[node.operator](self.value(node.left), self.value(node.right)),
    Case: Values.case,
    Compare: Values.compare,
    Between: Values.between,
    In: Values.contained,
    Like: lambda self, node: like(self.value(node.value).cast("string"), node.pattern, node.escape),
    IsNull: lambda self, node: self.value(node.value).isnull(),
    Exists: Values.asked,
    Member: Values.asked,
    Not: lambda self, node: ~self.predicate(node.rule),
    Group: Values.group,
    Named: lambda self, node: self.value(node.rule),
}
