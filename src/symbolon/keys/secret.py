"""A secret of several named parts, on its way between a person and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Secret(dict[str, str]):
    """The parts of a secret by name (`password`, `private_key`), which no log, trace or test report shows."""

    def __repr__(self) -> str:
        return f"Secret({', '.join(self)})"

    def __rich_repr__(self) -> Iterator[str]:
        """Show Rich, whose tracebacks print local variables, the names only."""
        yield from self
