"""The same condition as a tree of rules, as the rule builder of the pages shows and changes it.

    {"combinator": "and", "rules": [
        {"field": "country", "operator": "in", "value": ["FR", "DE"]},
        {"expression": "years_old(birth_date) >= 18", "name": "Adults"},
        {"exists": {"table": "links"}, "not": true}]}

Invariant: nothing is lost either way: a tree that was written from a condition gives the same condition, and a
condition that was read from a tree gives the same tree, but for spellings (`!=`) and a `not` of a `not`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbolon.targeting.conditions.language import Reading
from symbolon.targeting.conditions.rendering import render
from symbolon.targeting.conditions.rulereader import RuleReader
from symbolon.targeting.conditions.tree import (
    LITERALS,
    Between,
    Call,
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
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.conditions.condition import Condition
    from symbolon.targeting.conditions.language import Columns

_TESTS = {"contains", "starts_with", "ends_with"}
_NEGATED = {"in": "not in", "like": "not like", "between": "not between", "is null": "is not null"}


def condition_from_tree(
    tree: Mapping[str, Any], schema: Columns, *, linked: Mapping[str, Columns] | None = None
) -> Condition:
    """Read a tree of rules.

    Args:
        tree: the values of its JSON.
        schema: columns of the rows it is about, with their Ibis types.
        linked: columns of each table that `exists` can look into.

    Raises:
        ConditionError: with every fault; each has the path of its rule.
    """
    reading = Reading(schema, linked)
    if set(tree) == {"combinator", "rules"} and tree["combinator"] == "and":
        rules = tree["rules"]
        if isinstance(rules, list) and len(rules) == 1:  # how a condition that is a single rule is written
            return reading.condition(RuleReader(reading).rule(rules[0], "$.rules[0]"))
    return reading.condition(RuleReader(reading).rule(tree, "$"))


def condition_to_tree(condition: Condition) -> dict[str, Any]:
    """Write a condition as a tree of rules; the root is a group."""
    found = _rule(condition.tree)
    is_single = found.get("combinator") == "and" and len(found["rules"]) == 1 and len(found) == 2
    return found if "combinator" in found and not is_single else {"combinator": "and", "rules": [found]}


def _rule(node: Node) -> dict[str, Any]:
    if isinstance(node, Named):
        inner = _rule(node.rule)
        return {"rules": [inner], "name": node.name} if "name" in inner else inner | {"name": node.name}
    if isinstance(node, Not):
        return _negated(node.rule)
    if isinstance(node, Group):
        return {"combinator": node.combinator, "rules": [_rule(rule) for rule in node.rules]}
    if isinstance(node, Exists):
        where = {} if node.where is None else {"where": _rule(node.where)}
        return {"exists": {"table": node.table, **where}}
    return {"audience": node.audience} if isinstance(node, Member) else _field(node) or {"expression": render(node)}


def _negated(node: Node) -> dict[str, Any]:
    found = _field(node)
    if found is not None and found["operator"] in _NEGATED:
        return found | {"operator": _NEGATED[found["operator"]]}
    inner = _rule(node)
    return {"rules": [inner], "not": True} if {"name", "not"} & inner.keys() else inner | {"not": True}


def _field(node: Node) -> dict[str, Any] | None:
    """Give a rule about one column; None if it is more than that."""
    if isinstance(node, Column):
        return {"field": node.name, "operator": "is true"}
    if isinstance(node, Call):
        return _tested(node)
    if not isinstance(node, Compare | Between | In | Like | IsNull):
        return None
    first, *others = node.parts
    if not isinstance(first, Column) or not all(isinstance(part, LITERALS) for part in others):
        return None
    return {"field": first.name, **_operated(node)}


def _operated(node: Compare | Between | In | Like | IsNull) -> dict[str, Any]:
    if isinstance(node, Compare):
        return {"operator": node.operator, "value": _plain(node.right)}
    if isinstance(node, Between):
        return {"operator": "between", "value": [_plain(node.low), _plain(node.high)]}
    if isinstance(node, In):
        return {"operator": "in", "value": [_plain(item) for item in node.items]}
    if isinstance(node, Like):
        return {"operator": "like", "value": node.pattern} | ({"escape": node.escape} if node.escape else {})
    return {"operator": "is null"}


def _tested(node: Call) -> dict[str, Any] | None:
    if not node.arguments or not isinstance(node.arguments[0], Column):
        return None
    if node.function == "is_empty":
        return {"field": node.arguments[0].name, "operator": "is empty"}
    if node.function in _TESTS and isinstance(node.arguments[1], Text):
        return {
            "field": node.arguments[0].name,
            "operator": node.function.replace("_", " "),
            "value": node.arguments[1].value,
        }
    return None


def _plain(node: Any) -> Any:
    """Give a literal as JSON has it."""
    if isinstance(node, Date):
        return node.value.isoformat()
    if isinstance(node, Moment):
        return node.value.replace(tzinfo=None).isoformat() + "Z"
    return node.value
