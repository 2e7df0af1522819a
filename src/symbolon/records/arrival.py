"""A file set that arrived for a feed, and what became of it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from enum import StrEnum

import msgspec


class ArrivalState(StrEnum):
    """Where a file set stands."""

    WAITING = "waiting"  #: a part or the control file is still missing, or a file still grows
    IMPORTED = "imported"  #: its audiences are published
    REFUSED = "refused"  #: it was moved to quarantine, with the reason beside it
    SKIPPED = "skipped"  #: nothing to do: the same content was imported before, or a newer file was


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One file set of one feed: the bookmark that keeps it from being imported twice."""

    feed: str
    #: name of the set: that of its first file, without a split number
    name: str
    state: ArrivalState = ArrivalState.WAITING
    #: names, sizes and fingerprints of the files as they were read; a set that changes afterwards is a new arrival
    fingerprint: str = ""
    #: what happened, as JSON-able values: files, error code, audiences, seconds
    facts: dict[str, object] = {}
    first_seen: datetime | None = None
    changed: datetime | None = None
