"""Rows that come in: what tells them apart, what else is known of them, in which order they stand.

Invariant: two rows of a file that are equal in every column are interchangeable; all other rows can be told apart, so
an order that ends in `apart` is the same on every engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops

from symbolon.targeting.activities._columns import twice
from symbolon.targeting.activity import Mode
from symbolon.targeting.conditions.kinds import INTEGER, NUMBER, kind_of, type_of
from symbolon.targeting.population import PROFILE, UNKNOWN, Population

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import ibis.expr.datatypes as types

    from symbolon.targeting.activity import Context

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WORD = re.compile(r"\w+")


def one_input(context: Context) -> Population:
    """Give what comes in; a transition without a population is a fault, and nobody then."""
    if context.inputs:
        return context.inputs[0]
    context.fault("from", "no population comes in", "begin with a query, an audience or a file")
    return Population(context.people().select("profile_id").limit(0))


def same_kind(context: Context) -> list[Population]:
    """Give what comes in, as far as it is of the same targeting dimension as the first; the rest are faults."""
    first = one_input(context)
    kept = [first]
    for place, one in enumerate(context.inputs[1:], 1):
        if (one.dimension, one.source) == (first.dimension, first.source):
            kept.append(one)
            continue
        hint = "put a `reconciliation` in between" if UNKNOWN in (one.dimension, first.dimension) else ""
        context.fault(
            f"from[{place}]",
            f"{said(one)} can't be combined with {said(first)}",
            hint or "combine people first, and take their IDs afterwards",
        )
    return kept


def said(population: Population) -> str:
    """Say what the rows are."""
    if population.dimension == PROFILE:
        return "people"
    if population.dimension == UNKNOWN:
        return "rows that nobody has reconciled"
    return f"IDs of `{population.source}`"


def own_columns(population: Population) -> list[str]:
    """Name the columns that say whose a row is."""
    if population.dimension == UNKNOWN:
        return []
    return ["profile_id"] if population.dimension == PROFILE else ["profile_id", "id"]


def key_column(population: Population) -> str:
    """Name the column by which sets are compared; empty for rows of a file."""
    return {PROFILE: "profile_id", UNKNOWN: ""}.get(population.dimension, "id")


def described(context: Context, population: Population, *texts: str) -> ibis.Table:
    """Give the rows of a population with everything that these texts may name.

    People and IDs get the fields of their profiles; a column that the transition carries goes before a field of its
    name. Fields that no text mentions are left out of all but a check, whose hints name what there is.
    """
    inbound = population.relation
    if population.dimension == UNKNOWN:
        return inbound
    if population.selection is not None and not population.extra:
        fields = _mentioned(context, ["profile_id"], population.selection.base, texts)
        return population.selection.rows.select("profile_id", *fields)
    people = context.people()
    fields = _mentioned(context, inbound.columns, people, texts)
    if not fields:
        return inbound
    # not an inner join: who was deleted since stays a member until someone takes him out
    known = people.select("profile_id", *fields)
    return inbound.left_join(known, "profile_id").select(*inbound.columns, *fields)


def _mentioned(context: Context, carried: Iterable[str], people: ibis.Table, texts: Iterable[str]) -> list[str]:
    """Name the fields of profiles that are not carried already and that some text may mean."""
    taken = {name.lower() for name in carried}
    fields = [name for name in people.columns if name.lower() not in taken]
    if context.mode is Mode.CHECK:
        return fields
    mentioned = {word.lower() for text in texts for word in _WORD.findall(text)}
    return [name for name in fields if name.lower() in mentioned]


def rising(value: Any) -> Any:
    """Give a sort key: the smallest first, missing ones last."""
    return ibis.asc(value, nulls_first=False)


def apart(population: Population, table: ibis.Table) -> list[ibis.Value]:
    """Give sort keys that tell all rows apart."""
    names = own_columns(population) or population.relation.columns
    return [rising(table[name]) for name in names]


def sorted_by(context: Context, text: str, path: str, population: Population, table: ibis.Table) -> list[ibis.Value]:
    """Give sort keys for an order, which may be empty; they tell all rows apart."""
    keys = context.ordering(text, table, path) if text.strip() else []
    return once([*keys, *apart(population, table)])


def once(keys: Iterable[ibis.Value]) -> list[ibis.Value]:
    """Give the first sort key of each value: Ibis would take the direction of the last."""
    found: dict[Any, ibis.Value] = {}
    for key in keys:
        node: Any = key.op()
        found.setdefault(node.arg if isinstance(node, ops.SortKey) else node, key)
    return list(found.values())


def first_rows(rows: ibis.Table, keys: Sequence[ibis.Value], count: int) -> ibis.Table:
    """Give so many rows, in the order of keys."""
    return rows.order_by(list(keys)).limit(count)


def missing_from(rows: ibis.Table, others: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Give the rows that no other row equals in these columns; a missing value equals a missing value."""
    return _joined(rows, others, columns, "anti")


def found_in(rows: ibis.Table, others: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Give the rows that some other row equals in these columns; a missing value equals a missing value."""
    return _joined(rows, others, columns, "semi")


def _joined(rows: ibis.Table, others: ibis.Table, columns: Sequence[str], how: Any) -> ibis.Table:
    if list(columns) in (["profile_id"], ["id"]):  # never missing: a plain join
        return rows.join(others, columns[0], how=how).select(*rows.columns)
    if not columns:  # a fault that was told
        return rows
    renamed = others.select(**{f"_other_{place}": others[name] for place, name in enumerate(columns)})
    pairs = [rows[name].identical_to(renamed[f"_other_{place}"]) for place, name in enumerate(columns)]
    return rows.join(renamed, pairs, how=how).select(*rows.columns)


def is_nothing(value: Any) -> bool:
    """Say whether a value is the null that stands for an expression with a fault."""
    node = value.op()
    return isinstance(node, ops.Literal) and node.value is None


def common_type(kinds: Iterable[types.DataType]) -> types.DataType | None:
    """Give the type in which columns of several sets go together; None if they do not."""
    found = {kind.copy(nullable=True) for kind in kinds}
    if len(found) == 1:
        return found.pop()
    words = {kind_of(kind) for kind in found}
    if words <= {INTEGER, NUMBER}:
        return type_of(NUMBER if NUMBER in words else INTEGER)
    return None


def checked_names(context: Context, path: str, names: Sequence[str], taken: Sequence[str], own: Sequence[str]) -> None:
    """Fault names that can be no column beside those that are taken.

    Args:
        context: told of faults, at `path.name`.
        path: of the option that has the names.
        names: the new ones; one that is taken replaces the column.
        taken: columns there are.
        own: columns that cannot be replaced.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            hint = "a column is a lower-case letter and up to 62 letters, digits or `_` behind it"
            context.fault(f"{path}.{name[:64]}", "this can be no column", hint)
        elif name in own:
            context.fault(f"{path}.{name}", f"`{name}` says whose a row is, and stays", "choose another name")
        elif name not in taken and twice([*taken, name]):
            context.fault(f"{path}.{name}", f"there is a column that differs from `{name}` in capitals only")


def free(name: str, *tables: ibis.Table) -> str:
    """Give a name that no column has; capitals do not make two of one."""
    taken = {column.lower() for table in tables for column in table.columns}
    while name in taken:
        name = f"_{name}"
    return name
