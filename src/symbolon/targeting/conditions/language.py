"""The way in: text becomes a checked condition, expression or order, or an error with all its faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.checking import Checker
from symbolon.targeting.conditions.condition import Condition, Expression, Order
from symbolon.targeting.conditions.errors import ConditionError, Fault
from symbolon.targeting.conditions.ordering import take_direction
from symbolon.targeting.conditions.reader import read_syntax
from symbolon.targeting.conditions.rendering import render
from symbolon.targeting.conditions.syntax import MOST_CHARACTERS, Source, Syntax
from symbolon.targeting.conditions.tree import Column, Node, Null
from symbolon.targeting.conditions.weight import MOST_WRITTEN, weight

#: column -> type; an `ibis.Schema` is one
Columns: TypeAlias = Mapping[str, Any]


def parse_condition(
    text: str,
    schema: Columns,
    *,
    linked: Mapping[str, Columns] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Condition:
    """Read a predicate.

    Args:
        text: the predicate, at most 20,000 characters.
        schema: columns of the rows it is about, with their Ibis types.
        linked: columns of each table that `EXISTS` can look into.
        parameters: typed values; `${name}` stands for them as literals, never as text that is read.

    Raises:
        ConditionError: with every fault of the text.
    """
    reading = Reading(schema, linked, parameters)
    return reading.condition(reading.single(Source(text)))


def parse_expression(
    text: str,
    schema: Columns,
    *,
    linked: Mapping[str, Columns] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Expression:
    """Read one value: a column, or something computed from columns; the arguments are those of `parse_condition`.

    Raises:
        ConditionError: with every fault of the text.
    """
    reading = Reading(schema, linked, parameters)
    return reading.expression(reading.single(Source(text)))


def parse_order(text: str, schema: Columns, *, parameters: Mapping[str, Any] | None = None) -> list[Order]:
    """Read what rows are sorted by: `last_name ASC, years_old(birth_date) DESC NULLS LAST`.

    Raises:
        ConditionError: with every fault of the text.
    """
    reading = Reading(schema, None, parameters)
    source = Source(text)
    found = read_syntax(source, reading.faults, reading.names, parameters, ordering=True)
    orders = []
    for one in found:
        key, descending, nulls_first = take_direction(one)
        expression = reading.expression(key, failing=False)
        orders.append(Order(expression, descending, nulls_first))
    reading.end()
    return orders


class Reading:
    """One reading: a schema, and the faults that are found.

    Args:
        schema: columns of the rows.
        linked: columns of each linked table.
        parameters: what `${name}` stands for.
    """

    def __init__(
        self,
        schema: Columns,
        linked: Mapping[str, Columns] | None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.faults: list[Fault] = []
        self._parameters = parameters
        linked = linked or {}
        self._checker = Checker(schema, linked, self.faults)
        self.names = frozenset(
            name.upper() for name in [*schema, *linked, *(name for table in linked.values() for name in table)]
        )

    def single(self, source: Source) -> Syntax:
        """Read a text that is one condition or value."""
        found = read_syntax(source, self.faults, self.names, self._parameters)
        if len(found) > 1:
            self.faults.append(
                found[1].fault("one condition ends before the comma", "combine conditions with AND or OR")
            )
        return found[0] if found else Syntax("broken", source, 0)

    def condition(self, one: Syntax) -> Condition:
        """Give a condition.

        Raises:
            ConditionError: there are faults, from before or from now.
        """
        node = self._checker.condition(one)
        return Condition(node, self._written(one, node))

    def expression(self, one: Syntax, *, failing: bool = True) -> Expression:
        """Give an expression; with `failing`, faults from before or from now end it.

        Raises:
            ConditionError: there are faults, from before or from now.
        """
        name = self._checker.columns.name_of(one.text) if one.kind == "column" else None
        if name is not None:  # of any type: it is only handed on
            found, kind = self._checker.columns.types[name], ""
            node: Node = Column(name)
        else:
            node, kind = self._checker.value(one)
            found = kinds.type_of(kind)
        if isinstance(node, Null) and kind == kinds.NULL:
            self.faults.append(one.fault("NULL alone is of no type", "write a column or a value"))
        text = self._written(one, node) if failing else render(node)
        return Expression(node, text, found)

    def end(self) -> None:
        """Raise what was found."""
        if self.faults:
            raise ConditionError.of(self.faults)

    def _written(self, one: Syntax, node: Node) -> str:
        self.end()
        if weight(node) > MOST_WRITTEN:
            message = "these functions in functions are more work than an engine can do for each row"
            self.faults.append(one.fault(message, "take it apart: compute a part of it in an enrichment before"))
            self.end()
        text = render(node)
        if len(text) > MOST_CHARACTERS:
            message = f"written out, this has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed"
            self.faults.append(one.fault(message, "take it apart, or keep long lists in an audience"))
            self.end()
        return text
