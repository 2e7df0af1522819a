"""A Parquet file that was written and is not part of a table yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One Parquet file in a staging directory."""

    #: where it is
    path: Path
    #: how many rows it holds
    rows: int
    #: its size in bytes
    size_bytes: int
