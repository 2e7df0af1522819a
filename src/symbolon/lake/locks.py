"""Locks between processes, held by the operating system: they end with the process that holds them, however it ends.

Invariant: a directory that `HeldDirectory` made is alive exactly while its lock is held, so whoever gets the lock of a
directory may remove it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from symbolon.lake.errors import LockHeld, disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


@contextmanager
def file_lock(path: Path, *, wait_s: float = 30.0, holder: str = "") -> Iterator[None]:
    """Hold an exclusive lock between processes and threads.

    The file stays behind when the lock is released: removing it would let two processes hold two files of one name.

    Args:
        path: the lock's file; made with its folder (mode 0600, 0700) where missing.
        wait_s: seconds to wait for somebody else; 0 = not at all.
        holder: what this process does, told to whoever waits in vain. No identifiers of people.

    Raises:
        LockHeld: somebody else holds it; the message tells what for, and since when.
    """
    make_private(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _acquire(descriptor, wait_s):
            raise LockHeld(
                f"{_holder(path)} goes on; waited {wait_s:g} s for it",
                details={"lock": path.name, "waited_s": wait_s},
            )
        with disk_errors("a lock file"):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{holder or 'another change'} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


class HeldDirectory:
    """A fresh private directory that lives as long as its process, or until it is released.

    Shape on disk: `<parent>/<name>/` and beside it `<parent>/<name>.lock`.
    """

    def __init__(self, parent: Path, name: str) -> None:
        make_private(parent)
        while True:
            self.path = parent / f"{name}-{os.getpid()}-{secrets.token_hex(6)}"
            self._lock = _lock_of(self.path)
            self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if _same_file(self._descriptor, self._lock):  # else a cleaner was quicker than this lock
                break
            os.close(self._descriptor)
        with disk_errors("a directory of the lake"):
            self.path.mkdir(mode=0o700)
        self._released = False

    def release(self) -> None:
        """Remove the directory with what is in it. May be called twice."""
        if self._released:
            return
        self._released = True
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.unlink(missing_ok=True)
        os.close(self._descriptor)


def remove_abandoned(parent: Path) -> list[Path]:
    """Remove what `HeldDirectory` left in `parent` for processes that are gone; give what was removed."""
    removed: list[Path] = []
    if not parent.is_dir():
        return removed
    names = {entry.name.removesuffix(".lock") for entry in parent.iterdir()}
    for name in sorted(names):
        directory = parent / name
        lock = _lock_of(directory)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _acquire(descriptor, 0) or not _same_file(descriptor, lock):
                continue
            if directory.is_dir():
                shutil.rmtree(directory, ignore_errors=True)
                removed.append(directory)
            lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return removed


def make_private(directory: Path) -> None:
    """Make a folder and those above it that are missing, for this user only (mode 0700)."""
    if directory.is_dir():
        return
    if not directory.parent.is_dir():
        make_private(directory.parent)
    with disk_errors("a directory of the lake"), suppress(FileExistsError):
        directory.mkdir(mode=0o700)


def _lock_of(directory: Path) -> Path:
    return directory.with_name(directory.name + ".lock")


def _acquire(descriptor: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    pause = _FIRST_PAUSE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        else:
            return True


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or "another change"
    except OSError:
        return "another change"
