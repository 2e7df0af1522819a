"""People chosen from one table of profiles by a formula of conditions.

Sets of such people are combined by combining their formulas: who is in one set and in no other is one scan with a
longer predicate, where sets of rows would have to be joined. And any number of them are counted in one scan.

Invariant: `rows` are the rows of `base` for which the formula is true; false and unknown are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: beyond this, engines are slow at planning a formula, and a join is quicker
_MOST_LEAVES, _MOST_DEEP = 200, 20


@dataclass(frozen=True, slots=True)
class Leaf:
    """A predicate over the base; it may be unknown."""

    #: as Ibis's node: those can be compared, values cannot
    node: Any

    @property
    def leaves(self) -> list[Leaf]:
        """The predicates, in order."""
        return [self]

    @property
    def depth(self) -> int:
        """How deep it is nested."""
        return 1

    def written(self, leaf: Callable[[Leaf], Any]) -> Any:
        """Write it as a predicate, each leaf as `leaf` says."""
        return leaf(self)


@dataclass(frozen=True, slots=True)
class Combined:
    """Formulas put together: `and`, `or`, or `without`: the first, and none of the others."""

    kind: str
    parts: tuple[Formula, ...]

    @property
    def leaves(self) -> list[Leaf]:
        """The predicates, in order, as often as they stand there."""
        return [leaf for part in self.parts for leaf in part.leaves]

    @property
    def depth(self) -> int:
        """How deep it is nested."""
        return 1 + max((part.depth for part in self.parts), default=0)

    def written(self, leaf: Callable[[Leaf], Any]) -> Any:
        """Write it as a predicate, each leaf as `leaf` says."""
        parts = [part.written(leaf) for part in self.parts]
        if self.kind == "or":
            return _halved(parts, lambda left, right: left | right)
        if self.kind == "without":  # unknown is not true: whoever is unknown is not taken out
            met: list[Any] = [ibis.coalesce(part, ibis.literal(value=False)) for part in parts[1:]]
            parts = [parts[0], *(~part for part in met)]
        return _halved(parts, lambda left, right: left & right)


Formula = Leaf | Combined
#: the formula that everybody meets
EVERYBODY = Combined("and", ())


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen people, not computed yet."""

    #: whom they are chosen from: `profile_id` and the fields of profiles, one row a profile
    base: ibis.Table
    formula: Formula = EVERYBODY
    #: whether the base lies there to be read; else reading it is to compute something, a join
    is_stored: bool = True

    @property
    def rows(self) -> ibis.Table:
        """Those who are chosen, with all fields."""
        if self.formula == EVERYBODY:
            return self.base
        return self.base.filter(self.formula.written(lambda leaf: leaf.node.to_expr()))

    def narrowed(self, filtered: ibis.Table) -> Selection | None:
        """Give those who are also among `filtered`, which was made of the base; None if that is more than a filter."""
        node = filtered.op()
        if node == self.base.op():
            return self
        if not isinstance(node, ops.Filter) or node.parent != self.base.op():
            return None
        leaves = tuple(Leaf(predicate) for predicate in node.predicates)
        return self._of("and", [self.formula, *leaves])

    def both(self, others: Sequence[Selection]) -> Selection | None:
        """Give those who are in all others too; None if they cannot be told by a formula."""
        return self._with("and", others)

    def either(self, others: Sequence[Selection]) -> Selection | None:
        """Give those who are here or in any other; None if they cannot be told by a formula."""
        return self._with("or", others)

    def without(self, others: Sequence[Selection]) -> Selection | None:
        """Give those who are in no other; None if they cannot be told by a formula."""
        return self._with("without", others)

    def _with(self, kind: str, others: Sequence[Selection]) -> Selection | None:
        if any(other.base.op() != self.base.op() for other in others):
            return None
        return self._of(kind, [self.formula, *(other.formula for other in others)])

    def _of(self, kind: str, parts: Sequence[Formula]) -> Selection | None:
        found = _combined(kind, parts)
        if len(found.leaves) > _MOST_LEAVES or found.depth > _MOST_DEEP:
            return None
        return Selection(self.base, found, self.is_stored)


def counts(selections: Sequence[Selection]) -> ibis.Table:
    """Count selections of one base by one scan, in which every predicate is evaluated once.

    Shape: `n0`, `n1`, ...: how many are in each, in one row.
    """
    base = selections[0].base
    names: dict[Any, str] = {}
    for selection in selections:
        for leaf in selection.formula.leaves:
            names.setdefault(leaf.node, f"is_{len(names)}")
    met = {name: ibis.coalesce(node.to_expr(), ibis.literal(value=False)) for node, name in names.items()}
    flags = base.select(profile_id=base["profile_id"], **met)
    found = {}
    for place, selection in enumerate(selections):
        if selection.formula == EVERYBODY:
            found[f"n{place}"] = flags.count()
        else:
            where = selection.formula.written(lambda leaf: flags[names[leaf.node]])
            found[f"n{place}"] = flags.count(where=where)
    return flags.aggregate(**found)


def _combined(kind: str, parts: Sequence[Formula]) -> Formula:
    """Put formulas together; what is nested without need is flattened, so that a chain does not become deep."""
    flat: list[Formula] = []
    for place, part in enumerate(parts):
        is_same = isinstance(part, Combined) and part.kind == kind and part != EVERYBODY
        if isinstance(part, Combined) and is_same and (kind != "without" or not place):
            flat += part.parts
        elif not (part == EVERYBODY and kind == "and"):
            flat.append(part)
    if kind == "or" and EVERYBODY in flat:
        return EVERYBODY
    if kind != "without":
        flat = list(dict.fromkeys(flat))
    return flat[0] if len(flat) == 1 else Combined(kind, tuple(flat))


def _halved(parts: list[Any], join: Callable[[Any, Any], Any]) -> Any:
    """Join parts two by two: a hundred in a row would be too deep for engines."""
    if not parts:
        return ibis.literal(value=True)
    while len(parts) > 1:
        parts = [reduce(join, parts[place : place + 2]) for place in range(0, len(parts), 2)]
    return parts[0]
