"""From a condition to relations and values of Ibis, the same on every engine.

What a condition asks of other tables becomes semi and anti joins where it stands alone, and elsewhere a left join that
says for each profile whether it is there: `IN (SELECT ...)` under NOT or OR is what engines are slow at.

Invariant: a literal reaches an engine as a literal of Ibis, and never in a form that the engine replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbolon.targeting.conditions.tree import Exists, Group, Member, Named, Node, Not, outer
from symbolon.targeting.conditions.values import Values

if TYPE_CHECKING:
    import ibis

    from symbolon.targeting.conditions.condition import Condition, Expression, Scope

_PROFILE = "profile_id"


def compile_condition(condition: Condition, table: ibis.Table, scope: Scope) -> ibis.Table:
    """Give the rows of a table for which a condition is true; false and unknown are left out.

    Args:
        condition: made for the schema of `table`.
        table: rows with `profile_id` and the columns of the condition.
        scope: the moment, linked tables and audiences.
    """
    return _kept(condition.tree, table, scope)


def compile_expression(expression: Expression, table: ibis.Table, scope: Scope) -> Any:
    """Give the value of an expression for each row of a table, in the expression's type.

    What it asks of linked tables and audiences becomes `IN (SELECT profile_id ...)`.
    """

    def asked(node: Exists | Member) -> Any:
        return table[_PROFILE].isin(_profiles(node, scope)[_PROFILE])

    found = Values(table, scope.now, asked).whole(expression.tree)
    kind = found.type()
    if kind == expression.type:
        return found
    # only arithmetic of whole numbers gives another type, and may be larger than one of 64 bits
    return found.try_cast(expression.type) if kind.is_floating() else found.cast(expression.type)


def _kept(tree: Node, table: ibis.Table, scope: Scope) -> ibis.Table:
    plain: list[tuple[Node, bool]] = []
    joined: list[tuple[Exists | Member, bool]] = []
    mixed: list[tuple[Node, bool]] = []
    for rule, wanted in _conjuncts(tree, wanted=True):
        if isinstance(rule, Exists | Member):
            joined.append((rule, wanted))
        elif any(isinstance(node, Exists | Member) for node in outer(rule)):
            mixed.append((rule, wanted))
        else:
            plain.append((rule, wanted))
    rows = table
    if plain:
        values = Values(rows, scope.now, _never)
        rows = rows.filter([_wanted(values.predicate(rule), wanted) for rule, wanted in plain])
    for asked, wanted in joined:
        profiles = _profiles(asked, scope)
        rows = rows.semi_join(profiles, _PROFILE) if wanted else rows.anti_join(profiles, _PROFILE)
    if not mixed:
        return rows
    flags: dict[Exists | Member, str] = {}
    wide = rows
    for rule, _ in mixed:
        for node in outer(rule):
            if isinstance(node, Exists | Member) and node not in flags:
                flags[node] = _free(f"asked_{len(flags)}", wide)
                profiles = _profiles(node, scope).distinct().rename({flags[node]: _PROFILE})
                wide = wide.left_join(profiles, wide[_PROFILE] == profiles[flags[node]])
    values = Values(wide, scope.now, lambda node: wide[flags[node]].notnull())
    return wide.filter([_wanted(values.predicate(rule), wanted) for rule, wanted in mixed]).select(*table.columns)


def _conjuncts(tree: Node, *, wanted: bool) -> list[tuple[Node, bool]]:
    """Take a condition apart into rules that must all be true (`wanted`), or must all not be true."""
    if isinstance(tree, Named):
        return _conjuncts(tree.rule, wanted=wanted)
    if isinstance(tree, Not) and isinstance(_bare(tree.rule), Exists | Member):
        return _conjuncts(tree.rule, wanted=not wanted)  # these are never unknown
    if isinstance(tree, Group) and wanted and tree.combinator != "or":
        first, *others = tree.rules
        rest = tree.combinator == "and"
        return _conjuncts(first, wanted=True) + [part for rule in others for part in _conjuncts(rule, wanted=rest)]
    if isinstance(tree, Group) and not wanted and tree.combinator == "or":
        return [part for rule in tree.rules for part in _conjuncts(rule, wanted=False)]
    return [(tree, wanted)]


def _bare(node: Node) -> Node:
    while isinstance(node, Named):
        node = node.rule
    return node


def _wanted(predicate: Any, wanted: bool) -> Any:
    return predicate if wanted else ~predicate.fill_null(False)


def _profiles(node: Exists | Member, scope: Scope) -> ibis.Table:
    """Give the profiles that have such a row, or are members."""
    if isinstance(node, Member):
        rows = scope.audience(node.audience)
    else:
        rows = scope.linked(node.table)
        rows = rows if node.where is None else _kept(node.where, rows, scope)
    return rows.select(_PROFILE).filter(lambda table: table[_PROFILE].notnull())


def _free(name: str, table: ibis.Table) -> str:
    """Give a name that no column has."""
    return name if name not in table.columns else _free(f"_{name}", table)


def _never(_: Exists | Member) -> Any:
    raise AssertionError
