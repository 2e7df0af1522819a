"""The command line in this process (`cli`) and as a process of its own (`symbolon`), on a copy of a small project."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_shop import Result, make_shop

from symbolon.cli.entry import run

ENVIRONMENT = {"COLUMNS": "100", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SYMBOLON_")] + ["NO_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(made_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project and its deliveries; the working folder is the project."""
    shutil.copytree(made_shop, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy" / "shop")
    return tmp_path / "copy"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run one command in this process."""

    def call(*arguments: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def symbolon():
    """Run the real command as a process."""
    command = Path(sys.executable).with_name("symbolon")

    def call(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Result:
        done = subprocess.run(
            [command, *map(str, arguments)],
            input=stdin, capture_output=True, timeout=60, check=False, env={**os.environ, **environment},
        )  # fmt: skip
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call
