"""Senders by name: kept, changed, tried; what does not hold together is refused, and no password is written down."""

from __future__ import annotations

import os

import pytest

from smtpserver import PASSWORD, USER, certificate, guarded, mail
from symbolon.errors import UnknownNameError
from symbolon.messages import SenderInvalid
from symbolon.records import Channel
from symbolon.store import NameTaken

__all__ = ["certificate", "guarded", "mail"]
SMTP = {"kind": "smtp", "host": "smtp.example.com"}


def test_a_sender_is_kept_changed_and_deleted(project) -> None:
    senders = project.senders
    added = senders.add("mail", {**SMTP, "user": USER, "from_address": "news@example.com"}, PASSWORD)
    assert (added.name, added.version, added.port, added.security, added.has_password) == (
        "mail",
        1,
        587,
        "starttls",
        True,
    )
    assert senders.show("mail") == added
    assert senders.list() == [added]
    with pytest.raises(NameTaken):
        senders.add("mail", SMTP)
    changed = senders.edit("mail", {"from_name": "News", "timeout_s": 5})
    assert (changed.version, changed.from_name, changed.has_password) == (2, "News", True)
    assert senders._kept.secret(senders._kept.get("mail")) == {"password": PASSWORD}
    for values in ({"host": "other.example"}, {"security": "none"}, {"port": 2525}, {"user": "x"}):
        with pytest.raises(SenderInvalid, match=r"go along|readable"):
            senders.edit("mail", values)
    assert senders.edit("mail", {"security": "tls"}, "another").port == 465
    with pytest.raises(UnknownNameError, match="mial"):
        senders.show("mial")
    senders.delete("mail")
    assert senders.list() == []
    project.close()
    written = b"".join(path.read_bytes() for path in project.settings.project.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written


def test_a_password_moved_to_another_sender_does_not_open(project) -> None:
    from symbolon.keys import WrapError
    from symbolon.records import Definition, DefinitionKind

    senders = project.senders
    senders.add("one", {**SMTP, "user": USER}, PASSWORD)
    stolen = project.store.definition(DefinitionKind.SENDER, "one")
    project.store.put_definition(
        Definition(kind=DefinitionKind.SENDER, name="two", body=stolen.body, secret=stolen.secret), base=0
    )
    with pytest.raises(WrapError):
        senders.open("two")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "smtp"}, "host"),
        ({**SMTP, "host": "a b"}, "host"),
        ({**SMTP, "port": 70000}, "port"),
        ({**SMTP, "timeout_s": 0}, "timeout_s"),
        ({**SMTP, "user": "x"}, "belong together"),
        ({**SMTP, "folder": "x"}, "folder"),
        ({**SMTP, "security": "none"}, "readable"),
        ({**SMTP, "security": "plain"}, "security"),
        ({**SMTP, "from_address": "nobody"}, "from_address"),
        ({**SMTP, "from_name": "a\nb"}, "from_name"),
        ({"kind": "folder", "host": "x"}, "host"),
        ({"kind": "folder", "folder": "../x"}, "folder"),
        ({"kind": "folder", "folder": ".hidden"}, "folder"),
    ],
)
def test_what_does_not_hold_together_is_refused(project, values: dict[str, object], words: str) -> None:
    with pytest.raises(SenderInvalid, match=words):
        project.senders.add("x", values)
    assert project.senders.list() == []


def test_names_and_plain_connections(project) -> None:
    for name in ("", "a/b", "sandbox", "x" * 65):
        with pytest.raises(SenderInvalid):
            project.senders.add(name, SMTP)
    for name, host in (("a", "localhost"), ("b", "127.0.0.9"), ("c", "::1")):
        assert project.senders.add(name, {**SMTP, "host": host, "security": "none"}).port == 25
    project.senders.add("far", {**SMTP, "security": "none", "allow_plain": True})


def test_a_folder_is_tried_and_takes_a_message(project) -> None:
    assert [(one.step, one.passed) for one in project.senders.test("sandbox")] == [("write", True)]
    outbox = project.settings.project / "outbox" / "messages"
    assert [path for path in outbox.rglob("*") if path.is_file()] == []
    project.senders.add("gateway", {"kind": "folder", "folder": "sms/out"})
    probes = project.senders.test("gateway", to="+33612345678", channel=Channel.SMS)
    assert all(one.passed for one in probes)
    (path,) = (outbox / "sms" / "out").rglob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for wrong in ("nobody", "a@b", "+33612345678"):
        with pytest.raises(SenderInvalid, match="--to"):
            project.senders.test("gateway", to=wrong)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(project) -> None:
    (project.settings.project / "outbox").chmod(0o500)
    (probe,) = project.senders.test("sandbox")
    assert not probe.passed
    assert probe.mend


def test_a_server_is_tried_step_by_step(project, guarded, mail, certificate) -> None:
    senders = project.senders
    values = {"kind": "smtp", "host": "localhost", "port": guarded.port, "user": USER, "ca_file": str(certificate[0])}
    senders.add("good", {**values, "from_address": "news@example.com"}, PASSWORD)
    assert [(one.step, one.passed) for one in senders.test("good")] == [
        ("connect", True),
        ("login", True),
        ("noop", True),
    ]
    assert guarded.mail.arrived == []
    probes = senders.test("good", to="me@example.com")
    assert [one.step for one in probes if one.passed] == ["connect", "login", "noop", "send"]
    assert guarded.mail.addresses == ["me@example.com"]
    senders.add("wrong", values, "no")
    senders.add("unknown", {**values, "ca_file": ""}, PASSWORD)
    senders.add("plain", {**values, "port": mail.port, "security": "starttls"}, PASSWORD)
    senders.add("nobody", {**values, "port": 1}, PASSWORD)
    senders.add("missing", {**values, "ca_file": "nowhere.pem"}, PASSWORD)
    found = {name: senders.test(name)[-1] for name in ("wrong", "unknown", "plain", "nobody", "missing")}
    assert {name: probe.step for name, probe in found.items()} == {
        "wrong": "login", "unknown": "connect", "plain": "connect", "nobody": "connect", "missing": "connect",
    }  # fmt: skip
    for probe in found.values():
        assert not probe.passed
        assert probe.mend
        assert PASSWORD not in probe.detail
    assert "not trusted" in found["unknown"].detail
    assert "STARTTLS" in found["plain"].detail
    assert "sender.unreachable" in found["nobody"].detail
