"""Names of inbound files, taken apart and put together.

    ftp_dpm_[odc_]DPID[_OWNER]_TIMESTAMP(.sync|.overwrite)[.SPLIT][.gz]

Invariant: what is rendered parses to what it was rendered from.

Source: Audience Manager documentation, "FTP name requirements for inbound data files" and "Amazon S3 name requirements
for inbound data files": the literal `ftp_dpm_` also on S3, a timestamp of ten digits that only makes names unique (one
printed example has nine), the split number behind the mode, gzip only, and below S3 a folder `date=YYYY-MM-DD/` of the
day of upload in UTC. Encrypted files (`.pgp`, `.gpg`) are read as names and never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

InboundMode = Literal["sync", "overwrite"]

#: digits of a timestamp as the documents define it
STAMP_DIGITS = 10
_NAME = re.compile(
    r"ftp_dpm_(?P<odc>odc_)?(?P<dpid>[0-9]{1,18})(?:_(?P<owner>[0-9]{1,18}))?_(?P<stamp>[0-9]{9,13})"
    r"\.(?P<mode>sync|overwrite)(?:\.(?P<split>[0-9]{1,6}))?(?:\.(?P<packed>gz|pgp|gpg))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundName:
    """The elements of an inbound file's name."""

    #: data source of the IDs inside
    dpid: int
    #: data source that owns the traits; None = the same
    owner: int | None = None
    #: as written: seconds since 1970
    timestamp: str
    mode: InboundMode = "sync"
    #: number of the part, from 1; None = there is one part
    split: int | None = None
    #: `gz`, `pgp`, `gpg` or empty
    packed: str = ""
    #: whether the rows begin with the type of a device (`odc_`)
    odc: bool = False
    #: what is odd about it, though it can be read
    warnings: tuple[str, ...] = ()

    def render(self) -> str:
        """Put the name together."""
        owner = f"_{self.owner}" if self.owner is not None else ""
        split = f".{self.split}" if self.split is not None else ""
        packed = f".{self.packed}" if self.packed else ""
        return f"ftp_dpm_{'odc_' * self.odc}{self.dpid}{owner}_{self.timestamp}.{self.mode}{split}{packed}"


def parse_inbound(name: str, *, strict: bool = False) -> InboundName | None:
    """Take the name of an inbound file apart.

    Args:
        name: without its folder.
        strict: refuse timestamps of other than ten digits; else they are a warning.

    Returns:
        The elements; None when it is not the name of an inbound file.

    Example:
        >>> parse_inbound("ftp_dpm_33_21_1234567890.sync.2.gz").split
        2
    """
    match = _NAME.fullmatch(name) if len(name) <= 255 else None
    if match is None:
        return None
    stamp = match["stamp"]
    if strict and len(stamp) != STAMP_DIGITS:
        return None
    warnings = () if len(stamp) == STAMP_DIGITS else (f"the timestamp has {len(stamp)} digits, not {STAMP_DIGITS}",)
    return InboundName(
        dpid=int(match["dpid"]),
        owner=int(match["owner"]) if match["owner"] else None,
        timestamp=stamp,
        mode="sync" if match["mode"] == "sync" else "overwrite",
        split=int(match["split"]) if match["split"] else None,
        packed=match["packed"] or "",
        odc=match["odc"] is not None,
        warnings=warnings,
    )


def day_folder(stamp: int) -> str:
    """Give the folder below an S3 location for a moment in seconds: `date=2026-01-31/`."""
    return f"date={datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}/"
