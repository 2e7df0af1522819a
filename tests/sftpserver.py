"""A real OpenSSH server for tests: /usr/sbin/sshd, or what SYMBOLON_SSHD names, on loopback.

It has host keys of its own and one user, whoever runs the tests, who comes in by a key of its own. Its files are those
of this machine: each test works in a folder of its own.

A suite imports the fixture it needs: `from sftpserver import server`.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "SYMBOLON_SSHD"
_CONFIGURATION = """\
Port {port}
ListenAddress 127.0.0.1
{host_keys}
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
MaxSessions 100
LogLevel ERROR
Subsystem sftp internal-sftp
"""


class SshServer:
    """A server of our own.

    Args:
        folder: an empty folder for its keys and its configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.user = getpass.getuser()
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.private_key = self.client_key.export_private_key().decode()
        (folder / "authorized_keys").write_bytes(self.client_key.export_public_key())
        self.new_host_keys()

    @property
    def secret(self) -> dict[str, str]:
        """Give what a transport logs in with."""
        return {"private_key": self.private_key}

    @property
    def options(self) -> dict[str, str]:
        """Give the options of a transport to this server: its host key, pinned."""
        return {"host_key": self.host_key, "connect_timeout": "10"}

    def url(self, root: Path | str) -> str:
        """Give the URL of a transport whose root is a folder of this machine."""
        return f"sftp://{self.user}@127.0.0.1:{self.port}{root}"

    def new_host_keys(self) -> None:
        """Make other host keys, of two kinds; the server has them from its next start on."""
        self.host_keys = {}
        for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
            key = asyncssh.generate_private_key(kind)
            path = self._folder / f"host_{kind}"
            path.write_bytes(key.export_private_key())
            path.chmod(0o600)
            self.host_keys[kind] = " ".join(key.export_public_key().decode().split()[:2])
        self.host_key = self.host_keys["ssh-ed25519"]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        for _ in range(3):  # somebody may take the port in between
            keys = "\n".join(f"HostKey {self._folder}/host_{kind}" for kind in self.host_keys)
            configuration = self._folder / "sshd_config"
            configuration.write_text(_CONFIGURATION.format(port=self.port, folder=self._folder, host_keys=keys))
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [str(program()), "-D", "-e", "-f", str(configuration)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            if self._answers():
                return
            self.kill()
            self.port = free_port()
        raise RuntimeError(f"sshd does not start: {(self._folder / 'log').read_text()[-2000:]}")

    def kill(self) -> None:
        """Kill it with all its sessions (SIGKILL)."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            first.suspend()  # it makes no further sessions
            processes = [*first.children(recursive=True), first]
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self._process = None

    def kill_sessions(self) -> None:
        """Kill every session, but not the server."""
        assert self._process is not None
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)

    def hold(self) -> None:
        """Stop every session where it is (SIGSTOP); `kill` ends them."""
        assert self._process is not None
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def _answers(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                if probe.recv(4) == b"SSH-":
                    return True
            time.sleep(0.02)
        return False


def program() -> Path | None:
    """Give the server's program; None = there is none."""
    given = os.environ.get(VARIABLE) or shutil.which("sshd") or "/usr/sbin/sshd"
    return Path(given) if Path(given).is_file() else None


def skip_where_there_is_none() -> None:
    """Skip where sshd is not installed, or root lacks what it needs to drop its rights."""
    if program() is None:
        pytest.skip(f"there is no sshd: install openssh-server, or name it by {VARIABLE}")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
        import pwd

        try:
            pwd.getpwnam("sshd")
        except KeyError:
            pytest.skip("root's sshd needs the user `sshd`, which the package openssh-server makes")
    if _is_locked():
        pytest.skip("the account that runs the tests is locked: sshd without PAM lets it in by no key")


def _is_locked() -> bool:
    """Tell whether the password field of the own account says so; where it cannot be read, sshd cannot either."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/shadow").read_text("utf-8", "replace").splitlines():
            name, _, rest = line.partition(":")
            if name == getpass.getuser():
                return rest.startswith("!")
    return False


@contextlib.contextmanager
def running() -> Iterator[SshServer]:
    """Give a server of our own, which may be killed and started."""
    skip_where_there_is_none()
    folder = Path(tempfile.mkdtemp(prefix="symbolon-ssh-"))
    server = None
    try:
        server = SshServer(folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[SshServer]:
    """A server for all tests of this process; they never stop it."""
    with running() as own:
        yield own


@pytest.fixture
def mortal_server() -> Iterator[SshServer]:
    """A server of one test, which may kill it."""
    with running() as own:
        yield own


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def transport_to(server: SshServer, root: Path | str, **options: Any) -> Any:
    """Open a transport to a folder, by key."""
    from symbolon.transports import open_transport

    return open_transport(server.url(root), {**server.options, **options}, server.secret, base=Path("/"))
