"""DuckDB's errors as Symbolon's, with every value taken out.

Invariant: of DuckDB's text only plain words survive. Its messages quote the value that did not fit and the line of the
statement around it; a value may be an address.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from symbolon.lake.errors import DiskFull, LakeCorrupt, OutOfMemory, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from symbolon.errors import SymbolonError

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_WORD = re.compile(r"[A-Za-z][a-z]{0,18}[.,:;!?]?|[A-Z_]{2,24}\d{0,3}[.,:;!?]?")
_HIDDEN = "…"
_DISK = re.compile(r"no space left|disk quota|max_temp_directory_size|out of disk", re.IGNORECASE)
_UNREADABLE = re.compile(
    r"no files found|cannot open file|no magic bytes|not a parquet|too small to be a parquet|invalid parquet|"
    r"corrupt|failed to (?:de)?compress|could not read enough|don't know what type|out of buffer|failed to deserialize|"
    r"tprotocolexception|thrift|failed to read|could not read|file .*too short|zstd|snappy|dictionary (?:index|offset)",
    re.IGNORECASE,
)


def mask(text: str, known: Collection[str] = ()) -> str:
    """Give an engine's message without values, numbers and statement text.

    Args:
        text: the message as it came.
        known: quoted words that may stay: names of columns.
    """
    first = text.strip().split("\n", 1)[0]

    def quoted(match: re.Match[str]) -> str:
        word = match.group()
        return word if word[1:-1] in known else f"{word[0]}{_HIDDEN}{word[0]}"

    words = _QUOTED.sub(quoted, first).split()
    kept = [
        word if _WORD.fullmatch(word) or word.strip("\"'.,:;!`()") in {*known, _HIDDEN} else _HIDDEN for word in words
    ]
    return re.sub(rf"{_HIDDEN}(?: {_HIDDEN})+", _HIDDEN, " ".join(kept))[:300]


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
