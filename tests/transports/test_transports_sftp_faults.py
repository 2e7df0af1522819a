"""SFTP on a real server that is killed, changes its key, refuses, or holds links that lead elsewhere."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from sftpserver import SshServer, mortal_server, server, transport_to
from symbolon.transports import (
    HostKeyChanged,
    HostKeyUnknown,
    NameRefused,
    RemoteChanged,
    RemoteExists,
    Retrying,
    RootMissing,
    TransportDenied,
    TransportFull,
    TransportInvalid,
    TransportUnreachable,
    open_transport,
)
from symbolon.transports import sftp as room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from symbolon.errors import SymbolonError

__all__ = ["mortal_server", "server"]
CHUNK = 1 << 18
CONTENT = os.urandom(CHUNK * 8 + 77)


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


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CHUNK", CHUNK)


class Watched:
    """A file that tells where it is read or written, and does something once at a certain place."""

    def __init__(self, file: Any, at: int, then: Callable[[], None]) -> None:
        self._file, self._at, self._then = file, at, then
        self.places: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        self._reached()
        return self._file.read(size)

    def write(self, data: bytes) -> int:
        self._reached()
        return self._file.write(data)

    def _reached(self) -> None:
        self.places.append(self._file.tell())
        if self._file.tell() >= self._at and self._then is not None:
            then, self._then = self._then, None
            then()


def watch(monkeypatch: pytest.MonkeyPatch, what: str, at: int, then: Callable[[], None]) -> list[Watched]:
    """Watch the local side of the next transfers: `leaving` for what is put, `arriving` for what is fetched."""
    real, seen = getattr(room, what), []

    @contextlib.contextmanager
    def watched(path: Path) -> Iterator[Any]:
        with real(path) as opened:
            file, rest = (opened[0], opened[1:]) if isinstance(opened, tuple) else (opened, None)
            seen.append(Watched(file, at, then))
            yield (seen[-1], *rest) if rest is not None else seen[-1]

    monkeypatch.setattr(room, what, watched)
    return seen


def quick(transport: Any, pauses: list[float] | None = None) -> Any:
    """Let a transport wait no longer than it must."""
    transport._retrying = Retrying(sleep=lambda pause: pauses.append(pause) if pauses is not None else None)
    return transport


def test_a_put_outlives_the_death_of_the_server(
    mortal_server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_meanwhile: list[str] = []

    def die() -> None:
        mortal_server.kill()
        seen_meanwhile.extend(path.name for path in root.rglob("*"))
        mortal_server.start()

    files = watch(monkeypatch, "leaving", CHUNK * 4, die)
    transport = quick(transport_to(mortal_server, root))
    done = transport.put(source, "audience.sync")
    assert done.size_bytes == len(CONTENT)
    assert (root / "audience.sync").read_bytes() == CONTENT
    assert [path.name for path in root.iterdir()] == ["audience.sync"]
    # only a hidden part was there, and it was gone on with, not begun again
    assert seen_meanwhile
    assert all(name.startswith(".symbolon-") for name in seen_meanwhile)
    assert files[0].places.count(0) == 1
    transport.close()


def test_a_fetch_outlives_the_death_of_the_server(
    mortal_server: SshServer, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "x").write_bytes(CONTENT)
    target = tmp_path / "target"
    visible: list[bool] = []

    def die() -> None:
        mortal_server.kill()
        visible.append(target.exists())
        mortal_server.start()

    files = watch(monkeypatch, "arriving", CHUNK * 4, die)
    transport = quick(transport_to(mortal_server, root))
    transport.fetch("x", target)
    assert target.read_bytes() == CONTENT
    assert visible == [False]
    assert files[0].places == sorted(files[0].places)
    assert files[0].places.count(0) == 1
    transport.close()


def test_only_the_session_dies(server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_sessions = watch(monkeypatch, "leaving", CHUNK * 2, server.kill_sessions)
    transport = quick(transport_to(server, root))
    transport.put(source, "x")
    assert (root / "x").read_bytes() == CONTENT
    assert with_sessions[0].places.count(0) == 1
    transport.close()


def test_a_server_that_stays_away(
    mortal_server: SshServer, root: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    transport = quick(transport_to(mortal_server, root), pauses)
    transport.put(source, "x")
    watch(monkeypatch, "arriving", CHUNK * 4, mortal_server.kill)
    with pytest.raises(TransportUnreachable):
        transport.fetch("x", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert len(pauses) >= 4
    with pytest.raises(TransportUnreachable):
        transport.put(source, "y")
    assert [path.name for path in root.iterdir()] == ["x"]
    transport.close()


def test_the_answer_to_the_rename_is_lost(
    server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = room._rename, []

    async def lost(*arguments: Any) -> None:
        await real(*arguments)
        times.append(1)
        if len(times) % 2:
            raise asyncssh.SFTPConnectionLost("a test")

    monkeypatch.setattr(room, "_rename", lost)
    transport = quick(transport_to(server, root))
    transport.put(source, "x")
    times.clear()
    transport.move("x", "done/x")
    assert [one.name for one in transport.list()] == ["done/x"]
    assert (root / "done" / "x").read_bytes() == CONTENT
    transport.close()


def test_a_file_that_is_replaced_while_it_is_read(
    server: SshServer, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "x").write_bytes(CONTENT)

    def replace() -> None:
        (tmp_path / "other").write_bytes(b"another" * 10)
        (tmp_path / "other").replace(root / "x")

    watch(monkeypatch, "arriving", CHUNK * 3, replace)
    transport = transport_to(server, root)
    with pytest.raises(RemoteChanged):
        transport.fetch("x", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    transport.close()


def test_a_file_that_grows_or_is_cut_while_it_is_read(
    server: SshServer, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = transport_to(server, root)
    for size in (len(CONTENT) + 1, CHUNK):
        (root / "x").write_bytes(CONTENT)
        with monkeypatch.context() as patch:
            watch(patch, "arriving", CHUNK * 3, lambda size=size: os.truncate(root / "x", size))
            with pytest.raises(RemoteChanged):
                transport.fetch("x", tmp_path / "target")
        assert not (tmp_path / "target").exists()
    transport.close()


def test_another_server_is_not_spoken_to(server: SshServer, root: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(HostKeyChanged):
        transport_to(server, root, host_key=other).list()
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_public_key().decode()
    with pytest.raises(HostKeyChanged):  # a kind that the server does not have
        transport_to(server, root, host_key=rsa).list()


def test_every_kind_of_key_of_the_server_can_be_pinned(server: SshServer, root: Path) -> None:
    for key in server.host_keys.values():
        for written in (key, f"127.0.0.1 {key} somebody", f"{key},{server.host_key}"):
            transport = transport_to(server, root, host_key=written)
            assert transport.list() == []
            transport.close()


def test_a_server_with_new_keys(mortal_server: SshServer, root: Path) -> None:
    transport = quick(transport_to(mortal_server, root))
    assert transport.list() == []
    mortal_server.kill()
    mortal_server.new_host_keys()
    mortal_server.start()
    with pytest.raises(HostKeyChanged):
        open_transport(
            mortal_server.url(root), {"host_key": transport._session._settings.host_keys[0]}, mortal_server.secret,
            base=root,
        ).list()  # fmt: skip
    with pytest.raises(HostKeyChanged):  # one that was open before, too
        transport.list()
    transport.close()


def test_without_a_pinned_key_nobody_is_asked(server: SshServer, root: Path) -> None:
    with pytest.raises(HostKeyUnknown):
        open_transport(server.url(root), {}, server.secret, base=root)
    with pytest.raises(TransportInvalid):
        open_transport(server.url(root), {"host_key": "ssh-ed25519 nonsense"}, server.secret, base=root)


@pytest.mark.parametrize("kind", ["password", "key", "user"])
def test_who_is_refused(server: SshServer, root: Path, kind: str) -> None:
    wrong = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    secret = {"password": "canary-pass-word"} if kind == "password" else {"private_key": wrong}
    url = server.url(root) if kind != "user" else server.url(root).replace("//", "//nobody-of-that-name.", 1)
    pauses: list[float] = []
    transport = quick(open_transport(url, server.options, secret, base=root), pauses)
    with pytest.raises(TransportDenied) as caught:
        transport.list()
    assert pauses == []  # a wrong password that is tried again and again locks the account
    _holds_no_secret(caught.value, secret)
    probes = transport.check()
    assert [(probe.step, probe.passed) for probe in probes] == [("list", False)]
    assert probes[0].mend
    transport.close()


def _holds_no_secret(error: SymbolonError, secret: dict[str, str]) -> None:
    import traceback

    told = "".join(traceback.format_exception(error)) + repr(error.as_dict()) + str(error)
    for value in secret.values():
        assert not any(line in told for line in value.splitlines() if len(line) > 8)


def test_a_password_works_too(tmp_path: Path, root: Path) -> None:
    """The server of this test is another implementation, which may check a password without an account of its own."""
    import asyncio
    import threading

    class Guard(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("audiences", "pass word ü")

        def begin_auth(self, username: str) -> bool:
            return True

    host_key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> Any:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Guard, server_host_keys=[host_key], sftp_factory=True
        )

    listener = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    transport = open_transport(
        f"sftp://audiences@127.0.0.1:{listener.get_port()}{root}",
        {"host_key": host_key.export_public_key().decode()},
        {"password": "pass word ü"},
        base=root,
    )
    assert all(probe.passed for probe in transport.check())
    transport.close()
    loop.call_soon_threadsafe(listener.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


def test_a_key_with_a_passphrase(server: SshServer, root: Path) -> None:
    sealed = server.client_key.export_private_key("pkcs8-pem", passphrase="canary-phrase").decode()  # noqa: S106
    transport = open_transport(
        server.url(root), server.options, {"private_key": sealed, "passphrase": "canary-phrase"}, base=root
    )
    assert transport.list() == []
    transport.close()
    for phrase in ({}, {"passphrase": "canary-other"}):
        with pytest.raises(TransportInvalid) as caught:
            open_transport(server.url(root), server.options, {"private_key": sealed, **phrase}, base=root)
        _holds_no_secret(caught.value, phrase)


def test_where_nothing_may_be_written(server: SshServer, tmp_path: Path, source: Path) -> None:
    folder = Path("/sys/kernel")  # which refuses root, too
    if os.geteuid():
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
    transport = transport_to(server, folder)
    with pytest.raises(TransportDenied):
        transport.put(source, "x")
    transport.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted by root only")
def test_a_full_disk_leaves_nothing(server: SshServer, root: Path, source: Path) -> None:
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", root], capture_output=True, check=False
    ).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        transport = transport_to(server, root)
        with pytest.raises(TransportFull):
            transport.put(source, "x")
        assert list(root.iterdir()) == []
        transport.close()
        local = open_transport(str(root), base=root)
        with pytest.raises(TransportFull):
            local.put(source, "x")
        assert list(root.iterdir()) == []
    finally:
        subprocess.run(["umount", root], check=True)


def test_links_that_lead_out(server: SshServer, root: Path, tmp_path: Path, source: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"canary")
    (root / "link").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "dangling").symlink_to(outside / "new")
    (root / "real").write_bytes(b"real")
    (root / "inside").symlink_to("real")
    transport = transport_to(server, root)
    assert [one.name for one in transport.list()] == ["inside", "real"]
    for call in (
        lambda: transport.fetch("link", tmp_path / "target"),
        lambda: transport.fetch("folder/secret", tmp_path / "target"),
        lambda: transport.stat("folder/secret"),
        lambda: transport.list("folder"),
        lambda: transport.put(source, "folder/x"),
        lambda: transport.put(source, "folder/deeper/x"),
        lambda: transport.delete("folder/secret"),
        lambda: transport.move("folder/secret", "y"),
        lambda: transport.move("real", "folder/y"),
    ):
        with pytest.raises(NameRefused):
            call()
    with pytest.raises(RemoteExists):
        transport.put(source, "dangling")
    transport.put(source, "link", overwrite=True)  # the link itself is replaced
    assert (outside / "secret").read_bytes() == b"canary"
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    transport.delete("folder")
    assert (outside / "secret").exists()
    assert not (root / "folder").exists()
    transport.close()


def test_what_is_no_file_or_has_no_proper_name(server: SshServer, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / os.fsdecode(b"latin-\xe9")).write_bytes(b"")
    (root / "back\\slash").write_bytes(b"")
    (root / ".symbolon-1234.part").write_bytes(b"")
    (root / "good").write_bytes(b"")
    transport = transport_to(server, root)
    assert [one.name for one in transport.list()] == ["good"]
    assert transport.stat("pipe") is None
    transport.close()


def test_a_root_that_is_not_there(server: SshServer, root: Path, source: Path) -> None:
    transport = transport_to(server, root / "a" / "b")
    with pytest.raises(RootMissing):
        transport.list()
    transport.put(source, "c/x")
    assert (root / "a" / "b" / "c" / "x").read_bytes() == CONTENT
    assert [one.name for one in transport.list()] == ["c/x"]
    transport.close()


def test_the_mode_of_what_is_put(server: SshServer, root: Path, source: Path) -> None:
    transport = transport_to(server, root, mode="640")
    transport.put(source, "x")
    assert (root / "x").stat().st_mode & 0o777 == 0o640
    transport.close()


def test_a_server_that_hangs_is_given_up(
    mortal_server: SshServer, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections, and the session answers nothing: silence is noticed, and a new session goes on."""
    files = watch(monkeypatch, "leaving", CHUNK * 2, mortal_server.hold)
    transport = quick(transport_to(mortal_server, root, keepalive="1"))
    transport.put(source, "x")
    assert (root / "x").read_bytes() == CONTENT
    assert files[0].places.count(0) == 1
    transport.close()


@pytest.mark.parametrize("kind", ["sftp", "folder"])
def test_what_a_process_that_died_was_writing_goes(server: SshServer, root: Path, source: Path, kind: str) -> None:
    (root / "d").mkdir()
    for name, days in ((".symbolon-old.part", 2), (".symbolon-new.part", 0), (".hidden", 9), ("x.part", 9)):
        (root / "d" / name).write_bytes(b"half")
        then = time.time() - days * 86_400
        os.utime(root / "d" / name, (then, then))
    transport = transport_to(server, root) if kind == "sftp" else open_transport(str(root), base=root)
    transport.put(source, "d/x")
    assert sorted(path.name for path in (root / "d").iterdir()) == [".hidden", ".symbolon-new.part", "x", "x.part"]
    transport.close()


def test_one_that_nobody_closed_ends_with_its_last_user(server: SshServer, root: Path) -> None:
    transport = transport_to(server, root)
    assert transport.list() == []
    thread = transport._session._thread
    assert thread.is_alive()
    del transport
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()
