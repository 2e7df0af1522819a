"""A real Spark cluster of our own: a standalone master, workers, and a Connect server, only from the package pyspark.

Everything listens on loopback, on free ports, and lives in one folder. Each daemon hangs on a pipe from this process,
so nothing outlives it, however it ends; executors go with their worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from symbolon.lake.spark.java import find_java

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: how long anything may take that is waited for; generous, because it is only a bound
PATIENCE_S = 180
_POLL_S = 0.02
#: small enough for two workers beside a driver on a machine with two cores
WORKER_MEMORY = "1g"
_CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


#: ends with the program; ends the program when nobody holds the other end of its input any more
_SHELL = 'exec 3<&0; "$@" </dev/null 3<&- & program=$!; { cat <&3 >/dev/null; kill -KILL $program; } & wait $program'


class ClusterError(RuntimeError):
    """Something of the cluster did not come to be; the end of its log is in the text."""


def wait_for(what: str, look: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """Look again and again until something true is seen; give it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise ClusterError(f"in {seconds} s this was not seen: {what}")
        time.sleep(_POLL_S)
    return seen


def tail(log: Path) -> str:
    """Give the end of a log, without what only says that all is well."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if " INFO " not in line]
    return "\n".join([f"--- {log}", *lines[-25:]])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Daemon:
    """One program of Spark in the background, behind the shell that ends it when this process is gone."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._shell = subprocess.Popen(
                ["sh", "-c", _SHELL, "sh", *command],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True,
            )  # fmt: skip

    def javas(self) -> list[psutil.Process]:
        """Give the Java processes behind the wrappers: the daemon's own, and the executors that it started."""
        return [process for process in self._below() if _is_java(process)]

    def signal(self, number: int) -> None:
        """Send a signal to all its Java processes."""
        for process in self.javas():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self) -> None:
        """End it with all its processes (SIGKILL). May be called twice."""
        below = self._below()
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
        self._shell.wait(30)
        psutil.wait_procs(below, 30)

    def is_alive(self) -> bool:
        """Whether the program, or the wrapper that is about to become it, runs."""
        return self._shell.poll() is None

    def _below(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._shell.pid).children(recursive=True)
        return []

    def tail(self) -> str:
        return tail(self.log)


class Worker(Daemon):
    """A worker with one core; `hidden` is a folder that it sees empty, as a machine without the shared storage."""

    def __init__(self, name: str, cluster: Cluster, hidden: Path | None = None) -> None:
        self.port = free_port()
        work = cluster.folder / f"{name}-work"
        command = cluster.spark_class(
            "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--port", self.port,
            "--webui-port", free_port(), "--cores", 1, "--memory", WORKER_MEMORY, "--work-dir", work, cluster.url,
        )  # fmt: skip
        if hidden is not None:
            mount = 'mount -t tmpfs none "$0" && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", mount, str(hidden), *command]
        super().__init__(name, command, cluster.folder, cluster.environment)

    def executors(self) -> dict[str, psutil.Process]:
        """Give the executors that it runs now, by Spark's number of them."""
        found = {}
        for process in self.javas():
            with contextlib.suppress(psutil.Error, ValueError):
                line = process.cmdline()
                found[line[line.index("--executor-id") + 1]] = process
        return found


