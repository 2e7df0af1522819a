"""One command under way: its project, its screen, and how it was asked to talk.

Invariant: every command takes `--project` and `--quiet`, before its name or after it, and the nearer one wins.
"""

from __future__ import annotations

import inspect
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from symbolon.cli.errors import ConfirmationNeeded, Declined
from symbolon.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.app import Project
    from symbolon.records.progress import Progress

P = ParamSpec("P")

ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project folder; default: SYMBOLON_PROJECT, else here."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bars.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@dataclass(frozen=True, slots=True)
class Given:
    """What was said before the command's name."""

    project: Path | None = None
    quiet: bool = False


class Session:
    """What a command works with.

    Args:
        project: `--project`, if it was given.
        as_json: whether the result is to be one JSON document.
        quiet: whether talk is unwanted.
    """

    def __init__(self, *, project: Path | None, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.screen = Screen(quiet=quiet)
        self._given = project
        self._opened: Project | None = None

    @property
    def path(self) -> Path:
        """The project folder, absolute."""
        from symbolon.settings import find_project  # noqa: PLC0415 - commands without a project do not pay for it

        return find_project(self._given)

    @property
    def project(self) -> Project:
        """The project, opened at first use."""
        if self._opened is None:
            from symbolon.app import Project  # noqa: PLC0415

            self._opened = Project.open(self._given)
        return self._opened

    def progress(self) -> Progress | None:
        """Give progress bars, if somebody is there to see them."""
        from symbolon.cli.progress import progress_for  # noqa: PLC0415

        return progress_for(quiet=self.quiet)

    def next(self, *commands: list[str]) -> None:
        """Tell the next useful commands, as they can be pasted."""
        if self.as_json:
            return
        for place, command in enumerate(commands):
            self.screen.say(f"{'next:' if place == 0 else '     '} {self.typed(command)}")

    def typed(self, command: list[str]) -> str:
        """Give a command as it can be pasted: for the same project."""
        given = ["--project", str(self._given)] if self._given is not None else []
        return shlex.join(["symbolon", *command, *given])

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask once before something is taken away for good.

        Raises:
            ConfirmationNeeded: nobody is there to be asked, and `--yes` was not given.
            Declined: the answer was no.
        """
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfirmationNeeded("this would need a yes, and there is no terminal to ask on; nothing was changed")
        typer.echo(f"{question} [y/N] ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Declined("nothing was changed", hint="")

    def close(self) -> None:
        """Let go of the project."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def command(
    app: typer.Typer, name: str, *, json: bool = True, project: bool = True
) -> Callable[[Callable[Concatenate[Session, P], int | None]], Callable[Concatenate[Session, P], int | None]]:
    """Make a command of a function whose first argument is the session.

    Args:
        app: the noun it belongs to.
        name: what is typed.
        json: whether it has `--json`.
        project: whether it works on a project.
    """

    def register(
        function: Callable[Concatenate[Session, P], int | None],
    ) -> Callable[Concatenate[Session, P], int | None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        options = [_keyword("context", typer.Context)]
        options += [_keyword("as_json", JsonOption, default=False)] if json else []
        options += [_keyword("project", ProjectOption, default=None)] if project else []
        options += [_keyword("quiet", QuietOption, default=False)]

        def run(**values: Any) -> int | None:
            given = values.pop("context").find_object(Given) or Given()
            session = Session(
                project=values.pop("project", None) or given.project,
                as_json=values.pop("as_json", False),
                quiet=values.pop("quiet") or given.quiet,
            )
            try:
                return function(session, **values)  # type: ignore[call-arg]  # typer gives what it declares
            finally:
                session.close()

        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + options
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__name__ = name
        app.command(name, help=_help(function.__doc__ or ""))(run)
        return function

    return register


def _help(docstring: str) -> str:
    """Set off paragraphs of examples, whose lines stay as they are."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join("\b\n" + indent(text, "  ") if text.startswith("$ ") else text for text in paragraphs)


def _keyword(name: str, annotation: Any, **default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, **default)


def noun() -> typer.Typer:
    """Make the group of commands of one noun."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
