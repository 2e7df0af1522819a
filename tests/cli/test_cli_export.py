"""`symbolon audience export`: what it says, what it asks, what it exits with."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from symbolon.cli import words
from symbolon.policy.exports import ALWAYS, OF_TELEPHONES, SHARED_ID
from symbolon.sharing.identifying import INVALID_ID, NO_ID

COMMAND = str(Path(sys.executable).with_name("symbolon"))
SHARE = ("--source", "partner", "--segment", "24", "--to", "./out", "--mode", "sync")


@pytest.fixture
def partner(shop, cli, tmp_path):
    (tmp_path / "people.csv").write_text(
        "external_id,email,do_not_share\nX1,x1@example.com,\nX2,x2@example.com,\nX3,x3@example.com,\nX4,x4@example.com,\n"
        "X5,,\nX6,x6@example.com,true\n"
    )
    assert cli("profiles", "import", tmp_path / "people.csv").code == 0
    assert cli("source", "add", "partner", "--kind", "declared", "--key", "email", "--protection", "sha256",
               "--dpid", "33").code == 0  # fmt: skip
    assert cli("source", "add", "number", "--kind", "declared", "--key", "external_id").code == 0
    vip(cli, tmp_path, "X1", "X2", "X3", "X4", "X5", "X6")
    return shop


def vip(cli, tmp_path, *numbers):
    (tmp_path / "vip.csv").write_text("\n".join(["external_id", *numbers]))
    done = cli("audience", "import", tmp_path / "vip.csv", "--source", "number", "--column", "external_id",
               "--name", "vip", "--force")  # fmt: skip
    assert done.code == 0


def test_a_plan_then_the_share_then_nothing(partner, cli):
    plan = cli("audience", "export", "vip", *SHARE, "--plan")
    assert plan.code == 0
    assert plan.out.startswith("PLAN: nothing was sent.")
    assert "cannot tell who leaves" in plan.out
    assert not Path("out").exists()
    done = json.loads(cli("audience", "export", "vip", *SHARE, "--json").out)
    assert (done["population"], done["shared"], done["added"], done["removed"]) == (5, 4, 4, None)
    assert (done["without_id"], done["plan"], len(done["files"])) == ({"no_id": 1}, False, 1)
    again = cli("audience", "export", "vip", *SHARE)
    assert "vip: nothing to send, version 1 stands" in again.out
    assert "0 IDs added, 0 removed, 4 there already" in again.out
    assert again.err.startswith("next: symbolon audience")
    assert not any("@" in text for text in (plan.out, again.out, again.err))


def test_a_shrink_is_refused_without_a_terminal_and_done_with_yes(partner, cli, tmp_path):
    assert cli("audience", "export", "vip", *SHARE).code == 0
    vip(cli, tmp_path, "X1")
    refused = cli("audience", "export", "vip", *SHARE)
    assert (refused.code, "error[policy.shrink]: 3 of 4 IDs would leave" in refused.err) == (3, True)
    assert cli("audience", "export", "vip", *SHARE, "--max-shrink", "80%", "--plan").code == 0
    done = json.loads(cli("audience", "export", "vip", *SHARE, "--yes", "--json").out)
    assert (done["removed"], done["kept"]) == (3, 1)


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 2)])
def test_on_a_terminal_it_asks(partner, cli, tmp_path, answer, code):
    assert cli("audience", "export", "vip", *SHARE).code == 0
    vip(cli, tmp_path, "X1")
    process, terminal = pty.fork()
    if process == 0:
        os.execv(COMMAND, [COMMAND, "audience", "export", "vip", *SHARE])  # noqa: S606
    shown, sent, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if not sent and b"[y/N]" in shown:
            os.write(terminal, answer)
            sent = True
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == code
    assert b"3 of 4 IDs would leave `vip`, more than the 50% that may. Share it all the same?" in shown
    assert len(list(Path("out").iterdir())) == (2 if code == 0 else 1)


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        (("--segment", "vip"), 2, "error[export.option]"),
        (("--max-shrink", "lots"), 2, "--max-shrink 50%, or 0.5"),
        (("--max-shrink", "1"), 2, "--max-shrink 1%, or 100% for all"),
        (("--max-shrink", "80"), 2, "--max-shrink 80%, or 0.8"),
        (("--max-shrink", "101%"), 2, "--max-shrink 50%, or 0.5"),
        (("--to", "nowhere"), 2, "there is no transport `nowhere`"),
        (("--source", "partnr"), 2, "did you mean `partner`?"),
        (("--mode", "merge"), 2, "it is one of add, sync, replace"),
    ],
)
def test_what_is_refused(partner, cli, changed, code, text):
    given = dict(zip(SHARE[::2], SHARE[1::2], strict=True)) | {changed[0]: changed[1]}
    refused = cli("audience", "export", "vip", *[part for pair in given.items() for part in pair])
    assert (refused.code, text in refused.err) == (code, True), refused.err


def test_terms_stop_it(partner, cli):
    assert cli("source", "edit", "partner", "--terms", "only for mail").code == 0
    refused = cli("audience", "export", "vip", *SHARE)
    assert (refused.code, "error[policy.terms]" in refused.err) == (3, True)


def test_every_reason_has_words():
    assert set(words.WITHHELD) == {*ALWAYS, OF_TELEPHONES, SHARED_ID}
    assert set(words.WITHOUT_ID) == {NO_ID, INVALID_ID}


def test_a_delivery_that_cannot_end_is_given_up(partner, cli, monkeypatch):
    from symbolon.transports import TransportUnreachable
    from symbolon.transports.local import LocalTransport

    assert cli("share", "list").code == 0
    nothing = cli("share", "discard", "vip", "--yes")
    assert (nothing.code, "error[name.unknown]" in nothing.err) == (2, True)

    def gone(transport, source, name, **_options):
        Path("out").mkdir(exist_ok=True)
        (Path("out") / name).write_bytes(b"half")
        raise TransportUnreachable("nobody answers")

    with monkeypatch.context() as patch:
        patch.setattr(LocalTransport, "put", gone)
        assert cli("audience", "export", "vip", *SHARE).code == 5
        waiting = cli("audience", "export", "vip", *SHARE)
        assert (waiting.code, "symbolon share discard vip" in waiting.err) == (5, True)
    assert json.loads(cli("share", "list", "--json").out)[0]["pending"]["added"] == 4
    asked = cli("share", "discard", "vip")
    assert (asked.code, "may have arrived, wholly or in part" in asked.err) == (2, True)
    assert "error[command.confirm]" in asked.err
    done = json.loads(cli("share", "discard", "vip", "--yes", "--json").out)
    assert (done["ids"], done["unsure"], done["pending"]) == (4, 4, None)
    shared = cli("audience", "export", "vip", *SHARE)
    assert (shared.code, "4 IDs added, 0 removed" in shared.out) == (0, True)
    assert "whoever is not is taken away" in shared.out
    again = cli("share", "discard", "vip", "--yes")
    assert (again.code, "error[export.nothing_pending]" in again.err) == (2, True)
    assert "@" not in asked.err + shared.out
