"""Files to drop where a feed looks, and a clock that is moved by hand."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path


def digest(number: int) -> str:
    return hashlib.sha256(f"p{number}@example.com".encode()).hexdigest()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def members(project, name: str = "Arrived") -> list[str]:
    return project.audiences.members(name, columns=["external_id"]).to_arrow().column(0).to_pylist()


def write_set(folder: Path, stamp: int, parts: list[list[int]], *, info: bool = True, mode: str = "full") -> list[Path]:
    """Write a delivery, its control file last; give the paths, the control file first."""
    root = f"S3_1_7_{mode}_{stamp}"
    paths = []
    listed = []
    for place, numbers in enumerate(parts):
        path = folder / f"{root}{f'{place:03}' if place else ''}.sync"
        path.write_text("".join(f"{digest(number)} 24\n" for number in numbers))
        content = path.read_bytes()
        listed.append(
            {
                "FileName": path.name,
                "FileByteSize": len(content),
                "FileLineCount": len(numbers),
                "FileSequenceNumber": place + 1,
                "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            }
        )
        paths.append(path)
    if info:
        control = folder / f"{root}.info"
        control.write_text(json.dumps({"Files": listed}))
        return [control, *paths]
    return paths
