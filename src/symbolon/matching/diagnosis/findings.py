"""From hits to findings: which explanations are named, in which order, and how sure they are.

The explanation that covers most comes first; each further one must explain IDs that those before do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbolon.matching.diagnosis.causes import Cause, Fitting, causes, fitting
from symbolon.matching.diagnosis.sample import LEAST_HITS, Hit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbolon.records import DataSource

#: share of their IDs that two explanations have in common to count as the same
_SAME = 0.9
_SURE = 1.96


@dataclass(frozen=True, slots=True)
class Explained:
    """One explanation of part of a sample."""

    hit: Hit
    causes: list[Cause]
    #: the data source that would have matched; None = the sender has to mend it
    fitting: Fitting | None
    #: IDs of the sample that it explains; estimated where not all profiles were looked through
    count: int
    low: int
    high: int
    #: codes of explanations that fit the same IDs as well
    also: list[str]


def explained(hits: Iterable[Hit], source: DataSource, *, size: int, least: int) -> list[Explained]:
    """Choose among explanations.

    Args:
        hits: what was found.
        source: the data source of the sample.
        size: IDs of the sample.
        least: the smallest number of hits that is evidence.
    """
    waiting = [_judged(hit, source, size) for hit in hits]
    chosen: list[Explained] = []
    done: set[int] = set()
    while waiting:
        waiting = [one for one in waiting if len(one.hit.ids - done) >= _needed(one, least)]
        if not waiting:
            break
        best = min(waiting, key=lambda one: _rank(one, done, size))
        fresh = best.hit.ids - done
        others = [one for one in waiting if one is not best and _same(one, best, fresh)]
        also = list(dict.fromkeys("; ".join(cause.words for cause in one.causes) for one in others))
        chosen.append(_counted(best, fresh, size, also))
        done |= best.hit.ids
        waiting = [one for one in waiting if one is not best and one not in others]
    return sorted(chosen, key=lambda one: -one.count)


def _judged(hit: Hit, source: DataSource, size: int) -> Explained:
    found = causes(source, hit.reading, hit.target)
    return _counted(Explained(hit, found, fitting(source, hit.reading, hit.target), 0, 0, 0, []), hit.ids, size, [])


def _counted(one: Explained, fresh: set[int], size: int, also: list[str]) -> Explained:
    """Count what an explanation adds; where not all profiles were looked through, estimate it and say how surely."""
    hits, tried = len(fresh), one.hit.tried
    if tried >= 1:
        return Explained(one.hit, one.causes, one.fitting, hits, hits, hits, also)
    spread = _SURE * (hits * (1 - tried)) ** 0.5
    low, middle, high = (min(size, max(hits, round(n / tried))) for n in (max(hits - spread, 0), hits, hits + spread))
    return Explained(one.hit, one.causes, one.fitting, middle, low, high, also)


def _needed(one: Explained, least: int) -> int:
    return least if one.hit.tried >= 1 else LEAST_HITS


def _rank(one: Explained, done: set[int], size: int) -> tuple[float, int, int]:
    """Put first what explains most; of those that explain about as much, the simplest, then what a setting mends."""
    hits = min(len(one.hit.ids - done) / one.hit.tried, size)
    step = max(size / 50, 1)
    return (-round(hits / step), len(one.causes), 0 if one.fitting is not None else 1)


def _same(one: Explained, best: Explained, fresh: set[int]) -> bool:
    return len(one.hit.ids & best.hit.ids) >= _SAME * min(len(one.hit.ids), len(fresh))
