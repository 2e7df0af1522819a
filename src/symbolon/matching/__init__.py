"""Reconciling IDs with profiles: the definitions, the counts, and why one ID did or did not match."""

from symbolon.matching.counting import Tally, change_counts, changes, members, read_tally, tally
from symbolon.matching.reconcile import (
    Status,
    ambiguous_positions,
    applied,
    duplicates,
    reconciled,
    repeated,
    unresolved,
    without,
    words_of,
)

__all__ = [
    "Status",
    "Tally",
    "ambiguous_positions",
    "applied",
    "change_counts",
    "changes",
    "duplicates",
    "members",
    "read_tally",
    "reconciled",
    "repeated",
    "tally",
    "unresolved",
    "without",
    "words_of",
]
