"""What a demo consists of, as values: where its files are and what is true about them.

Invariant: nothing here is real. People are made up, addresses end in the reserved domains example.com, .org and .net,
telephone numbers come from ranges set aside for fiction, keys come from the seed.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - msgspec reads the annotation at run time
from typing import Any

import msgspec

#: the seed of the documentation's examples
DEFAULT_SEED = 1986


class DemoSource(msgspec.Struct, frozen=True, kw_only=True):
    """One data source to be added before the files are imported."""

    #: keyword arguments of `DataSource`
    definition: dict[str, Any]
    #: the key, hexadecimal; empty = the source has none
    key_hex: str = ""
    #: the IV of the source, hexadecimal; empty = none, or one in front of each value
    iv_hex: str = ""

    def __repr__(self) -> str:
        """Leave the key out, although it protects nobody."""
        return f"DemoSource({self.definition['name']!r}, key={'yes' if self.key_hex else 'no'})"


class DemoFile(msgspec.Struct, frozen=True, kw_only=True):
    """One import of the demo, in the order of the plan, and what is known about its lines."""

    #: the files as a person would name them: one, or every part of a split set; `.info` stands beside them
    paths: list[Path]
    #: name of the data source
    source: str
    #: name of the audience it becomes
    audience: str
    #: code of the wanted segment; empty = a simple list
    segment: str = ""
    #: column with the ID; empty = a segment file, or a list of one column
    column: str = ""
    #: None = the default; False = keep every decrypted address, in a File audience
    force_reconciliation: bool | None = None
    #: what happened, in the words of a marketer
    story: str
    #: lines that are not blank
    lines: int
    #: readable lines that do not name the wanted segment
    other_segments: int
    #: incremental files: lines that take an ID out
    removals: int = 0
    #: reason -> number of lines that cannot be accepted
    rejected: dict[str, int]


class DemoPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was written, in the order in which it is used."""

    folder: Path
    seed: int
    #: distinct people in `profile_file`
    people: int
    #: CSV with the names of profile fields as header
    profile_file: Path
    #: rows of it that an import rejects, by reason
    profile_rejects: dict[str, int]
    #: CSV: visitor_id, external_id, last_seen
    links_file: Path
    sources: list[DemoSource]
    files: list[DemoFile]
