"""DuckDB's errors as Symbolon's, with every value taken out.

Invariant: of DuckDB's text only plain words survive: its messages quote values and the statement.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from symbolon.lake.errors import DiskFull, LakeCorrupt, OutOfMemory, StatementFailed
from symbolon.lake.masking import mask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from symbolon.errors import SymbolonError

_DISK = re.compile(r"no space left|disk quota|max_temp_directory_size|out of disk", re.IGNORECASE)
_UNREADABLE = re.compile(
    r"no files found|cannot open file|no magic bytes|not a parquet|too small to be a parquet|invalid parquet|"
    r"corrupt|failed to (?:de)?compress|could not read enough|don't know what type|out of buffer|failed to deserialize|"
    r"tprotocolexception|thrift|failed to read|could not read|file .*too short|zstd|snappy|dictionary (?:index|offset)",
    re.IGNORECASE,
)


def translate(error: Exception, known: Collection[str] = ()) -> SymbolonError:
    """Give the error that says what a failed statement means for a person."""
    text = str(error)
    if _DISK.search(text):
        return DiskFull("the disk is full: the engine could not write")
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemory("the engine needs more memory than `memory_limit` allows")
    if isinstance(
        error, duckdb.IOException | duckdb.InvalidInputException | duckdb.SerializationException | pa.ArrowException
    ) and (_UNREADABLE.search(text)):
        return LakeCorrupt(f"a file of the lake cannot be read ({mask(text, known)})")
    return StatementFailed(
        f"the engine failed a statement: {mask(text, known)}", details={"kind": type(error).__name__}
    )


@contextmanager
def failures(known: Collection[str] = ()) -> Iterator[None]:
    """Raise what DuckDB raises inside as Symbolon's errors; `known` are names of columns."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:  # Arrow's while a result is read in batches
        raise translate(error, known) from None
