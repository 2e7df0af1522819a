"""Turns what was typed into values, without the validation library that typer would load for it.

typer 0.29 hands every value to pydantic, whose import costs more than the whole of `symbolon --help`. The command line
has texts, numbers, paths and choices only, and those take a few lines. A value is never repeated in a message: it may
be an ID in the wrong place.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin

import typer


class PlainValues:
    """Converts the values of one parameter; stands in for what typer would build when it first needs it."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Give the value that the command declares; None stays None."""
        if value is None:
            return () if param.nargs == -1 or param.multiple else None
        if get_origin(self._annotation) is list:
            return [_convert(one, get_args(self._annotation)[0], param, ctx) for one in value]
        return _convert(value, self._annotation, param, ctx)


def use_plain_values(command: Any) -> Any:
    """Let a command, and those below it, convert their values here; give it back."""
    # the option `--help` is made late; asked for, it is made now
    help_option = command.get_help_option(SimpleNamespace(help_option_names=["--help"]))
    for parameter in [*command.params, help_option]:
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None:
            parameter._runtime_param = PlainValues(descriptor.annotation)  # noqa: SLF001 - there is no public way
    for below in getattr(command, "commands", {}).values():
        use_plain_values(below)
    return command


def _convert(value: Any, annotation: Any, param: Any, ctx: Any) -> Any:
    if get_origin(annotation) is Literal:
        return _choice(value, [str(one) for one in get_args(annotation)], param, ctx)
    if annotation in (int, float):
        return _number(value, annotation, param, ctx)
    return Path(value) if annotation is Path else value


def _choice(value: Any, known: list[str], param: Any, ctx: Any) -> str:
    if value in known:
        return str(value)
    near = get_close_matches(str(value), known, n=1)
    mean = f"; did you mean `{near[0]}`?" if near else ""
    raise typer.BadParameter(f"it is one of {', '.join(known)}{mean}", ctx=ctx, param=param)


def _number(value: Any, kind: Any, param: Any, ctx: Any) -> int | float:
    try:
        number: int | float = kind(value)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise typer.BadParameter(f"it is {what}", ctx=ctx, param=param) from None
    if param.min is not None and not number >= param.min:
        raise typer.BadParameter(f"it is at least {param.min}", ctx=ctx, param=param)
    return number
