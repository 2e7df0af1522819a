"""Reading segment rows line by line, in plain Python: what the columnar reader is compared with."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from symbolon.files import blocks, parse_rows

CODE = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
KEPT = 256


@dataclass
class Read:
    """What a whole file says: (line from 1, ID, segment, removed) and the rest counted."""

    rows: list[tuple[int, bytes, str | None, bool]] = field(default_factory=list)
    rejected: list[tuple[int, str, bytes]] = field(default_factory=list)
    other_segments: int = 0
    nonblank: int = 0
    line_count: int = 0

    def accounted(self) -> int:
        return len({row[0] for row in self.rows}) + len(self.rejected) + self.other_segments


def read_plainly(content: bytes, *, mode: str, segment: str | None, max_line: int = 102_400) -> Read:
    result = Read()
    content = content.removeprefix(b"\xef\xbb\xbf")
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    result.line_count = len(lines)
    for number, line in enumerate(lines, start=1):
        bare = line.removesuffix(b"\r")
        text = line.rstrip(b" \t\r")
        if len(bare) > max_line:
            result.nonblank += 1
            result.rejected.append((number, "line_too_long", line[:KEPT]))
            continue
        if not text:
            continue
        result.nonblank += 1
        entries = _entries(text, mode, segment)
        if entries is None:
            kept = line[:KEPT] if len(line) > KEPT else line.rstrip(b"\r")
            result.rejected.append((number, "malformed_line", kept))
        elif not entries:
            result.other_segments += 1
        else:
            value = re.split(rb"[ \t]+", text)[0]
            result.rows += [(number, value, code, removed) for code, removed in entries]
    return result


def _entries(text: bytes, mode: str, segment: str | None) -> list[tuple[str | None, bool]] | None:
    """Give what a line says as (segment, removed); None = malformed, empty = nothing about the wanted segment."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    fields = re.split(rb"[ \t]+", text)
    if b"\0" in text or not 2 <= len(fields) <= 3 or not fields[0]:
        return None
    lists = [part.split(b",") for part in fields[1:]]
    if not all(CODE.fullmatch(code) for part in lists for code in part):
        return None
    said = [(code.decode(), False) for code in lists[0]]
    if len(lists) == 2 and mode == "iter":
        said += [(code.decode(), True) for code in lists[1]]
    said = list(dict.fromkeys(said))
    if segment is not None:
        said = [entry for entry in said if entry[0] == segment]
    if any(count > 1 for count in Counter(code for code, _ in said).values()):
        return None
    return [(None if segment is not None else code, removed) for code, removed in said]


def read_columns(
    stream: object, *, mode: str, segment: str | None, size: int = 8 << 20, max_line: int = 102_400
) -> Read:
    """Read the same with the real reader, all blocks put together."""
    result = Read()
    base = 1
    for number, block in enumerate(blocks(stream, size=size, max_line=max_line)):
        assert block.number == number
        batch = parse_rows(block, mode=mode, segment=segment, max_line=max_line)
        codes = [None] * len(batch.lines) if batch.segment is None else batch.segment.to_pylist()
        result.rows += zip(
            (batch.lines + base).tolist(), batch.ids.to_pylist(), codes, batch.removed.tolist(), strict=True
        )
        result.rejected += [(base + entry.line, entry.reason, entry.raw) for entry in batch.rejected]
        result.other_segments += batch.other_segments
        result.nonblank += batch.nonblank
        result.line_count += batch.line_count
        base += batch.line_count
    return result
