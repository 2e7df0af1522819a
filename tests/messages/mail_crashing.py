"""Sends a delivery in a process that kills itself: `python mail_crashing.py PROJECT SENDER PLACE NUMBER`.

PLACE, at its NUMBER-th time: `decided` (whom it goes to is kept, who is left out is not), `rendering`, `written` (the
message is ready, and not noted), `begun` (it is noted as on its way), `sent` (it went out, that is not noted), `noted`
(it is), `kept` (the log has a batch that the journal has too), `restarted`, `ended` (all is sent, the addresses are not
removed yet).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import sending

import symbolon
from symbolon.lake import LakeTable
from symbolon.messages import dispatching
from symbolon.messages.choosing import LOG
from symbolon.messages.folder import FolderOutlet
from symbolon.messages.journal import Journal
from symbolon.messages.smtp import SmtpOutlet
from symbolon.messages.writing import Writer


def plant(place: str, number: int) -> None:
    """Let the process die when it gets there."""
    left = [number]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str) -> None:
        work = getattr(owner, name)
        setattr(owner, name, lambda *given, **named: (die(), work(*given, **named))[1])

    def after(owner: Any, name: str, wanted: Callable[..., bool] = lambda *_given, **_named: True) -> None:
        work = getattr(owner, name)

        def done(*given: Any, **named: Any) -> Any:
            found = work(*given, **named)
            if wanted(*given, **named):
                die()
            return found

        setattr(owner, name, done)

    outlet = SmtpOutlet if sys.argv[2] == "mail" else FolderOutlet
    {
        "decided": lambda: after(LakeTable, "commit", lambda table, *_g, **_n: table.name.endswith("/ready")),
        "rendering": lambda: before(Writer, "write"),
        "written": lambda: after(outlet, "ready"),
        "begun": lambda: after(Journal, "begin"),
        "sent": lambda: after(outlet, "send"),
        "noted": lambda: after(Journal, "end"),
        "kept": lambda: after(LakeTable, "commit", lambda _t, _f, schema, **n: schema == LOG and n["mode"] == "append"),
        "restarted": lambda: after(Journal, "restart"),
        "ended": lambda: before(LakeTable, "delete"),
    }[place]()


if __name__ == "__main__":
    folder, sender, place, count = sys.argv[1:]
    dispatching.BATCH = 2
    with symbolon.open(folder) as project:
        plant(place, int(count))
        sending.send(project, sending.request(sender="" if sender == "sandbox" else sender))
