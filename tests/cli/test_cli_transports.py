"""`symbolon transport`: defined, shown, tried out, changed and deleted on the command line."""

from __future__ import annotations

import json

import asyncssh
import pytest

import symbolon
from sftpserver import server

__all__ = ["server"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    symbolon.init(tmp_path / "shop").close()
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def test_a_folder(cli, project):
    added = cli("transport", "add", "outbox", "./outbox", "--option", "mode=640")
    assert (added.code, added.out) == (0, "transport outbox is added: file, version 1\n")
    assert "symbolon transport test outbox" in added.err
    shown = cli("transport", "test", "outbox")
    assert shown.code == 0, shown.err
    assert [line.split()[:2] for line in shown.out.splitlines()] == [
        ["PASS", "list"], ["PASS", "write"], ["PASS", "read"], ["PASS", "delete"],
    ]  # fmt: skip
    failed = cli("transport", "test", "./nowhere", "--json")
    assert failed.code == 5
    answer = json.loads(failed.out)
    assert (answer["passed"], answer["probes"][0]["step"]) == (False, "list")
    assert answer["probes"][0]["mend"]
    assert json.loads(cli("transport", "list", "--json").out)[0]["name"] == "outbox"
    assert "640" in cli("transport", "show", "outbox").out
    assert cli("transport", "edit", "outbox", "--option", "mode=").code == 0
    assert json.loads(cli("transport", "show", "outbox", "--json").out)["options"] == {}
    assert cli("transport", "edit", "outbox").code == 2
    assert cli("transport", "delete", "outbox").code == 2  # nobody to ask
    assert cli("transport", "delete", "outbox", "--yes").code == 0
    assert "no transport yet" in cli("transport", "list").err


def test_a_server_whose_key_nobody_knows(cli, project, server, tmp_path):
    (tmp_path / "remote").mkdir()
    (tmp_path / "id").write_text(server.private_key)
    url = server.url(tmp_path / "remote")
    refused = cli("transport", "add", "partner", url, "--key-file", tmp_path / "id")
    assert refused.code == 5
    prints = {asyncssh.import_public_key(key).get_fingerprint() for key in server.host_keys.values()}
    assert any(one in refused.err for one in prints)
    assert "--accept-host-key" in refused.err
    assert json.loads(cli("transport", "list", "--json").out) == []
    accepted = cli("transport", "add", "partner", url, "--key-file", tmp_path / "id", "--accept-host-key")
    assert accepted.code == 0, accepted.err
    assert any(one in accepted.err for one in prints)
    assert any(one in cli("transport", "show", "partner").out for one in prints)
    assert cli("transport", "test", "partner/below").code == 0
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    assert cli("transport", "edit", "partner", "--host-key", other).code == 0
    changed = cli("transport", "test", "partner")
    assert changed.code == 5
    assert "transport.host_key_changed" in changed.out
    assert cli("transport", "edit", "partner", "--accept-host-key").code == 0
    assert cli("transport", "test", "partner", "--quiet").code == 0
    assert cli("transport", "edit", "partner", "--host-key", server.host_key).code == 0


def test_no_secret_is_shown(cli, project, tmp_path):
    (tmp_path / "secret").write_text("canary-secret\n")
    outputs = [
        cli("transport", "add", "cloud", "s3://bucket/x", "--access-key-id", "AKIACANARY", "--secret-file",
            tmp_path / "secret", "--json"),
        cli("transport", "show", "cloud"),
        cli("transport", "list"),
        cli("transport", "add", "x", "sftp://user:canary-secret@host/x"),
        cli("transport", "add", "x", "sftp://user@host/x", "--password-file", "canary-secret", "--host-key", "x"),
        cli("transport", "add", "x", "s3://b/x", "--option", "canary-secret"),
        cli("transport", "add", "x", "s3://b/x", "--option", "canary-secret=1"),
        cli("transport", "test", "sftp://user:canary-secret@host/x"),
        cli("transport", "add", "x", "s3://b/x", "--access-key-id", "AKIACANARY"),
    ]  # fmt: skip
    assert [one.code for one in outputs] == [0, 0, 0, 2, 2, 2, 2, 5, 2]
    assert json.loads(outputs[0].out)["secrets"] == ["access_key_id", "secret_access_key"]
    for one in outputs:
        assert "canary" not in (one.out + one.err).lower()
    assert all(b"canary-secret" not in path.read_bytes() for path in project.rglob("*") if path.is_file())
