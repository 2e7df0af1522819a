"""An order in which each activity comes after those it follows."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.targeting.definition import Node


def ordered(nodes: Sequence[Node]) -> tuple[list[Node], list[str]]:
    """Bring activities in order: the same graph always gives the same one, near to how it was written.

    Returns:
        The activities, and the ids of a circle if there is one.
    """
    rank = {node.id: place for place, node in enumerate(nodes)}
    by_id = {node.id: node for node in nodes}
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {node.id: [source.activity for source in node.sources] for node in nodes}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        return list(nodes), list(reversed(error.args[1]))[1:]
    chain: list[Node] = []
    ready = sorted(sorter.get_ready(), key=rank.__getitem__)
    while ready:
        first = ready.pop(0)
        chain.append(by_id[first])
        sorter.done(first)
        ready = sorted([*ready, *sorter.get_ready()], key=rank.__getitem__)
    return chain, []


def below(nodes: Sequence[Node], activity: str) -> set[str]:
    """Give the ids of an activity and of all that follow it."""
    found = {activity}
    for node in nodes:
        if any(source.activity in found for source in node.sources):
            found.add(node.id)
    return found
