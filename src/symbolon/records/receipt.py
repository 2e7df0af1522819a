"""A receipt: what became of every line of an import.

Invariants (tested by `Receipt.faults`): lines = other_segments + received; received = accepted + rejected;
accepted = matched + unmatched + removals. These count lines and IDs; `members` counts profiles (addresses in a File
audience).
"""

from __future__ import annotations

import msgspec

#: why a line or an ID was not accepted; the position is the code in columnar data, 0 is "accepted"
REJECT_REASONS = (
    "",
    "malformed_line",
    "line_too_long",
    "malformed_id",
    "bad_encoding",
    "decrypt_failed",
    "invalid_address",
    "duplicate_id",
)
#: why an accepted ID has no profile
UNMATCHED_REASONS = ("unknown_id", "ambiguous_id")


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one import, in the names that `audience import --json` prints."""

    audience: str
    version: int = 0
    source: str = ""
    segment: str = ""
    files: list[str] = []
    #: `full` or `iter`
    mode: str = "full"
    #: non-blank lines
    lines: int = 0
    #: readable lines that do not name the wanted segment
    other_segments: int = 0
    received: int = 0
    accepted: int = 0
    matched: int = 0
    unmatched: int = 0
    unmatched_reasons: dict[str, int] = {}
    #: IDs that an incremental file takes out
    removals: int = 0
    #: matched, but policy says no
    withheld: int = 0
    #: IDs that several profiles share
    ambiguous: int = 0
    #: distinct profiles (addresses in a File audience)
    members: int = 0
    #: members against the previous version
    added: int = 0
    removed: int = 0
    rejected: dict[str, int] = {}
    warnings: list[str] = []
    #: the same content was imported before: nothing was done
    unchanged: bool = False
    seconds: float = 0.0

    @property
    def rejected_total(self) -> int:
        """All rejected records."""
        return sum(self.rejected.values())

    def faults(self) -> list[str]:
        """Name every identity of the receipt that does not hold; empty = it balances."""
        identities = {
            "lines = other_segments + received": self.lines == self.other_segments + self.received,
            "received = accepted + rejected": self.received == self.accepted + self.rejected_total,
            "accepted = matched + unmatched + removals": self.accepted == self.matched + self.unmatched + self.removals,
            "unmatched = sum of its reasons": self.unmatched == sum(self.unmatched_reasons.values()),
        }
        return [name for name, holds in identities.items() if not holds]
