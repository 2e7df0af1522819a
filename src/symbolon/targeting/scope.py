"""What a condition on people may ask for beside their own columns: the moment, linked tables, audiences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from symbolon.profiles import Profiles

#: tables that conditions on people may ask for with EXISTS
LINKED: dict[str, Any] = {"links": ibis.schema({"visitor_id": "string", "last_seen": "timestamp('UTC')"})}


class Scope:
    """What a condition may ask for beside the columns of its table.

    Args:
        now: the moment of the run.
        profiles: the people.
        members: gives `profile_id` of the members of an audience.
    """

    def __init__(self, now: datetime, profiles: Profiles, members: Callable[[str], ibis.Table]) -> None:
        self.now = now
        self._profiles = profiles
        self._members = members

    def linked(self, name: str) -> ibis.Table:
        """Give the rows of a linked table, with their `profile_id`."""
        assert name == "links"  # noqa: S101 - LINKED has no other
        links = self._profiles.visitor_index()
        halves = [links[half].cast("string").lpad(19, "0") for half in ("d0", "d1")]
        return links.select("profile_id", visitor_id=halves[0].concat(halves[1]), last_seen=links.last_seen)

    def audience(self, name: str) -> ibis.Table:
        """Give the `profile_id` of an audience's members."""
        return self._members(name)
