"""Who is alive: an executor holds an operating-system lock for as long as its process lives, however it ends.

Invariant: whoever holds the lock of an executor may touch its runs, and nobody else may. Queues of one are locks too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_EXECUTOR = re.compile(r"[a-z0-9-]{1,64}")
_PAUSE_S = 0.05


class Executor:
    """This process as one that executes runs.

    Args:
        folder: where locks are taken; made with mode 0700 where missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._path = _path(folder, self.id)
        self._descriptor: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def close(self) -> None:
        """Say that it is gone. May be called twice."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def is_alive(folder: Path, executor: str) -> bool:
    """Say whether the process of an executor lives; one without a lock file is gone."""
    if not _EXECUTOR.fullmatch(executor):
        return False
    try:
        descriptor = os.open(_path(folder, executor), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _got(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def in_turn(
    folder: Path, queue: str, waiting: Callable[[], None] | None = None, *, wait: bool = True
) -> Iterator[bool]:
    """Hold a queue of one: whoever comes meanwhile waits, in this process and in others. Gives whether it is held.

    Args:
        folder: where locks are taken.
        queue: its name; any text.
        waiting: called once when somebody else has to be waited for.
        wait: False = do not wait for anybody; it is not held then.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"queue-{hashlib.sha256(queue.encode()).hexdigest()[:16]}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        held = _got(descriptor)
        if not held and wait:
            if waiting is not None:
                waiting()
            while not _got(descriptor):
                time.sleep(_PAUSE_S)
            held = True
        yield held
    finally:
        os.close(descriptor)


def _path(folder: Path, executor: str) -> Path:
    return folder / f"executor-{executor}.lock"


def _got(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
