"""A process that sends is killed by SIGKILL anywhere; another one goes on: no message twice, and none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mail_shop import MAILED, UNMAILED
from sending import files, request, send

import symbolon
from smtpserver import mail
from symbolon.messages import dispatching

__all__ = ["mail"]

#: where nobody can know whether a server has the message
UNSURE = {"begun", "sent"}
#: place -> at which of its times
TIMES = {
    "decided": (1,), "rendering": (3, 6, 9), "written": (1, 2, 4), "begun": (1, 3, 4), "sent": (1, 3, 4),
    "noted": (1, 2, 4), "kept": (1, 2), "restarted": (1, 2, 3), "ended": (1,),
}  # fmt: skip


def places(*quick: tuple[str, int]) -> list[object]:
    """Give all places; all but a few are tried by the slow suite."""
    every = [(place, number) for place, numbers in TIMES.items() for number in numbers]
    return [pytest.param(*one, marks=[] if one in quick else [pytest.mark.slow]) for one in every]


def killed(folder: Path, sender: str, place: str, number: int) -> None:
    script = Path(__file__).with_name("mail_crashing.py")
    command = [sys.executable, str(script), str(folder), sender, place, str(number)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "BATCH", 2)


@pytest.mark.parametrize(("place", "number"), places(("decided", 1), ("sent", 3)))
def test_a_folder_gets_each_message_once(folder: Path, place: str, number: int) -> None:
    killed(folder, "sandbox", place, number)
    with symbolon.open(folder) as project:
        # somebody has taken away what was there: that does not make it be written again
        taken = {path.name for path in files(project)}
        for path in files(project):
            path.unlink()
        found = send(project, request())
        assert found["to"] == sorted(MAILED)
        assert found["reasons"] == UNMAILED
        names = {path.name for path in files(project)}
        assert not names & taken
        assert len(names | taken) == len(MAILED)
        hidden = [path for path in (folder / "outbox").rglob(".*") if path.is_file()]
        assert hidden == []
        assert project.lake.table("runs/r/step/acting/log").rows() == len(MAILED) + len(UNMAILED)


@pytest.mark.parametrize(("place", "number"), places(("begun", 3), ("kept", 1)))
def test_a_server_gets_no_message_twice(folder: Path, mail, place: str, number: int) -> None:
    with symbolon.open(folder) as project:
        project.senders.add("mail", {"kind": "smtp", "host": "localhost", "port": mail.port, "security": "none"})
    killed(folder, "mail", place, number)
    with symbolon.open(folder) as project:
        receipt = send(project, request(sender="mail"))["receipt"]
    assert len(set(mail.mail.addresses)) == len(mail.mail.addresses)
    assert receipt.uncertain == (1 if place in UNSURE else 0)
    assert receipt.sent == len(MAILED) - receipt.uncertain
    # what is uncertain may have arrived or not; everything else did
    assert len(mail.mail.addresses) == len(MAILED) - (1 if place == "begun" else 0)
