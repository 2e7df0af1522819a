"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Give a number with its noun: `1 member`, `1,204 members`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
