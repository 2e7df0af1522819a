"""What inspecting a file tells: facts, counts and guesses, without an ID in the clear."""

from __future__ import annotations

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a list."""

    name: str
    #: type in Parquet and NDJSON; `text` in CSV and TSV
    type: str = "text"
    #: guessed kind of its values; empty = none that is known
    looks_like: str = ""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of a segment file, or one trait of an inbound file."""

    segment: str
    #: lines that name it as added
    added: int = 0
    #: lines that name it as removed
    removed: int = 0


class RejectedSample(msgspec.Struct, frozen=True, kw_only=True):
    """A line that cannot be read."""

    line: int
    reason: str
    #: its beginning with the middle hidden
    masked: str


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file looks like. Counts are of the part that was read; `complete` says whether that is the whole file."""

    file: str
    size_bytes: int
    #: `segments` (rows of a segment file), `inbound` (lines of an inbound file), `list`, or `control` (an `.info`)
    kind: str
    #: `rows`, `inbound`, `csv`, `tsv`, `ndjson`, `parquet`, `info`
    format: str
    #: `gzip` or empty
    compression: str = ""
    #: elements of a segment file's name: type, destination, dpid, alias, mode, timestamp, split; of an inbound file's:
    #: dpid, owner, mode, timestamp, split
    name: dict[str, str | int | None] = {}
    #: what parts the cells of a CSV file
    delimiter: str = ""
    has_header: bool = False
    columns: list[Column] = []
    #: segments, or traits of an inbound file; the largest first, at most 1,000
    segments: list[Segment] = []
    #: how many there are
    segment_count: int = 0
    #: keys of an inbound file's signals, with the items that have them; the most frequent first, at most 1,000. What
    #: may be more than a name has its middle hidden
    signals: dict[str, int] = {}
    #: how many keys there are
    signal_count: int = 0
    #: rows read: neither blank nor a header
    lines: int = 0
    #: whether the whole file was read
    complete: bool = True
    #: guessed kind of the IDs, with the share of sampled IDs that look so, the most frequent first
    id_kinds: dict[str, float] = {}
    #: the first rows, every value with its middle hidden
    first_rows: list[list[str]] = []
    #: lines that cannot be read, by reason
    rejected: dict[str, int] = {}
    #: the first of them
    rejected_lines: list[RejectedSample] = []
    #: what a person should know
    notes: list[str] = []

    @property
    def id_kind(self) -> str:
        """The kind that most IDs look like; empty = none that is known."""
        return next(iter(self.id_kinds), "")
