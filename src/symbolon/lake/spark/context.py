"""The classic Spark of this process: one Java and one context, which all engines of the process share.

Each engine has a session of its own in it, with its own views. The last one that closes stops the context.

Invariant: a context that was started here is stopped here, one that was there before is only used.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from symbolon.lake.errors import EngineUnreachable
from symbolon.lake.locks import HeldDirectory
from symbolon.lake.spark.failures import failures_of_start
from symbolon.lake.spark.java import find_java
from symbolon.lake.spark.options import DEFAULTS, MEANING, megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: how long a cluster may take to give its first worker
START_S = 90
_CONNECT_S = 10


@dataclass(slots=True)
class Context:
    """The classic context of this process, and who uses it."""

    url: str
    spark: Any
    held: HeldDirectory | None
    users: int = 0

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _one: ClassVar[Context | None] = None

    @classmethod
    def enter(cls, url: str, root: Path, threads: int, memory_limit: str, options: Mapping[str, str]) -> Context:
        """Give the context, started if this is the first who needs it."""
        from pyspark import SparkContext  # noqa: PLC0415 - heavy

        with cls._lock:
            there = cls._one
            if there is not None and there.spark._jsc is None:  # noqa: SLF001 - somebody else stopped it
                there = cls._one = None
            active = SparkContext._active_spark_context  # noqa: SLF001 - no public way to ask
            if there is None and active is not None:
                there = Context(str(active.master), active, None)  # somebody else's: used, never stopped
            if there is not None and there.url != url:
                raise EngineUnreachable(
                    f"this process has Spark on `{there.url}` open already; it can have only one",
                    hint="close the other project first, or use another process",
                )
            if there is None:
                held = HeldDirectory(root / "tmp", "spark")
                try:
                    there = Context(url, _start(url, held.path, threads, memory_limit, options), held)
                except BaseException:
                    held.release()
                    raise
            cls._one = there
            there.users += 1
            return there

    def leave(self) -> None:
        """Let go; the last one stops what was started here."""
        with self._lock:
            self.users -= 1
            if self.users or self.held is None:
                return
            Context._one = None
            with suppress(Exception):  # its Java may be gone
                self.spark.stop()
            _forget_dead_java()
            self.held.release()

    def new_session(self) -> Any:
        """Give a session with views and settings of its own."""
        from pyspark.sql import SparkSession  # noqa: PLC0415 - heavy

        return SparkSession(self.spark).newSession()

    def has_workers(self) -> bool:
        """Whether any executor is there; the driver counts as one."""
        return int(self.spark._jsc.sc().getExecutorMemoryStatus().size()) > 1  # noqa: SLF001

    def cancel(self) -> None:
        """Stop what runs."""
        self.spark.cancelAllJobs()


def _start(url: str, directory: Path, threads: int, memory_limit: str, options: Mapping[str, str]) -> Any:
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - heavy
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    conf = SparkConf(loadDefaults=True)
    conf.setMaster(url)
    for name, value in {**DEFAULTS, **_place(url, directory, threads, memory_limit), **options, **MEANING}.items():
        conf.set(name, value)
    _reachable(url)
    log = directory / "spark.log"
    log.touch(mode=0o600)
    with failures_of_start(url), log.open("ab") as sink:
        if SparkContext._gateway is None:  # noqa: SLF001 - a Java that runs already is used again
            own = _java_directory()
            given = conf.get("spark.driver.extraJavaOptions", "") or ""
            conf.set("spark.driver.extraJavaOptions", f'{given} "-Djava.io.tmpdir={own}"'.strip())
            with _environment(JAVA_HOME=str(find_java(os.environ, own))):
                gateway = launch_gateway(conf, {"stderr": sink, "stdout": sink})
        else:
            gateway = SparkContext._gateway  # noqa: SLF001
        context = SparkContext(conf=conf, gateway=gateway)
    if not url.startswith("local"):
        _wait_for_workers(context, url)
    return context


def _place(url: str, directory: Path, threads: int, memory_limit: str) -> dict[str, str]:
    """Give what depends on where Spark runs."""
    host = (urlsplit(url).hostname or "") if url.startswith("spark://") else "localhost"
    place: dict[str, str] = {}
    if url.startswith("local") or host == "localhost" or host.startswith("127."):
        place |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if url.startswith("local"):
        place |= {
            "spark.local.dir": str(directory),
            "spark.sql.warehouse.dir": str(directory / "warehouse"),
            "spark.driver.memory": f"{max(1024, megabytes(memory_limit))}m",
            "spark.sql.shuffle.partitions": str(max(2, 2 * threads)),
        }
    return place


def _reachable(url: str) -> None:
    """Ask each master whether it is there, which costs nothing; Spark itself would try for a minute."""
    if not url.startswith("spark://"):
        return
    for address in url.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        with suppress(OSError, ValueError), socket.create_connection((host, int(port or 7077)), _CONNECT_S):
            return
    raise EngineUnreachable(f"no Spark master answers at `{url}`")


def _wait_for_workers(context: Any, url: str) -> None:
    deadline = time.monotonic() + START_S
    while int(context._jsc.sc().getExecutorMemoryStatus().size()) < 2:  # noqa: SLF001 - no public way to ask
        if time.monotonic() > deadline:
            context.stop()
            raise EngineUnreachable(
                f"`{url}` gave no worker within {START_S} s",
                hint="see on the master's page whether workers are alive and have free cores and memory; "
                "the table [spark] in symbolon.toml may ask for less (spark.executor.memory, spark.cores.max)",
            )
        time.sleep(0.1)


def _java_directory() -> Path:
    """Make a directory for what Java leaves: it lives as long as this process, as Java does."""
    directory = Path(tempfile.mkdtemp(prefix="symbolon-java-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _forget_dead_java() -> None:
    """Take a Java that has ended, and the context it had, out of the way of the next one."""
    from pyspark import SparkContext  # noqa: PLC0415 - heavy
    from pyspark.sql import SparkSession  # noqa: PLC0415

    process = getattr(SparkContext._gateway, "proc", None)  # noqa: SLF001 - no public way, here and below
    if process is None:
        return
    with suppress(subprocess.TimeoutExpired):  # a killed one may take a moment to be gone
        process.wait(0.2)
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None  # noqa: SLF001
        SparkSession._instantiatedSession = None  # noqa: SLF001
