"""A project that the command line works on, with one engine or another, and what it holds then."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb
import psutil
from cluster_data import IV, KEY
from spark_cluster import WORKER_MEMORY, free_port

import symbolon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster_data import Deliveries

COMMAND = str(Path(sys.executable).with_name("symbolon"))
#: more than any command here may take, also one that waits for an engine that is gone
LIMIT_S = 420
_COLUMNS = ("--columns", "external_id,email", "--format", "csv")


@dataclass(frozen=True)
class Result:
    """What one command did."""

    code: int
    out: str
    err: str
    seconds: float


class Running:
    """A command under way; killed at the end of the block, if it still runs then."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self._process, self._out, self._err = process, out, err
        self._began = time.monotonic()

    def runs(self) -> bool:
        return self._process.poll() is None

    def result(self) -> Result:
        """Wait for its end."""
        try:
            code = self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.__exit__()
            raise AssertionError(f"the command has not ended in {LIMIT_S} s: {self._err.read_text()}") from None
        seconds = time.monotonic() - self._began
        return Result(code, self._out.read_text(), self._err.read_text(), seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                process.kill()
        self._process.kill()
        self._process.wait()


class ClusterProject:
    """A project in a folder of its own, with two data sources.

    Args:
        folder: made here.
        engine: what commands compute with, unless they say otherwise.
    """

    _numbers = itertools.count(1)

    def __init__(self, folder: Path, engine: str = "duckdb") -> None:
        self.folder = folder
        self.engine = engine
        #: where the page of a Spark in the command's process is
        self.ui = free_port()
        self._logs = folder.with_name(f"{folder.name}-commands")
        self._logs.mkdir(parents=True)
        self.must("init", folder, engine="duckdb")
        (self._logs / "key").write_text(KEY)
        self.must("source", "add", "partner", "--key", "email", "--protection", "sha256", engine="duckdb")
        self.must("source", "add", "lounge", "--key", "email", "--protection", "aes-cbc", "--channel", "email",
                  "--key-hex-file", self._logs / "key", "--iv", IV, engine="duckdb")  # fmt: skip
        self.configure()

    def configure(self, **more: str) -> None:
        """Say in `symbolon.toml` how Spark is to be set up; `__` in a name stands for a dot."""
        options = {
            "spark.ui.enabled": "true", "spark.ui.port": str(self.ui), "spark.executor.memory": WORKER_MEMORY,
            "spark.cores.max": "2", "spark.driver.memory": "1g", "spark.sql.shuffle.partitions": "4",
            **{name.replace("__", "."): value for name, value in more.items()},
        }  # fmt: skip
        file = self.folder / "symbolon.toml"
        text = file.read_text().split("\n[spark]\n")[0]
        table = "".join(f'"{name}" = "{value}"\n' for name, value in options.items())
        file.write_text(f"{text}\n[spark]\n{table}")

    def start(self, *arguments: object, engine: str = "") -> Running:
        """Start a command of the installed command line."""
        number = next(self._numbers)
        out, err = self._logs / f"{number}.out", self._logs / f"{number}.err"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SYMBOLON_", "SPARK_"))
        }
        environment |= {"SYMBOLON_PROJECT": str(self.folder), "SYMBOLON_ENGINE": engine or self.engine}
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=to_out, stderr=to_err,
                env=environment,
            )  # fmt: skip
        return Running(process, out, err)

    def run(self, *arguments: object, engine: str = "") -> Result:
        with self.start(*arguments, engine=engine) as command:
            return command.result()

    def must(self, *arguments: object, engine: str = "") -> Result:
        """Run a command that has to succeed."""
        result = self.run(*arguments, engine=engine)
        assert result.code == 0, f"symbolon {' '.join(map(str, arguments[:2]))}: {result.err[-3000:]}"
        return result

    def import_of(self, name: str, deliveries: Deliveries) -> list[object]:
        """Give the arguments of an import: `first`, `later` or `sealed`."""
        source, audience = ("lounge", "sealed") if name == "sealed" else ("partner", "hashed")
        file = getattr(deliveries, name)
        return ["audience", "import", file, "--source", source, "--segment", "24", "--name", audience, "--json"]

    def people(self) -> str:
        """Give all profiles, as people see them; read by DuckDB, whatever wrote them."""
        return self.must("profiles", "list", *_COLUMNS, engine="duckdb").out

    def versions(self) -> dict[str, Version]:
        """Give all that is published, by `audience/version`; read by DuckDB, whatever wrote it."""
        found = {}
        with _opened(self.folder) as opened:
            for audience in opened.store.audiences():
                rows, rejects = (opened.lake.table(f"audiences/{audience.id}/{kind}") for kind in ("rows", "rejects"))
                for one in opened.store.versions(audience.id):
                    shown = ["audience", "members", audience.name, "--version", one.version]
                    found[f"{audience.name}/{one.version}"] = Version(
                        _counts(one.receipt),
                        self.must(*shown, *_COLUMNS, engine="duckdb").out,
                        rows.files(one.rows_version),
                        [] if one.rejects_version is None else rejects.files(one.rejects_version),
                    )
        return found

    def left_behind(self) -> list[str]:
        """Give what unfinished attempts left in the lake."""
        lake = self.folder / "lake"
        return [str(path) for name in ("attempts", "tmp") if (lake / name).is_dir() for path in (lake / name).iterdir()]


@dataclass(frozen=True)
class Version:
    """A published version: its receipt without times, the members as people see them, the files of the rows."""

    receipt: dict[str, Any]
    members: str
    rows: list[str]
    rejects: list[str]

    def differing(self, other: Version) -> tuple[int, int]:
        """Give how many rows only this one and only the other one has (EXCEPT ALL both ways)."""
        pairs = ((self.rows, other.rows), (self.rejects, other.rejects))
        return sum(_only_in(a, b) for a, b in pairs), sum(_only_in(b, a) for a, b in pairs)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    assert "SYMBOLON_ENGINE" not in os.environ
    with symbolon.open(folder) as project:
        yield project


def _counts(receipt: Any) -> dict[str, Any]:
    import msgspec

    counts = msgspec.to_builtins(receipt)
    counts.pop("seconds")
    return counts


def _only_in(files: list[str], others: list[str]) -> int:
    if not files:
        return 0
    but = "except all select * from read_parquet($2)" if others else ""
    with duckdb.connect() as connection:
        statement = f"select count(*) from (select * from read_parquet($1) {but})"
        found = connection.execute(statement, [files, others] if others else [files]).fetchone()
    assert found is not None
    return int(found[0])
