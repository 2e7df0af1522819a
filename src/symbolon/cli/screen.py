"""What a person sees: results on standard output, talk on standard error.

Invariant: colours, frames and bars appear on a terminal only; without one the same facts are plain, aligned text.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text with a style that only a terminal shows."""

    text: str = ""
    #: a style of rich: `bold`, `dim`, `yellow`
    style: str = ""


def is_terminal(stream: IO[Any]) -> bool:
    """Tell whether a person reads this stream, with an emulator that knows colours and the cursor."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


class Screen:
    """The two streams of one command.

    Args:
        quiet: no talk; errors and results only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    @property
    def is_terminal(self) -> bool:
        """Whether results go to a person."""
        return is_terminal(sys.stdout)

    def say(self, text: str) -> None:
        """Tell something beside the result."""
        if not self.quiet:
            typer.echo(printable(text), err=True)

    def lines(self, lines: Iterable[Line]) -> None:
        """Show styled lines as a result."""
        if not self.is_terminal:
            for line in lines:
                typer.echo(printable(line.text))
            return
        from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

        console = self._console()
        for line in lines:
            console.print(Text(printable(line.text), style=line.style), soft_wrap=True)

    def text(self, text: str) -> None:
        """Show plain text as a result."""
        self.lines(Line(line) for line in text.splitlines())

    def facts(self, facts: Sequence[tuple[str, object]]) -> None:
        """Show named values, aligned; what is None or empty is left out."""
        shown = [(name, cell(value)) for name, value in facts if value not in (None, "", [], {})]
        width = max((len(name) for name, _ in shown), default=0)
        self.lines(Line(f"{name:<{width}}  {value}") for name, value in shown)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; columns of numbers are aligned to the right."""
        numeric = [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(headers))]
        cells = [[cell(value) for value in row] for row in rows]
        if self.is_terminal:
            self._framed(headers, cells, numeric)
            return
        widths = [max(len(line[place]) for line in [list(headers), *cells]) for place in range(len(headers))]
        for line in [list(headers), *cells]:
            columns = zip(line, widths, numeric, strict=True)
            typer.echo("  ".join(f"{text:>{w}}" if right else f"{text:<{w}}" for text, w, right in columns).rstrip())

    def json(self, value: object) -> None:
        """Show one JSON document: on one line for programs, indented for a person."""
        import msgspec  # noqa: PLC0415

        data = msgspec.json.encode(value)
        if self.is_terminal:
            data = msgspec.json.format(data, indent=2)
        self.bytes(data + b"\n")

    def bytes(self, data: bytes) -> None:
        """Write bytes of a result."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _framed(self, headers: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool]) -> None:
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name, right in zip(headers, numeric, strict=True):
            table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
        for row in cells:
            table.add_row(*[Text(text) for text in row])
        self._console().print(table)

    def _console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415

        return Console(highlight=False, markup=False, emoji=False)


def printable(text: str) -> str:
    """Give text without the control characters by which data could steer a terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in text)


def cell(value: object) -> str:
    """Give one value as a cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if hasattr(value, "strftime"):
        if hasattr(value, "hour"):
            return str(value.strftime("%Y-%m-%d %H:%M:%S"))
        return str(value.strftime("%Y-%m-%d"))
    return printable(str(value)).replace("\n", " ").replace("\t", " ")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
