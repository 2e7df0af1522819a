"""What can go wrong, as values: a code, where it happened, and how to mend it.

Invariant: the text of an error never holds an identifier, an address or key material. Whoever raises one masks first.

Two axes are kept apart: whose fault it is (the family, which decides the exit code) and whether trying again can help
(`retryable`). A family is abstract; a room adds its own leaf classes, each with a stable `code` that has a page in the
documentation (`docs/errors/<code>.md`; a test compares the two).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: `file:line:column`, as far as it is known (lines and columns count from 1)."""

    #: the file's name as the person gave it
    file: str
    #: line number, from 1
    line: int | None = None
    #: column number in characters, from 1
    column: int | None = None

    def __str__(self) -> str:
        """Render as editors and compilers do."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class SymbolonError(Exception):
    """The root of everything Symbolon raises on purpose.

    Args:
        summary: what happened, in one sentence, values first and limits second; no identifiers.
        where: the place, if there is one.
        hint: how to mend it; often a command. Defaults to the class's own `default_hint`.
        details: further facts for `--json` and the log; no identifiers.
    """

    #: stable name of the fault, also the name of its page in the documentation
    code: ClassVar[str] = "symbolon"
    #: what a command exits with
    exit_code: ClassVar[int] = 70
    #: what the HTTP interface answers with
    http_status: ClassVar[int] = 500
    #: whether the same call may succeed later without a change
    retryable: ClassVar[bool] = False
    #: the mend, where it is the same for every case
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        summary: str,
        *,
        where: Location | None = None,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.where = where
        self.hint = self.default_hint if hint is None else hint
        self.details = dict(details or {})

    def __str__(self) -> str:
        """Give code, summary, place and mend on lines of their own, as the command line shows them."""
        lines = [f"error[{self.code}]: {self.summary}"]
        if self.where is not None:
            lines.append(f"  --> {self.where}")
        if self.hint:
            lines.append(f"  help: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments: errors cross process borders."""
        return _rebuild, (type(self), self.summary, self.where, self.hint, self.details)

    def as_dict(self) -> dict[str, Any]:
        """Give the error as `--json` prints it."""
        return {
            "code": self.code,
            "summary": self.summary,
            "where": str(self.where) if self.where else None,
            "hint": self.hint or None,
            "details": self.details,
            "retryable": self.retryable,
        }


def _rebuild(
    cls: type[SymbolonError], summary: str, where: Location | None, hint: str, details: dict[str, Any]
) -> SymbolonError:
    error = cls.__new__(cls)
    SymbolonError.__init__(error, summary, where=where, hint=hint, details=details)
    return error


class InputError(SymbolonError):
    """The data that came in cannot be used: a name, a file, a format."""

    code = "input"
    exit_code = 2
    http_status = 400


class DefinitionError(SymbolonError):
    """What a person defined or asked for is wrong: a data source, an option, a combination."""

    code = "definition"
    exit_code = 2
    http_status = 422


class UnknownNameError(DefinitionError):
    """A name that nothing has; the nearest known names are part of the message."""

    code = "name.unknown"
    http_status = 404

    @classmethod
    def among(cls, noun: str, got: str, known: Iterable[str], *, hint: str | None = None) -> Self:
        """Build the error with the nearest known names in it, so that nobody can raise it without them.

        Args:
            noun: what is named: `data source`, `audience`, `column`.
            got: the name asked for.
            known: the names that exist.
            hint: the mend where nothing comes near; by default the known names are listed.
        """
        names = sorted(known)
        near = get_close_matches(got, names, n=3, cutoff=0.6)
        if near:
            mend = "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
        elif hint is not None:
            mend = hint
        elif names:
            mend = f"known: {', '.join(f'`{name}`' for name in names[:12])}" + (" ..." if len(names) > 12 else "")
        else:
            mend = f"there is no {noun} yet"
        return cls(f"there is no {noun} `{got}`", hint=mend, details={"got": got, "near": near})


class ConflictError(SymbolonError):
    """Somebody else holds or has changed what this call wants to change."""

    code = "conflict"
    exit_code = 2
    http_status = 409
    retryable = True


class PolicyDenied(SymbolonError):
    """Policy does not allow it: terms that nobody accepted, a label, a consent."""

    code = "policy"
    exit_code = 3
    http_status = 403


class SecretError(SymbolonError):
    """A key is missing, wrong or cannot be unwrapped. Never says which bytes."""

    code = "secret"
    exit_code = 4
    http_status = 422


class TransportError(SymbolonError):
    """Bytes could not be fetched or delivered."""

    code = "transport"
    exit_code = 5
    http_status = 502
    #: of a file that was to be put: whether it may be there all the same. Transports say so where they are sure
    may_have_arrived: bool = True


class EngineError(SymbolonError):
    """The engine, the lake, the store or the disk below them failed."""

    code = "engine"
    exit_code = 6
    http_status = 500


class InternalError(SymbolonError):
    """A broken invariant of ours."""

    code = "internal"
    exit_code = 70
    http_status = 500
    default_hint = "this is a bug: please report it with the run's id; `symbolon doctor --json` tells the versions"
