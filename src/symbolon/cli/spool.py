"""Standard input as a file: kept privately in the project while a command reads it, and removed afterwards."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symbolon.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from symbolon.app import Project

STANDARD_INPUT = "-"


@contextmanager
def spooled(project: Project, paths: Sequence[Path], *, name: str) -> Iterator[list[Path]]:
    """Give `paths` with `-` replaced by a file that holds standard input.

    The file lives in a staging folder of the lake: mode 0600, and found as debris if this process is killed.

    Args:
        project: where it is kept.
        paths: as typed.
        name: the file's name, which tells its kind.

    Raises:
        CommandError: `-` among other files, or standard input is a terminal.
    """
    if STANDARD_INPUT not in [str(path) for path in paths]:
        yield list(paths)
        return
    if len(paths) > 1:
        raise CommandError("standard input is read alone", hint="give either `-` or files")
    if sys.stdin.isatty():
        raise CommandError("`-` reads standard input, and that is this terminal", hint="pipe a file into the command")
    with project.lake.attempt("stdin") as folder:
        path = folder / name
        path.touch(mode=0o600)
        with path.open("wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target, 1 << 20)
        yield [path]


def shown_name(path: Path) -> str | None:
    """Give the name that messages and receipts call standard input by; None for a file, which has one."""
    return "standard input" if str(path) == STANDARD_INPUT else None
