"""A Spark session of our own: in this process (`local[2]`), on a cluster (`spark://`), on a Connect server (`sc://`).

Invariant: whoever waits for a statement also sees whether Spark still answers, so a cluster without workers and a
server that hangs are told in bounded time.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from symbolon.lake.errors import EngineLost, EngineUnreachable
from symbolon.lake.spark.context import Context
from symbolon.lake.spark.failures import failures, failures_of_start
from symbolon.lake.spark.options import MEANING, is_connect, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")

#: how long a cluster or a server may take to give the first answer
START_S = 90
#: how long it may then be silent, or without any worker, before it is given up
SILENCE_S = 60
_TURN_S = 2
_CONNECT_S = 10
#: PySpark's own loggers that print failed statements, with the values they failed on
_TELLTALES = ("SQLQueryContextLogger", "DataFrameQueryContextLogger", "pyspark.sql.connect.logging")


class Connection:
    """One session, watched.

    Args:
        url: `local[N]`, `spark://host:port` or `sc://host:port`.
        root: the lake.
        threads: cores of a local Spark that does not say.
        memory_limit: memory of a local Spark, in DuckDB's notation.
        options: further configuration of Spark.

    Raises:
        JavaMissing: a classic Spark finds no Java.
        EngineUnreachable: nobody answers.
    """

    def __init__(
        self, url: str, root: Path, *, threads: int, memory_limit: str, options: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self._closed = self._lost = False
        self._context: Context | None = None
        options = dict(options or {})
        for name in _TELLTALES:
            logging.getLogger(name).disabled = True
        if is_connect(url):
            self.session: Any = _within(START_S, lambda: _connect(url, options), url)
        else:
            self._context = Context.enter(url, root, threads, memory_limit, options)
            with failures():
                self.session = self._context.new_session()
        with failures():
            for name, value in MEANING.items():
                self.session.conf.set(name, value)

    @property
    def is_local(self) -> bool:
        """Whether Spark runs on this machine only, in a process of ours."""
        return self.url.startswith("local")

    def run(self, work: Callable[[], T]) -> T:
        """Do `work`, which waits for Spark; give up when Spark does not answer any more.

        Raises:
            EngineLost: it was silent, or had no worker, for `SILENCE_S` seconds.
            StatementFailed: and whatever else `failures` makes of an error.
        """
        with failures():
            if self.is_local:
                return work()
            if self._lost:  # nobody waits for it a second time
                raise EngineLost(f"{shown(self.url)} does not answer any more")
            answer = _in_background(work)
            try:
                self._watch(answer)
            except BaseException:
                if not answer.done():
                    _in_background(self._interrupt)
                raise
            return answer.result()

    def _watch(self, answer: Future[T]) -> None:
        """Wait for an answer as long as Spark shows that it is there."""
        seen = time.monotonic()
        ping: Future[bool] | None = None
        while not _done(answer, _TURN_S):
            if ping is None:
                ping = _in_background(self._answers)
            elif ping.done():
                if ping.exception() is None and ping.result():
                    seen = time.monotonic()
                ping = None
            if time.monotonic() - seen > SILENCE_S:
                self._lost = True
                raise EngineLost(
                    f"{shown(self.url)} has not answered, or had no worker, for {SILENCE_S} s; nothing was published"
                )

    def counting(self, rows: Any) -> tuple[Any, Any]:
        """Give the same rows, and what counts them while they pass: its `get["rows"]`, once they have.

        The counter sits on top, in the tasks that write: Spark counts those once, also where one is run again.
        """
        if self._context is None:
            from pyspark.sql.connect.functions import count, lit  # noqa: PLC0415 - heavy
            from pyspark.sql.connect.observation import Observation  # noqa: PLC0415
        else:
            from pyspark.sql import Observation  # noqa: PLC0415
            from pyspark.sql.functions import count, lit  # noqa: PLC0415
        passed = Observation()
        return rows.observe(passed, count(lit(1)).alias("rows")), passed

    def close(self) -> None:
        """End the session. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._context is not None:
            self._context.leave()
            return
        with suppress(NotYet, Exception):  # a server that is gone cannot be told
            _in_background(self.session.stop).result(_CONNECT_S)

    def _answers(self) -> bool:
        if self._context is None:
            return bool(self.session.conf.get("spark.sql.session.timeZone"))  # its `version` is asked for only once
        return self._context.has_workers()

    def _interrupt(self) -> None:
        if self._context is None:
            self.session.interruptAll()
        else:
            self._context.cancel()


def _connect(url: str, options: Mapping[str, str]) -> Any:
    from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415 - heavy

    builder = SparkSession.builder.remote(url).appName("symbolon")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.create()
    _ = session.version  # the first question that is really asked
    return session


def _within(seconds: float, work: Callable[[], T], url: str) -> T:
    with failures_of_start(url):
        try:
            return _in_background(work).result(seconds)
        except NotYet:
            raise EngineUnreachable(f"`{shown(url)}` did not answer within {seconds} s") from None


def _done(answer: Future[Any], seconds: float) -> bool:
    """Wait a while for an answer, or an error; tell whether there is one."""
    return bool(wait([answer], seconds).done)


def _in_background(work: Callable[[], T]) -> Future[T]:
    """Start `work` in a thread that nobody has to wait for, not even the end of the process."""
    answer: Future[T] = Future()

    def target() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            answer.set_exception(error)

    threading.Thread(target=target, name="spark", daemon=True).start()
    return answer
