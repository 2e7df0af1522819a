"""A tree as text again: canonical, so that the same tree has the same text, and the text gives the same tree."""

from __future__ import annotations

from typing import Any

from symbolon.targeting.conditions.literals import quoted, written
from symbolon.targeting.conditions.tree import (
    LITERALS,
    Arithmetic,
    Between,
    Call,
    Case,
    Column,
    Compare,
    Exists,
    Group,
    In,
    IsNull,
    Like,
    Member,
    Named,
    Node,
    Not,
    Null,
)
from symbolon.targeting.conditions.words import is_plain

_PREDICATES = (Between, Compare, Group, In, IsNull, Like, Not)
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_ALONE = {"and": "all_of", "or": "any_of"}


def render(node: Node) -> str:
    """Write a tree as text."""
    if isinstance(node, (*LITERALS, Null)):
        return written(node)
    return str(_WRITERS[type(node)](node))


def name_of(name: str) -> str:
    """Write the name of a column or table."""
    return name if is_plain(name) else f'"{name.replace(chr(34), chr(34) * 2)}"'


def _operand(node: Node) -> str:
    """Write what stands beside an operator."""
    return f"({render(node)})" if isinstance(node, _PREDICATES) and not _is_alone(node) else render(node)


def _is_alone(node: Node) -> bool:
    return isinstance(node, Group) and len(node.rules) == 1


def _arithmetic(node: Arithmetic) -> str:
    own = _STRENGTH[node.operator]
    left, right = _operand(node.left), _operand(node.right)
    if isinstance(node.left, Arithmetic) and _STRENGTH[node.left.operator] < own:
        left = f"({left})"
    if isinstance(node.right, Arithmetic) and _STRENGTH[node.right.operator] <= own:
        right = f"({right})"
    return f"{left} {node.operator} {right}"


def _between(node: Between, negation: str = "") -> str:
    return f"{_operand(node.value)} {negation}BETWEEN {_operand(node.low)} AND {_operand(node.high)}"


def _in(node: In, negation: str = "") -> str:
    separator = ", " if len(node.items) <= 20 else ","  # a list that could just be read can be read again
    return f"{_operand(node.value)} {negation}IN ({separator.join(written(item) for item in node.items)})"


def _like(node: Like, negation: str = "") -> str:
    escape = f" ESCAPE {quoted(node.escape)}" if node.escape else ""
    return f"{_operand(node.value)} {negation}LIKE {quoted(node.pattern)}{escape}"


def _is_null(node: IsNull, negation: str = "") -> str:
    return f"{_operand(node.value)} IS {negation}NULL"


_NEGATED: dict[type[Node], Any] = {Between: _between, In: _in, Like: _like, IsNull: _is_null}


def _not(node: Not) -> str:
    writer = _NEGATED.get(type(node.rule))
    return str(writer(node.rule, "NOT ")) if writer else f"NOT {_operand(node.rule)}"


def _group(node: Group) -> str:
    if len(node.rules) == 1:
        return f"{_ALONE[node.combinator]}({render(node.rules[0])})"
    rules = [
        f"({render(rule)})" if isinstance(rule, Group) and not _is_alone(rule) else render(rule) for rule in node.rules
    ]
    return f" {node.combinator.upper()} ".join(rules)


def _case(node: Case) -> str:
    branches = "".join(f" WHEN {render(condition)} THEN {render(value)}" for condition, value in node.branches)
    otherwise = "" if node.otherwise is None else f" ELSE {render(node.otherwise)}"
    return f"CASE{branches}{otherwise} END"


def _exists(node: Exists) -> str:
    where = "" if node.where is None else f" WHERE {render(node.where)}"
    return f"EXISTS (SELECT 1 FROM {name_of(node.table)}{where})"


_WRITERS: dict[type[Node], Any] = {
    Column: lambda node: name_of(node.name),
    Call: lambda node: f"{node.function}({', '.join(render(part) for part in node.arguments)})",
    Arithmetic: _arithmetic,
    Case: _case,
    Compare: lambda node: f"{_operand(node.left)} {node.operator} {_operand(node.right)}",
    Between: _between,
    In: _in,
    Like: _like,
    IsNull: _is_null,
    Exists: _exists,
    Member: lambda node: f"in_audience({quoted(node.audience)})",
    Not: _not,
    Group: _group,
    Named: lambda node: f"named({quoted(node.name)}, {render(node.rule)})",
}
