"""Reconciling IDs with profiles: the definitions, the counts, and why one ID did or did not match."""

from symbolon.matching.counting import Tally, change_counts, changes, members, read_tally, tally
from symbolon.matching.explain import Explanation, Step, explain
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
    "Explanation",
    "Status",
    "Step",
    "Tally",
    "ambiguous_positions",
    "applied",
    "change_counts",
    "changes",
    "duplicates",
    "explain",
    "members",
    "read_tally",
    "reconciled",
    "repeated",
    "tally",
    "unresolved",
    "without",
    "words_of",
]
