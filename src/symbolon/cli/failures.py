"""Errors as a person or a program reads them: code, what happened, where, and the mend."""

from __future__ import annotations

import errno
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from symbolon.cli.errors import CommandError, FileAccessError
from symbolon.cli.screen import is_terminal, printable
from symbolon.errors import InternalError, Location, SymbolonError

_OURS = Path(__file__).parents[1]


def show(error: SymbolonError, *, as_json: bool) -> None:
    """Show an error on standard error; with `--json` as one object `{"error": {...}}`."""
    if as_json:
        import msgspec  # noqa: PLC0415

        typer.echo(msgspec.json.encode({"error": error.as_dict()}).decode(), err=True)
        return
    text = printable(str(error))
    if not is_terminal(sys.stderr) or os.environ.get("NO_COLOR"):
        typer.echo(text, err=True)
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415

    styled = Text(text)
    styled.highlight_regex(r"^error\[[^\]]*\]", "bold red")
    styled.highlight_regex(r"(?m)^  (-->|help:)", "bold cyan")
    Console(stderr=True, highlight=False).print(styled, soft_wrap=True)


def show_usage(error: typer.TyperException, *, as_json: bool) -> int:
    """Show what is wrong with a command line; give its exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return CommandError.exit_code
    shown = _usage(error)
    show(shown, as_json=as_json)
    return shown.exit_code


def _usage(error: Any) -> CommandError:
    """Say it in our words; arguments that were not expected are not repeated, for they may be anybody's ID."""
    kind, context = type(error).__name__, getattr(error, "ctx", None)
    path = context.command_path if context is not None else "symbolon"
    hint = f"{path} --help"
    message = str(error.format_message()).rstrip(".")
    if kind == "NoSuchOption":
        option = error.option_name
        known = [name for one in context.command.params for name in (*one.opts, *one.secondary_opts)] if context else []
        near = get_close_matches(option, [name for name in known if name.startswith("--")], n=3)
        return CommandError(f"`{path}` has no option `{option}`", hint=_near(near) or hint)
    if message.startswith("No such command") and context is not None:
        got = message.split("'")[1] if "'" in message else "?"
        known = context.command.list_commands(context)
        near = get_close_matches(got, known, n=3)
        listed = f"known: {', '.join(f'`{name}`' for name in known)}"
        return CommandError(f"there is no command `{path} {got}`", hint=_near(near) or listed)
    if "unexpected extra argument" in message:
        return CommandError(f"`{path}` has more arguments than it takes", hint=f"quote names with spaces; {hint}")
    if kind == "MissingParameter" and error.param is not None:
        names = getattr(error.param, "opts", [])
        name = max(names, key=len) if error.param.param_type_name == "option" and names else error.param.metavar
        return CommandError(f"`{path}` needs {name or error.param.name.upper()}", hint=hint)
    if kind == "BadParameter" and error.param is not None:
        name = max(error.param.opts, key=len) if error.param.param_type_name == "option" else error.param.name.upper()
        return CommandError(f"`{path} {name}`: {error.message}", hint=hint)
    return CommandError(message[:1].lower() + message[1:], hint=hint)


def _near(names: list[str]) -> str:
    return "did you mean " + " or ".join(f"`{name}`" for name in names) + "?" if names else ""


def from_system(error: OSError) -> SymbolonError:
    """Give what the operating system refused as an error of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        from symbolon.lake import DiskFull  # noqa: PLC0415 - heavy

        return DiskFull("the disk is full")
    if error.errno is None or error.filename is None:
        return from_unexpected(error)
    reason = os.strerror(error.errno)
    return FileAccessError(
        f"the system refuses it: {reason}",
        where=Location(os.fsdecode(error.filename)),
        hint="check the path, who owns it and its mode",
    )


def from_unexpected(error: BaseException) -> InternalError:
    """Give an exception that nobody foresaw: its type and the last place in our code, never its text."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(_OURS):
            place = f"symbolon/{file.relative_to(_OURS).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return InternalError(
        f"an unexpected {type(error).__name__}" + (f" at {place}" if place else ""),
        hint="this is a bug: please report it with the output of `symbolon doctor --json`; "
        "SYMBOLON_DEBUG=1 shows more, and may show data",
        details={"type": type(error).__name__, "place": place},
    )