class Cluster:
    """A master, and the workers that are started on it.

    Args:
        folder: where logs and work folders go; kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._spark = Path(next(iter(find_spec("pyspark").submodule_search_locations)))  # type: ignore[union-attr, arg-type]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "SYMBOLON_"))},
            "JAVA_HOME": str(find_java(os.environ, folder)),
            "SPARK_HOME": str(self._spark),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "384m",
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "PYSPARK_PYTHON": sys.executable,
        }
        self.port, self._page = free_port(), free_port()
        self.master: Daemon | None = None
        self.workers: dict[str, Worker] = {}
        self.connect: Daemon | None = None
        self.connect_ui = 0
        self._started = 0

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in filter(None, [self.connect, *self.workers.values(), self.master]):
            daemon.kill()
        self.connect = self.master = None
        self.workers = {}

    def start(self) -> None:
        """Start what is missing of one master and two workers; wait until nobody uses any of them."""
        if self.master is None or not self.master.is_alive():
            self.master = Daemon("master", self.spark_class(
                "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", self.port,
                "--webui-port", self._page,
            ), self.folder, self.environment)  # fmt: skip
            self._wait("the master's page", lambda: self.state() is not None)
        for name in [name for name, worker in self.workers.items() if not worker.is_alive()]:
            self.workers.pop(name).kill()
        while len(self.workers) < 2:
            self.add_worker()
        ports = {worker.port for worker in self.workers.values()}
        self._wait("two free workers", lambda: ports == self._free_workers())

    def add_worker(self, hidden: Path | None = None) -> Worker:
        """Start one more worker."""
        self._started += 1
        worker = Worker(f"worker{self._started}", self, hidden)
        self.workers[worker.name] = worker
        return worker

    def kill_worker(self, name: str) -> None:
        """Kill (SIGKILL) a worker and its executors."""
        self.workers.pop(name).kill()

    def state(self) -> dict[str, Any] | None:
        """Give what the master says of itself; None while it does not answer."""
        return fetch_json(f"http://127.0.0.1:{self._page}/json/")

    @contextlib.contextmanager
    def connect_server(self) -> Iterator[str]:
        """Run a Connect server on the cluster; give its URL."""
        url = self.start_connect()
        try:
            yield url
        finally:
            self.stop_connect()

    def start_connect(self) -> str:
        """Start the Connect server and wait until a session of it answers."""
        port, self.connect_ui = free_port(), free_port()
        options = {
            "spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": port,
            "spark.ui.port": self.connect_ui, "spark.driver.host": "127.0.0.1", "spark.driver.memory": "1g",
            "spark.executor.memory": WORKER_MEMORY, "spark.cores.max": 2, "spark.sql.shuffle.partitions": 4,
            "spark.log.level": "WARN",
        }  # fmt: skip
        pairs = [part for name, value in options.items() for part in ("--conf", f"{name}={value}")]
        # what sbin/start-connect-server.sh does, which the package of 4.0 leaves out
        command = [str(self._spark / "bin" / "spark-submit"), "--class", _CONNECT_SERVER, "--master", self.url, *pairs,
                   "spark-internal"]  # fmt: skip
        # this variable, where set, is the server's memory too
        environment = {**self.environment, "SPARK_DAEMON_MEMORY": "1g"}
        self.connect = Daemon("connect", command, self.folder, environment)
        url = f"sc://127.0.0.1:{port}"
        self._wait("the Connect server's port", lambda: _listens(port))
        done = subprocess.run(
            [sys.executable, "-c", _FIRST_QUESTION, url],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=self.environment,
        )  # fmt: skip
        if done.returncode:
            raise ClusterError(f"the Connect server does not answer: {done.stderr[-2000:]}\n{self.connect.tail()}")
        return url

    def stop_connect(self) -> None:
        if self.connect is not None:
            self.connect.kill()
            self.connect = None

    def spark_class(self, *arguments: object) -> list[str]:
        return [str(self._spark / "bin" / "spark-class"), *map(str, arguments)]

    def tails(self) -> str:
        """Give the ends of all logs, for whoever looks for what went wrong."""
        logs = sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*-work/*/*/stderr"))
        return "\n".join(tail(log) for log in logs)

    def _free_workers(self) -> set[int]:
        state = self.state() or {"workers": [], "activeapps": [1]}
        alive = [worker for worker in state["workers"] if worker["state"] == "ALIVE"]
        if state["activeapps"] or any(worker["coresfree"] != worker["cores"] for worker in alive):
            return set()
        return {worker["port"] for worker in alive} & {worker.port for worker in self.workers.values()}

    def _wait(self, what: str, look: Callable[[], Any]) -> None:
        def seen() -> Any:
            for daemon in filter(None, [self.master, self.connect, *self.workers.values()]):
                if not daemon.is_alive():
                    raise ClusterError(f"{daemon.name} has ended\n{daemon.tail()}")
            return look()

        try:
            wait_for(what, seen)
        except ClusterError as error:
            raise ClusterError(f"{error}\n{self.tails()}") from None


_FIRST_QUESTION = """
import sys
from pyspark.sql.connect.session import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).create()
assert spark.range(10).count() == 10
spark.stop()
"""


def can_hide() -> bool:
    """Whether a process of ours may have mounts of its own (root, on Linux)."""
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /tmp"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _is_java(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.name() == "java"
    return False


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def fetch_json(url: str) -> Any:
    """Give what a page of Spark answers; None while it does not."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback
            return json.load(answer)
    except (OSError, urllib.error.URLError, ValueError):
        return None
