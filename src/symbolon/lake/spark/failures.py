"""Spark's errors as Symbolon's, with every value taken out.

Invariant: of an error of a statement only Spark's own name for it survives (`CAST_INVALID_INPUT`): its text quotes
values and the statement.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from symbolon.lake.errors import (
    DiskFull,
    EngineLost,
    EngineUnreachable,
    LakeCorrupt,
    OutOfMemory,
    PathsDiffer,
    StatementFailed,
)
from symbolon.lake.spark.options import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.errors import SymbolonError

_GONE = re.compile(
    r"SparkContext was (?:stopped|shut down)|stopped SparkContext|Answer from Java side is empty|Connection refused|"
    r"Error while (?:sending|receiving)|Connection reset|StatusCode\.(?:UNAVAILABLE|CANCELLED|DEADLINE_EXCEEDED)|"
    r"INVALID_HANDLE|SESSION_(?:CLOSED|CHANGED|NOT_FOUND)|failed to connect|Socket closed|JAVA_GATEWAY_EXITED|"
    r"cancelled because SparkContext|Master removed our application|All masters are unresponsive|RETRIES_EXCEEDED",
    re.IGNORECASE,
)
_DISK = re.compile(r"No space left on device|Disk quota exceeded|DiskErrorException|Could not find any valid local dir")
_MEMORY = re.compile(r"OutOfMemoryError|UNABLE_TO_ACQUIRE_MEMORY|OUT_OF_MEMORY|exceeding memory limits|Java heap space")
#: this process has read the file before Spark is told of it
_UNSEEN = re.compile(r"PATH_NOT_FOUND|FileNotFoundException|FILE_NOT_EXIST|AccessDeniedException|Permission denied")
_UNREADABLE = re.compile(
    r"FAILED_READ_FILE|is not a Parquet file|ParquetDecodingException|CANNOT_READ_FILE|Could not read footer|"
    r"UNABLE_TO_INFER_SCHEMA"
)
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]{2,60}(?:\.[A-Z0-9_]{2,60})?)\]")


def translate(error: Exception) -> SymbolonError:
    """Give the error that says what a failed statement means for a person."""
    text = _text(error)
    if isinstance(error, Py4JNetworkError | ConnectionError | EOFError) or _GONE.search(text):
        return EngineLost("Spark went away in the middle of a statement; nothing was published")
    if _DISK.search(text):
        return DiskFull("the disk is full: Spark could not write")
    if _MEMORY.search(text):
        return OutOfMemory(
            "Spark needs more memory than it may use",
            hint="raise `memory_limit` (local Spark) or spark.executor.memory in the table [spark] of symbolon.toml",
        )
    if _UNSEEN.search(text):
        return PathsDiffer("Spark's workers do not see a file of this project, or may not read or write it")
    if _UNREADABLE.search(text):
        return LakeCorrupt("Spark cannot read a file of the lake: it is damaged")
    condition = _condition(error, text)
    return StatementFailed(
        f"the engine failed a statement: {condition}", details={"kind": type(error).__name__, "condition": condition}
    )


@contextmanager
def failures() -> Iterator[None]:
    """Raise what Spark raises inside as Symbolon's errors."""
    try:
        yield
    except (PySparkException, Py4JError, ConnectionError, EOFError, pa.ArrowException) as error:
        raise translate(error) from None
    except RuntimeError as error:  # py4j and grpc raise it bare when the other side is gone
        if not _GONE.search(_text(error)):
            raise
        raise translate(error) from None


@contextmanager
def failures_of_start(url: str) -> Iterator[None]:
    """Raise whatever goes wrong at the start as a Spark that cannot be reached."""
    try:
        with failures():
            yield
    except EngineLost:
        raise EngineUnreachable(f"Spark did not start, or nobody answers at `{shown(url)}`") from None


def _text(error: Exception) -> str:
    try:
        return f"{type(error).__name__} {error}"
    except Exception:  # noqa: BLE001 - py4j asks the JVM for the text, and the JVM may be gone
        return "Connection refused"


def _condition(error: Exception, text: str) -> str:
    """Give Spark's name of the error: never a value, for it comes from Spark's own list."""
    if isinstance(error, PySparkException):
        name = error.getCondition()
        if name:
            return str(name)
    found = _CONDITION.findall(text)
    return found[-1] if found else type(error).__name__
