"""Show enough of a value to recognise it, and no more."""

from __future__ import annotations

_SHOWN = 4
_SHORTEST = 16


def mask(value: str) -> str:
    """Give the first and last four characters of a long value; a short one is hidden altogether."""
    if len(value) < _SHORTEST:
        return "…"
    return f"{value[:_SHOWN]}…{value[-_SHOWN:]}"
