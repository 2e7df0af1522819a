"""Locks end with their process; directories are found by their free locks."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from symbolon.lake import LockHeld, file_lock
from symbolon.lake.locks import HeldDirectory, remove_abandoned

HOLD = """
import sys, time, pathlib
from symbolon.lake import file_lock
with file_lock(pathlib.Path(sys.argv[1]), wait_s=5, holder="an import into `vip`"):
    print("held", flush=True)
    time.sleep(600)
"""
STAGE = """
import sys, time, pathlib
from symbolon.lake.locks import HeldDirectory
held = HeldDirectory(pathlib.Path(sys.argv[1]), "import")
(held.path / "deep").mkdir()
(held.path / "deep" / "rows").write_text("x")
print(held.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def child():
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_holder_is_named(tmp_path: Path, child) -> None:
    path = tmp_path / "locks" / "vip.lock"
    process, line = child(HOLD, path)
    assert line == "held"
    with pytest.raises(LockHeld, match="an import into `vip`") as caught, file_lock(path, wait_s=0.05):
        pass
    assert f"process {process.pid}" in str(caught.value)
    assert caught.value.retryable
    process.send_signal(signal.SIGKILL)
    process.wait()
    with file_lock(path, wait_s=5):
        pass


def test_threads_and_turns(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    first = file_lock(path, wait_s=0, holder="the first")
    with first, pytest.raises(LockHeld, match="the first"), file_lock(path, wait_s=0):
        pass
    with file_lock(path, wait_s=0, holder="b"):
        assert path.read_text().startswith("b (process ")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_released_by_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with pytest.raises(ZeroDivisionError), file_lock(path, wait_s=0):
        1 / 0  # noqa: B018
    with file_lock(path, wait_s=0):
        pass


def test_directories_of_the_living_stay(tmp_path: Path, child) -> None:
    parent = tmp_path / "attempts"
    process, line = child(STAGE, parent)
    theirs, mine = Path(line), HeldDirectory(parent, "mine")
    assert theirs.is_dir()
    assert mine.path.stat().st_mode & 0o777 == 0o700
    assert remove_abandoned(parent) == []
    process.kill()
    process.wait()
    assert remove_abandoned(parent) == [theirs]
    assert mine.path.is_dir()
    mine.release()
    mine.release()
    assert list(parent.iterdir()) == []


def test_leftovers_without_a_lock_go(tmp_path: Path) -> None:
    (tmp_path / "deleted-1").mkdir()
    (tmp_path / "only.lock").touch()
    assert remove_abandoned(tmp_path) == [tmp_path / "deleted-1"]
    assert list(tmp_path.iterdir()) == []
    assert remove_abandoned(tmp_path / "missing") == []
