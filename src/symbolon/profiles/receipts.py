"""What became of every row of a profile or a link file."""

from __future__ import annotations

import msgspec


class ProfilesReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one profile import.

    lines = received = accepted + rejected; accepted = created + updated + unchanged.
    """

    file: str
    lines: int = 0
    received: int = 0
    accepted: int = 0
    rejected: dict[str, int] = {}
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    #: all profiles after it
    profiles: int = 0
    #: revision of the profiles after it
    revision: int = 0
    warnings: list[str] = []
    seconds: float = 0.0


class LinksReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one link import: lines = received = accepted + rejected."""

    file: str
    lines: int = 0
    received: int = 0
    accepted: int = 0
    rejected: dict[str, int] = {}
    #: links of browsers and profiles that were not there before
    created: int = 0
    #: links that were seen again
    updated: int = 0
    #: all links after it
    links: int = 0
    revision: int = 0
    warnings: list[str] = []
    seconds: float = 0.0
