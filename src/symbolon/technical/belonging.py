"""Whose files are whose: what a feed leaves alone, and which feeds would take each other's files.

Invariant: a file whose name names another data source is never imported into this one's audience.

Source: Audience Manager documentation, "Outbound data file name": MASTER_DPID is the data source of the IDs inside,
PID_ALIAS the receiver's name at the sender.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbolon.records import DataSource
    from symbolon.technical.grouping import RemoteSet

#: fact of a set that is none of a feed's: it stays where it is, and is looked at anew each time
LEFT = "left"
_WILD = re.compile(r"[*?\[\]]")


def of_another(one: RemoteSet, source: DataSource, sources: Iterable[DataSource]) -> str:
    """Say which other data source a set is of, by its name; empty = none.

    Args:
        one: the set.
        source: that of the feed.
        sources: all of the project.
    """
    name = one.named
    if name is None:
        return ""
    others = [other for other in sources if other.name != source.name]
    if name.dpid is None:
        return next((f"data source `{other.name}`" for other in others if other.name == name.alias), "")
    if name.dpid == source.dpid:
        return ""
    known = next((f"data source `{other.name}`" for other in others if other.dpid == name.dpid), "")
    return known or (f"data source {name.dpid}" if source.dpid is not None else "")


def names_its_source(one: RemoteSet, source: DataSource) -> bool:
    """Say whether the name of a set says that it is of this data source."""
    name = one.named
    return name is not None and (
        name.alias == source.name if name.dpid is None or source.dpid is None else name.dpid == source.dpid
    )


def is_nested(place: str, other: str) -> bool:
    """Say whether two places are one, or one is below the other."""
    one, two = (f"{name.rstrip('/')}/" for name in (place, other))
    return one.startswith(two) or two.startswith(one)


def may_meet(pattern: str, other: str) -> bool:
    """Say whether some file name could match both shell patterns; a doubt counts as yes.

    Example:
        >>> may_meet("a_*.sync", "b_*.sync"), may_meet("a_*", "*.sync"), may_meet("*", "a.csv")
        (False, True, True)
    """
    for one, two in ((pattern, other), (other, pattern)):
        if not _WILD.search(one):
            return fnmatchcase(one, two)
    parts, others = _WILD.split(pattern), _WILD.split(other)
    begins = parts[0].startswith(others[0]) or others[0].startswith(parts[0])
    return begins and (parts[-1].endswith(others[-1]) or others[-1].endswith(parts[-1]))
