"""When a file that is put by SFTP has arrived, and when nobody can tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from sftpserver import SshServer, server, transport_to
from symbolon.transports import RemoteExists, Retrying, TransportUnreachable
from symbolon.transports import sftp as room

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server"]
CONTENT = os.urandom(100_077)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def quick(transport: Any) -> Any:
    transport._retrying = Retrying(sleep=lambda _: None)
    return transport


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_a_receiver_that_takes_files_at_once(
    server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch, is_answer_lost: bool
) -> None:
    """The rename was answered, or its temporary name is gone: the file arrived, whoever has it by now."""
    real, taken = room._rename, []

    async def and_taken(*arguments: Any) -> None:
        await real(*arguments)
        taken.append((root / "x").read_bytes())
        (root / "x").unlink()
        if is_answer_lost:
            raise asyncssh.SFTPConnectionLost("a test")

    monkeypatch.setattr(room, "_rename", and_taken)
    transport = quick(transport_to(server, root))
    done = transport.put(source, "x")
    assert (done.name, done.size_bytes, taken) == ("x", len(CONTENT), [CONTENT])
    assert list(root.iterdir()) == []
    transport.close()


def test_a_fault_says_whether_the_file_may_be_there(
    server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any, **__: Any) -> None:
        raise asyncssh.SFTPConnectionLost("a test")

    for owner, name, may_have_arrived in ((room, "_rename", True), (room._Writing, "_write", False)):
        transport = quick(transport_to(server, root))
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, lost)
            with pytest.raises(TransportUnreachable) as caught:
                transport.put(source, "x")
        assert caught.value.may_have_arrived is may_have_arrived
        transport.close()
    (root / "x").touch()
    transport = transport_to(server, root)
    with pytest.raises(RemoteExists) as exists:
        transport.put(source, "x")
    assert exists.value.may_have_arrived is False
    transport.close()
