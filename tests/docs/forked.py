"""A `symbolon` for the examples of pages that has its imports behind it: forked from a process that only imported.

A page has up to fifty commands, and starting up takes each of them longer than its work. Here a command is still a
process of its own, with its own arguments, folder, environment, terminal and exit code; what it lacks is the start of
an interpreter, which the tests of the command line have (`tests/cli/test_cli_real.py`), and the README, whose page is
run without this.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

#: what examples have no use for
_LEFT_OUT = ("symbolon.testing", "symbolon.lake.spark", "symbolon.cli.__main__")
#: what stands on PATH; it hands on what it was given, and ends as the command ended
_COMMAND = """\
#!{python} -IS
import json, os, signal, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(line, [len(said).to_bytes(4, "big")], [0, 1, 2])
line.sendall(said)
process = int.from_bytes(line.recv(4), "big")
if not process:
    os._exit(70)
for one in (signal.SIGTERM, signal.SIGINT):
    signal.signal(one, lambda number, _: os.kill(process, number))
code = line.recv(1)
os._exit(code[0] if code else 70)
"""


def serve(address: str) -> None:
    """Import what commands import, then fork one for each connection, until whoever began it is gone."""
    import symbolon
    from symbolon.lake.dialects import load_one_by_one

    load_one_by_one()
    _import_below(symbolon)
    importlib.import_module("ibis.backends.duckdb")
    importlib.import_module("deltalake")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    print("ready", flush=True)
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        line, _ = listening.accept()
        if not os.fork():
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _attend(line)
        line.close()


def _import_below(package: ModuleType) -> None:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name not in _LEFT_OUT:
            found = importlib.import_module(module.name)
            if module.ispkg:
                _import_below(found)


def _attend(line: socket.socket) -> None:
    """Fork the command, and tell how it ended."""
    head, fds, _, _ = socket.recv_fds(line, 4, 3)
    said = b""
    while len(said) < int.from_bytes(head, "big"):
        more = line.recv(1 << 20)
        if not more:
            os._exit(1)
        said += more
    arguments, folder, environment = json.loads(said)
    process = os.fork()
    if not process:
        line.close()
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
            os.close(fd)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter opens it
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, encoding="utf-8", closefd=False)  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        from symbolon.cli import main

        sys.argv = ["symbolon", *arguments]
        main()
    for fd in fds:
        os.close(fd)
    line.sendall(process.to_bytes(4, "big"))
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    line.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


@contextmanager
def standing_by(folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Give a folder with such a `symbolon`, for PATH."""
    place = tempfile.mkdtemp(dir="/tmp")  # the address of a socket has at most 104 signs on some systems
    address = f"{place}/line"
    command = folder / "symbolon"
    command.write_text(_COMMAND.format(python=sys.executable, address=address), encoding="utf-8")
    command.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n", "the process that commands are forked from did not start"
        yield folder
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # with commands that did not end in time
        server.communicate()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    serve(sys.argv[1])
