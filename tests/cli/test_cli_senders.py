"""`symbolon sender` and `run confirm`: defined, tried, confirmed; and no address in anything that is told."""

from __future__ import annotations

import json
import re

import pytest

import symbolon
from smtpserver import PASSWORD, USER, Mail, certificate, guarded, serve

__all__ = ["certificate", "guarded"]
WORKFLOW = """\
name: canaries
activities:
  - {id: all, type: query, where: "external_id IS NOT NULL"}
  - {id: letter, type: email_delivery, from: all, from_address: news@example.com, subject: "Hi {{ first_name }}",
     text: "Dear {{ first_name }}, {{ email }}"}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    with symbolon.init(tmp_path / "shop") as opened:
        rows = ["external_id,email,mobile_phone,first_name,opt_out_email"]
        rows += [f"K{n},canary{n}@canary.example,+3361234567{n},Canary{n},{'true' if n == 3 else ''}" for n in range(6)]
        rows += ["K6,canary broken,,Canary6,", "K7,canary1@canary.example,,Canary7,", "K8,,,Canary8,"]
        (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
        opened.profiles.import_file(tmp_path / "people.csv")
    (tmp_path / "shop" / "w.yaml").write_text(WORKFLOW)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def test_a_sender_is_defined_tried_and_deleted(cli, project, guarded, certificate, tmp_path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    assert "sandbox" in cli("sender", "list").err
    added = cli(
        "sender", "add", "mail", "--host", "localhost", "--port", guarded.port, "--user", USER, "--password-file",
        tmp_path / "password", "--ca-file", certificate[0], "--from-address", "news@example.com",
    )  # fmt: skip
    assert (added.code, added.out) == (0, "sender mail is added: smtp, version 1\n")
    assert "symbolon sender test mail" in added.err
    tried = cli("sender", "test", "mail", "--to", "me@example.com")
    assert tried.code == 0, tried.out + tried.err
    assert [line.split()[:2] for line in tried.out.splitlines()] == [
        ["PASS", "connect"], ["PASS", "login"], ["PASS", "noop"], ["PASS", "send"],
    ]  # fmt: skip
    assert guarded.mail.addresses == ["me@example.com"]
    shown = cli("sender", "show", "mail")
    assert "wrapped" in shown.out
    assert json.loads(cli("sender", "show", "mail", "--json").out)["has_password"] is True
    assert [one["name"] for one in json.loads(cli("sender", "list", "--json").out)] == ["mail"]
    assert f"localhost:{guarded.port}" in cli("sender", "list").out
    assert cli("sender", "edit", "mail").code == 2
    assert cli("sender", "edit", "mail", "--from-name", "News").code == 0
    assert cli("sender", "edit", "mail", "--host", "other.example").code == 2
    (tmp_path / "password").write_text("canary\n")
    assert cli("sender", "edit", "mail", "--password-file", tmp_path / "password").code == 0
    failed = cli("sender", "test", "mail", "--json")
    assert failed.code == 5
    answer = json.loads(failed.out)
    assert (answer["passed"], answer["probes"][-1]["step"]) == (False, "login")
    assert answer["probes"][-1]["mend"]
    assert cli("sender", "delete", "mail").code == 2  # nobody to ask
    assert cli("sender", "delete", "mail", "--yes").code == 0
    assert cli("sender", "show", "mail").code == 2
    assert cli("sender", "add", "gateway", "--kind", "folder").code == 0
    assert cli("sender", "test", "gateway", "--to", "+33612345678", "--sms").code == 0
    refused = cli("sender", "add", "x", "--host", "far.example", "--security", "none")
    assert refused.code == 2
    assert "allow_plain" in refused.err
    assert not [path for path in project.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


def test_a_run_is_confirmed_on_the_command_line(cli, project) -> None:
    begun = cli("workflow", "run", "w.yaml")
    assert begun.code == 0
    assert "ready to be sent" in begun.out
    assert "until somebody confirms" in begun.out
    run = re.search(r"symbolon run confirm (\S+)", begun.err)[1]
    assert f"symbolon run cancel {run}" in begun.err
    listed = json.loads(cli("run", "show", run, "--json").out)
    assert (listed["state"], listed["awaits"], listed["at"]) == ("paused", "confirmation", "letter")
    assert "symbolon run confirm" in cli("run", "show", run).err
    confirmed = cli("run", "confirm", run)
    assert confirmed.code == 0
    assert "5 messages sent by sandbox (email)" in confirmed.out
    receipt = json.loads(cli("run", "show", run, "--json").out)["steps"][1]["facts"]["receipt"]
    assert receipt["population"] == receipt["sent"] + sum(receipt["withheld"].values())
    again = cli("run", "confirm", run)
    assert again.code == 2
    assert "run.state" in again.err


@pytest.mark.parametrize("answer", ["550 no canary1@canary.example", "421 canary1@canary.example", "451 x"])
def test_no_address_in_anything_that_is_told_or_kept(cli, project, answer: str, caplog, monkeypatch) -> None:
    from symbolon.messages import senders
    from symbolon.transports import Retrying

    monkeypatch.setattr(senders.Senders.__init__, "__kwdefaults__", {"retrying": Retrying(attempts=2, first_s=0.01)})
    server = serve(Mail())
    try:
        outputs = [
            cli("sender", "add", "mail", "--host", "localhost", "--port", server.port, "--security", "none"),
        ]
        server.mail.answers["canary1@canary.example"] = [answer] * 3
        (project / "w.yaml").write_text(WORKFLOW.replace("subject:", "sender: mail, subject:"))
        outputs += [cli("workflow", *words) for words in (["check", "w.yaml"], ["plan", "w.yaml", "--explain"],
                    ["plan", "w.yaml", "--json"], ["run", "w.yaml"])]  # fmt: skip
        run = json.loads(cli("run", "list", "--json").out)[0]["id"]
        outputs += [cli("run", *words) for words in (["confirm", run], ["show", run], ["show", run, "--json"],
                    ["list", "--json"], ["resume", run])]  # fmt: skip
    finally:
        server.stop()
    assert server.mail.tried > 1
    for one in outputs:
        assert "canary" not in re.sub("canaries", "", (one.out + one.err)).lower()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("symbolon")]
    assert "canary" not in " ".join(ours)
    # neither the store nor the database of runs holds one, nor does what is left of the delivery
    kept = [*project.glob("*.db*"), *(project / "lake" / "tables" / "runs").rglob("*")]
    ended = json.loads(outputs[-2].out)[0]["state"] != "paused"
    for path in kept:
        if path.is_file() and (path.suffix.startswith(".db") or (ended and "acting" in str(path))):
            assert b"canary1@" not in path.read_bytes()
