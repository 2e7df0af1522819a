"""Names of segment files, taken apart by their grammar.

    [SYNC_TYPE][_DID][_MASTER_DPID][_PID_ALIAS][_SYNC-MODE][_TIMESTAMP]SPLITNUM.sync[.gz]

Invariant: every element is optional and a name never decides more than it says; what it leaves open is None or empty.

Source: Audience Manager documentation, "Outbound data file name" (split number glued to the timestamp, at least three
digits, none on the first file), "Outbound template macros" (10-digit timestamps), "Transfer-control files" (split as
`-1`). The types are compared without case: the documents write `S3` and `s3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Mode = Literal["full", "iter"]

#: digits of a timestamp in milliseconds, and in seconds
MILLISECONDS_DIGITS, SECONDS_DIGITS = 13, 10
#: a split number glued to the timestamp has at least this many digits
SPLIT_DIGITS = 3

_NAME = re.compile(
    r"(?P<base>"
    r"(?:(?P<type>s3|ftp|http)_)?"
    r"(?:(?P<destination>[0-9]{1,18})_)?"
    r"(?:(?P<dpid>[0-9]{1,18})_)?"
    r"(?:(?P<alias>(?!(?:iter|full)_)[^_/\\\x00-\x1f][^/\\\x00-\x1f]*?)_)?"
    r"(?:(?P<mode>iter|full)_)?"
    r")(?P<digits>[0-9]{10,24})(?:-(?P<dash>[0-9]{1,6}))?"
    r"\.(?P<extension>sync|csv)(?P<gz>\.gz)?",
    re.IGNORECASE,
)
#: a name without a timestamp: the whole stem is an alias, perhaps with a mode in it
_BARE = re.compile(
    r"(?P<root>(?:(?P<type>s3|ftp|http)_)?(?P<stem>[^/\\\x00-\x1f]+?))\.sync(?P<gz>\.gz)?", re.IGNORECASE
)
_BARE_MODE = re.compile(r"(?:^|_)(?P<mode>full|iter)(?:_|$)", re.IGNORECASE)
#: names of the other direction: onboarding files and ID synchronisation have rows of another grammar
_INBOUND = re.compile(r"(?:ftp_dpm|adobe_id|c2c_id)_.*", re.IGNORECASE)
#: endings that only files of this family have
_FAMILY = re.compile(r"\.(?:sync|overwrite)(?:\.[A-Za-z0-9]+)*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """The elements of a segment file's name."""

    #: the name as given, without its folder
    raw: str
    #: `s3`, `ftp`, `http` or empty
    sync_type: str = ""
    #: number of the destination at the sender
    destination_id: int | None = None
    #: data source of the IDs inside (MASTER_DPID)
    dpid: int | None = None
    #: the receiver's name at the sender; empty = none
    alias: str = ""
    mode: Mode | None = None
    #: time in the name, milliseconds since 1970 UTC
    timestamp_ms: int | None = None
    #: number of the part as written; 0 = the name has none
    split: int = 0
    #: whether the split number is written `-1`, not glued to the timestamp
    dash: bool = False
    gz: bool = False
    #: the name without split number and extension: what the parts of one set and their control file share
    root: str = ""


def parse_name(name: str, *, timestamp: str = "milliseconds") -> FileName | None:
    """Take the name of a segment file apart.

    Args:
        name: the name without its folder.
        timestamp: how a run of 13 digits and more is read, for the name alone does not tell: `milliseconds` (13 digits,
            then perhaps a split number) or `seconds` (10 digits, then perhaps a split number). A run of exactly 10
            digits is seconds in both.

    Returns:
        The elements; None when it is not the name of a segment file.

    Example:
        >>> parse_name("S3_1234_20914_XYZ_iter_1486140844000001.sync.gz").split
        1
    """
    if len(name) > 255 or _INBOUND.fullmatch(name):
        return None
    match = _NAME.fullmatch(name)
    if match is None:
        return _without_time(name)
    if match["extension"].lower() == "csv" and not (match["type"] and match["mode"]):
        return None
    time = _time(match["digits"], timestamp, dashed=match["dash"] is not None)
    if time is None:
        return None
    digits, timestamp_ms, split = time
    mode = match["mode"]
    return FileName(
        raw=name,
        sync_type=(match["type"] or "").lower(),
        destination_id=int(match["destination"]) if match["destination"] else None,
        dpid=int(match["dpid"]) if match["dpid"] else None,
        alias=match["alias"] or "",
        mode=("full" if mode.lower() == "full" else "iter") if mode else None,
        timestamp_ms=timestamp_ms,
        split=int(match["dash"]) if match["dash"] else split,
        dash=match["dash"] is not None,
        gz=match["gz"] is not None,
        root=match["base"] + digits,
    )


def is_of_the_family(name: str) -> bool:
    """Whether the ending says `.sync` or `.overwrite`, so that a name that does not parse is a mistake, not a list."""
    return _FAMILY.search(name) is not None


def _time(digits: str, unit: str, *, dashed: bool) -> tuple[str, int, int] | None:
    """Part a run of digits into (timestamp as written, milliseconds, split number)."""
    if len(digits) == SECONDS_DIGITS:
        return digits, int(digits) * 1000, 0
    length = SECONDS_DIGITS if unit == "seconds" else MILLISECONDS_DIGITS
    stamp, split = digits[:length], digits[length:]
    if len(digits) < length or (split and (dashed or len(split) < SPLIT_DIGITS)):
        return None
    return stamp, int(stamp) * (1000 if unit == "seconds" else 1), int(split or 0)


def _without_time(name: str) -> FileName | None:
    match = _BARE.fullmatch(name)
    if match is None:
        return None
    found = _BARE_MODE.search(match["stem"])
    mode: Mode | None = None
    if found is not None:
        mode = "full" if found["mode"].lower() == "full" else "iter"
    return FileName(
        raw=name,
        sync_type=(match["type"] or "").lower(),
        alias=match["stem"],
        mode=mode,
        gz=match["gz"] is not None,
        root=match["root"],
    )
