"""The door: runs a command, turns whatever it raises into one message and one exit code.

Invariant: only what Symbolon raised on purpose is shown in words. The text of an unexpected exception may hold data, so
its type and a place in our code are all that is told.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import typer

from symbolon.cli import failures
from symbolon.errors import SymbolonError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: what a shell expects of a command that Ctrl-C ended
INTERRUPTED = 130
#: how often Python looks for garbage by itself
USUAL = gc.get_threshold()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `symbolon` and exit with its code."""
    # what imports leave behind stays anyhow, and rows are no Python objects: looking for garbage while they load takes
    # a sixth of the start-up
    gc.set_threshold(1_000_000, 30, 30)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know fewer characters than a name has
    code = run(sys.argv[1:] if arguments is None else list(arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us has enough, as in `symbolon audience members NAME | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if arguments is None:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """End the process without freeing its objects one by one, which takes up to a second.

    Threads that are still at work are waited for, and whatever asked to be told of the end is told.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as the interpreter does at its end
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; give its exit code."""
    from symbolon.cli.tree import root  # noqa: PLC0415 - after the cheap imports above

    debug = os.environ.get("SYMBOLON_DEBUG", "") not in ("", "0")
    as_json = "--json" in arguments
    with warnings.catch_warnings():
        if not debug and not sys.warnoptions:
            warnings.simplefilter("ignore")  # of libraries, about themselves
        try:
            code = root().main(args=list(arguments), prog_name="symbolon", standalone_mode=False)
        except SymbolonError as error:
            failures.show(error, as_json=as_json)
            return _traced(error.exit_code, debug=debug)
        except typer.TyperException as error:
            return failures.show_usage(error, as_json=as_json)
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except OSError as error:
            shown = failures.from_system(error)
            failures.show(shown, as_json=as_json)
            return _traced(shown.exit_code, debug=debug)
        except Exception as error:  # noqa: BLE001 - the one handler of everything unexpected
            shown = failures.from_unexpected(error)
            failures.show(shown, as_json=as_json)
            return _traced(shown.exit_code, debug=debug)
    if code == INTERRUPTED:
        typer.echo("interrupted; what was there before still stands", err=True)
    return code if isinstance(code, int) else 0


def _traced(code: int, *, debug: bool) -> int:
    if debug:
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    return code
