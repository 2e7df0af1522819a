"""A folder whose files change, whose links lead elsewhere, and which somebody swaps while we look."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from symbolon.errors import TransportError
from symbolon.transports import (
    Below,
    NameRefused,
    RemoteChanged,
    RemoteExists,
    RemoteMissing,
    RootMissing,
    TransportDenied,
    TransportFull,
    TransportInvalid,
    TransportMissing,
    open_transport,
)
from symbolon.transports import local as room

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"0123456789" * 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def transport(root: Path) -> Any:
    return open_transport(str(root), base=root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("how", ["grows", "is cut", "is rewritten", "is replaced", "disappears"])
def test_a_file_that_changes_while_it_is_read(
    transport: Any, root: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = root / "x"
    file.write_bytes(CONTENT)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    real = room._copied

    def change() -> None:
        if how == "grows":
            with file.open("ab") as more:
                more.write(b"more")
        elif how == "is cut":
            os.truncate(file, 10)
        elif how == "is rewritten":
            file.write_bytes(CONTENT[::-1])
        elif how == "is replaced":
            (tmp_path / "other").write_bytes(CONTENT[::-1])
            (tmp_path / "other").replace(file)
        else:
            file.unlink()

    monkeypatch.setattr(room, "_copied", lambda *given: (real(*given), change())[0])
    with pytest.raises(RemoteChanged):
        transport.fetch("x", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_put_is_private_and_never_half(
    transport: Any, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = room._copied, []

    def looked(*given: Any) -> int:
        copied = real(*given)
        seen.append(([path.name for path in root.rglob("*") if not path.name.startswith(".")], transport.list()))
        return copied

    monkeypatch.setattr(room, "_copied", looked)
    transport.put(source, "x")
    assert seen == [([], [])]
    assert (root / "x").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in root.iterdir()] == ["x"]
    open_transport(str(root), {"mode": "644"}, base=root).put(source, "y")
    assert (root / "y").stat().st_mode & 0o777 == 0o644


def test_a_put_that_fails_leaves_nothing(transport: Any, root: Path, source: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # as a quota does
    try:
        with pytest.raises(TransportFull):
            transport.put(source, "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(root.iterdir()) == []


def test_links_that_lead_out(transport: Any, root: Path, tmp_path: Path, source: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"canary")
    (root / "link").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "dangling").symlink_to(outside / "new")
    (root / "round").symlink_to("round")
    (root / "real").write_bytes(b"real")
    (root / "inside").symlink_to("real")
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
        lambda: transport.move("link", "y"),
        lambda: Below(transport, "folder").list(),
        lambda: Below(transport, "folder").put(source, "x"),
    ):
        with pytest.raises(NameRefused):
            call()
    with pytest.raises(RemoteExists):
        transport.put(source, "dangling")
    transport.put(source, "link", overwrite=True)  # the link itself is replaced
    transport.delete("folder")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    assert (outside / "secret").read_bytes() == b"canary"


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_that_appears_at_the_wrong_moment(
    root: Path, tmp_path: Path, source: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who may write to the folder puts a link there after we looked, and before we opened."""
    outside, inside = tmp_path / "outside", root / "a"
    real = room.LocalTransport._resolved

    def late(self: Any, name: str) -> Path:
        path = real(self, name)
        if what == "folder":
            inside.rename(root / f"moved-{name.replace('/', '-')}")
            inside.symlink_to(outside)
        elif name.endswith("x"):
            path.unlink()
            path.symlink_to(outside / "x")
        return path

    def read(one: Any) -> None:  # `fetch` looks again at the end, and would throw away what was read
        with os.fdopen(one._opened("a/x"), "rb") as file:
            assert file.read() != b"canary"

    for call in (
        read,
        lambda one: one.fetch("a/x", tmp_path / "target"),
        lambda one: one.put(source, "a/y", overwrite=True),
        lambda one: one.move("a/x", "z"),
        lambda one: one.delete("a/x"),
    ):
        shutil.rmtree(outside, ignore_errors=True)
        shutil.rmtree(root)
        outside.mkdir()
        inside.mkdir(parents=True)
        (outside / "x").write_bytes(b"canary")
        (inside / "x").write_bytes(b"good")
        with monkeypatch.context() as patch:
            patch.setattr(room.LocalTransport, "_resolved", late)
            with contextlib.suppress(TransportError, OSError):
                call(open_transport(str(root), base=root))
        assert [path.name for path in outside.iterdir()] == ["x"]
        assert (outside / "x").read_bytes() == b"canary"
        assert not (tmp_path / "target").exists()


def test_what_is_no_file_or_has_no_proper_name(transport: Any, root: Path, tmp_path: Path, source: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    (root / os.fsdecode(b"latin-\xe9")).write_bytes(b"")
    (root / "back\\slash").write_bytes(b"")
    (root / "line\nend").write_bytes(b"")
    (root / ".symbolon-1234.part").write_bytes(b"")
    assert transport.list() == []
    assert transport.stat("pipe") is None
    for name in ("pipe", "folder"):
        with pytest.raises(RemoteMissing):
            transport.fetch(name, tmp_path / "target")
        with pytest.raises(RemoteExists):
            transport.put(source, name)
    with pytest.raises(RemoteExists):
        transport.put(source, "folder", overwrite=True)


def test_a_root_that_is_not_there(root: Path, source: Path) -> None:
    transport = open_transport("later", base=root)
    with pytest.raises(RootMissing):
        transport.list()
    assert [(probe.step, probe.passed) for probe in transport.check()] == [("list", False)]
    transport.put(source, "x")
    assert [one.name for one in transport.list()] == ["x"]


def test_where_nothing_may_be_written(source: Path, tmp_path: Path) -> None:
    folder = "/sys/kernel"  # which refuses root, too
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        folder = str(tmp_path / "closed")
    with pytest.raises(TransportDenied):
        open_transport(folder, base=tmp_path).put(source, "x")


@pytest.mark.parametrize(
    "url",
    [
        "sftp://user:canary@host/x", "s3://key:canary@bucket/x", "sftp://user:@host/", "https://host/x", "s3:///x",
        "file://host/x", "sftp://host/x", "s3://bucket/../x", "sftp://user@host/a/../b", "s3://bucket/x?canary=1",
        "sftp://user@host:99999/x", "sftp://user@[::1/x", "s3://bucket/#canary",
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(TransportInvalid) as caught:
        open_transport(url, {"host_key": "x"}, None, base=tmp_path)
    assert "canary" not in str(caught.value)
    assert caught.value.hint


def test_all_faults_of_a_definition_at_once(tmp_path: Path) -> None:
    options = {"sse": "canary", "part_size": "many", "regoin": "canary", "endpoint_url": "ftp://u:canary@h"}
    with pytest.raises(TransportInvalid) as caught:
        open_transport("s3://b/x", options, {"access_key_id": "canary", "passwort": "canary"}, base=tmp_path)
    assert len(caught.value.details["faults"]) == 7
    assert "did you mean `region`" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_an_extra_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for url, secret, extra in (
        ("s3://b/x", None, "s3"),
        ("sftp://u@h/x", {"password": "x"}, "sftp"),
    ):
        with pytest.raises(TransportMissing, match=rf"symbolon\[{extra}\]"):
            open_transport(url, {}, secret, base=tmp_path)
