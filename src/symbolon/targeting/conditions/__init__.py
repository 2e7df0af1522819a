"""Conditions: predicates in SQL syntax, checked, as trees of our own, compiled into relations."""

from symbolon.targeting.conditions.compiling import compile_condition, compile_expression
from symbolon.targeting.conditions.condition import Condition, Expression, Order, Scope
from symbolon.targeting.conditions.errors import ConditionError, Fault
from symbolon.targeting.conditions.language import parse_condition, parse_expression, parse_order
from symbolon.targeting.conditions.rules import condition_from_tree, condition_to_tree

__all__ = [
    "Condition",
    "ConditionError",
    "Expression",
    "Fault",
    "Order",
    "Scope",
    "compile_condition",
    "compile_expression",
    "condition_from_tree",
    "condition_to_tree",
    "parse_condition",
    "parse_expression",
    "parse_order",
]
