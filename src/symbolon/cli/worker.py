"""`symbolon worker`: does what is due until told to stop."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.entry import USUAL
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.technical import Worker

app = noun()


@command(app, "worker", json=False)
def worker(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end; feeds look twice.")] = False,
) -> None:
    """Import files as they arrive, share audiences when they change, run workflows by their schedule.

    $ symbolon worker
    $ symbolon worker --once

    Ends with SIGTERM or Ctrl-C, after what goes on. Several may run; what one leaves behind when it dies, another one
    goes on with.
    """
    work(session, session.project.worker(), once=once)


def work(session: Session, worker: Worker, *, once: bool) -> None:
    """Let a worker work until a signal comes, or only once."""
    if once:
        worker.once()
        return
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: worker.stop())
    # who stays up looks for garbage as often as Python does by itself: tables in memory go with the last that uses them
    gc.set_threshold(*USUAL)
    session.screen.say("the worker works; Ctrl-C ends it")
    worker.serve()
    session.screen.say("the worker has ended")
