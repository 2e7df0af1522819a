"""The log of a run and its table: what the documentation shows."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field
from pathlib import Path

#: columns of the table
_HEAD = ("What", "Seconds", "Matched", "Members", "Rows that differ")


@dataclass
class Report:
    """Collects lines and rows; says each line at once."""

    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Add a line to the log."""
        line = f"{time.monotonic() - self.began:7.1f} s  {text}"
        self.lines.append(line)
        print(line, flush=True)

    def compare(self, what: str, seconds: float, matched: int, members: int, differing: tuple[int, int]) -> None:
        """Add a row to the table."""
        only, missing = differing
        self.rows.append((what, f"{seconds:.1f}", f"{matched:,}", f"{members:,}", f"{only} / {missing}"))

    def table(self) -> str:
        """Give the table as Markdown."""
        ruler = ("---", *["---:"] * (len(_HEAD) - 1))
        return "\n".join("| " + " | ".join(row) + " |" for row in (_HEAD, ruler, *self.rows))

    def write(self, path: Path) -> None:
        """Write table and log as Markdown, as docs/reference/cluster-test.md has it."""
        log = "\n".join(self.lines)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self.table()}\n\n```text\n{_machine()}\n{log}\n```\n", encoding="utf-8")


def _machine() -> str:
    import os
    from importlib.metadata import version

    return (
        f"Spark {version('pyspark')}, DuckDB {version('duckdb')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores shared by everything"
    )
