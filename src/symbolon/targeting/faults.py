"""What is wrong with a workflow: every fault, each with its place and its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec

from symbolon.errors import ConflictError, DefinitionError, Location

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkflowFault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a definition."""

    #: where in the document: `$.activities[2].where`
    path: str
    message: str
    #: how to mend it
    hint: str = ""
    #: line and column inside the text of a condition or expression, from 1; 0 = the whole value
    line: int = 0
    column: int = 0
    #: line and column in the workflow's file, from 1; 0 = not known
    file_line: int = 0
    file_column: int = 0

    @property
    def place(self) -> str:
        """The path, and where in the text it points to."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class WorkflowInvalid(DefinitionError):
    """A workflow is wrong: each of its faults is told, with its place and its mend."""

    code = "workflow.invalid"

    @classmethod
    def of(cls, faults: Sequence[WorkflowFault], file: str) -> Self:
        """Build the error of all faults, in the order of the document.

        Args:
            faults: at least one.
            file: the file's name as the person gave it, or the workflow's name.
        """
        ordered = sorted(faults, key=lambda one: (one.file_line, one.file_column, one.line, one.column))
        first = ordered[0]
        where = Location(file, first.file_line or None, first.file_column or None)
        details: dict[str, Any] = {"faults": [{**msgspec.to_builtins(one), "place": one.place} for one in ordered]}
        if len(ordered) == 1:
            return cls(f"{first.place}: {first.message}", where=where, hint=first.hint, details=details)
        lines = [f"the workflow has {len(ordered)} faults"]
        for one in ordered:
            place = f"{file}:{one.file_line}:{one.file_column}" if one.file_line else file
            lines.append(f"  --> {place} {one.place}\n      {one.message}")
            if one.hint:
                lines.append(f"      help: {one.hint}")
        return cls("\n".join(lines), hint="`symbolon workflow check FILE` tells all of them again", details=details)


class WorkflowBusy(ConflictError):
    """Another run of the workflow goes on, and its definition says `on_overlap: refuse`."""

    code = "workflow.busy"
    default_hint = "wait for it, stop it with `symbolon run cancel RUN`, or set `on_overlap: queue`"


class RunNotPossible(ConflictError):
    """A run cannot be resumed, paused, stopped or restarted in the state it is in."""

    code = "run.state"
    retryable = False


class RunGone(DefinitionError):
    """What a run had kept was removed, by retention or by hand."""

    code = "run.gone"
    default_hint = "run the workflow again"
