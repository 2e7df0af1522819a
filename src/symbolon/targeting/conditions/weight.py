"""How large a condition becomes when it is written for an engine.

Some functions mention their argument several times, and Ibis writes it out each time: functions in functions in
functions would fill any memory. So that is found out before, without writing anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.targeting.conditions.functions import FUNCTIONS
from symbolon.targeting.conditions.tree import Arithmetic, Call

if TYPE_CHECKING:
    from symbolon.targeting.conditions.tree import Node

#: nodes of a condition as it is written for an engine; more than any condition that people write by hand
MOST_WRITTEN = 20_000


def weight(node: Node) -> int:
    """Count the nodes of a tree, each as often as it is written."""
    return 1 + mentions(node) * sum(weight(part) for part in node.parts)


def mentions(node: Node) -> int:
    """Give how often a node writes what stands directly below it."""
    if isinstance(node, Arithmetic):
        return 2 if node.operator == "/" else 1
    if isinstance(node, Call):
        return len(node.arguments) if node.function == "decode" else FUNCTIONS[node.function].mentions
    return 1
