"""The command line. One module a noun; no rule of the business here.

Invariant: importing it costs no more than typer. Rooms are imported inside the commands that need them.
"""

from symbolon.cli.entry import main

__all__ = ["main"]
