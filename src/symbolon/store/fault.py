"""What is wrong with a store that still answers."""

from __future__ import annotations

from typing import NamedTuple


class StoreFault(NamedTuple):
    """One thing that would make later calls fail."""

    summary: str
    #: how to mend it
    hint: str
