"""The state of a derived table: where it stands in the lake, and what is known about it."""

from __future__ import annotations

from typing import Any

import msgspec


class TableState(msgspec.Struct, frozen=True, kw_only=True):
    """State of one table that readers find through the store (profiles, links, kept digests)."""

    #: the lake version that counts
    lake_version: int
    #: our own sequence: grows with every change
    revision: int
    #: further facts that JSON can hold: counts, columns, the revision it was built from. Never values of people
    facts: dict[str, Any] = {}
