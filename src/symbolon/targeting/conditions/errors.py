"""What can be wrong with a condition: every fault of its text, each with its place and its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from symbolon.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 20


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong, where, and how to mend it."""

    message: str
    #: line in the text, from 1
    line: int
    #: column in characters, from 1
    column: int
    #: how to mend it
    hint: str = ""
    #: where in a tree of rules it is: `$.rules[1].value`; empty for a text
    path: str = ""

    @property
    def place(self) -> str:
        """Give the place as editors and compilers do: `1:17`, with the path before it in a tree of rules."""
        inside = f"{self.line}:{self.column}"
        return f"{self.path}:{inside}" if self.path else inside


class ConditionError(DefinitionError):
    """A condition, or an expression, cannot be used: `faults` has everything that is wrong with it."""

    code = "condition"

    @property
    def faults(self) -> list[Fault]:
        """Give all faults, in the order of the text."""
        return msgspec.convert(self.details.get("faults", []), list[Fault])

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> ConditionError:
        """Build the error of one or more faults; the first is the summary, the help is its mend."""
        ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.path, fault.line, fault.column))
        first, *others = ordered
        lines = [f"{first.place}: {first.message}"]
        lines += [f"{one.place}: {one.message}" + (f" ({one.hint})" if one.hint else "") for one in others[: _MOST - 1]]
        if len(ordered) > _MOST:
            lines.append(f"and {len(ordered) - _MOST} more")
        return cls("\n  ".join(lines), hint=first.hint, details={"faults": msgspec.to_builtins(ordered)})
