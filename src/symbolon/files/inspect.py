"""Look into a file without a project: what it is, what is in it, what could not be read.

Invariants: at most a million lines or 64 MiB are read, and the answer says so; no value is told in the clear.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from symbolon.errors import Location
from symbolon.files.blocks import BLOCK_BYTES, MAX_LINE_BYTES, Block, RejectedLine, blocks, check_regular, open_bytes
from symbolon.files.csvfiles import CsvTable
from symbolon.files.errors import FileKindError
from symbolon.files.guess import harmless, kind_of, looks_like_id, masked
from symbolon.files.inboundnames import STAMP_DIGITS, InboundName, parse_inbound
from symbolon.files.inboundrows import items_of, parse_inbound_rows
from symbolon.files.info import MAX_INFO_BYTES, parse_info
from symbolon.files.inspection import Column, Inspection, RejectedSample, Segment
from symbolon.files.kinds import GZIP, HEAD_BYTES, UTF8_BOM, is_parquet
from symbolon.files.lists import AnyTable, open_plain, open_table
from symbolon.files.names import FileName, is_of_the_family, parse_name
from symbolon.files.parquetfiles import ParquetTable
from symbolon.files.rows import parse_rows
from symbolon.files.textlines import lines_of
from symbolon.later import pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.files.inboundrows import Item

#: what is read at most
MAX_LINES, MAX_BYTES = 1_000_000, 64 << 20
#: IDs whose kind is guessed, rows and rejected lines that are shown, segments that are listed
_SAMPLED, _SHOWN, _REJECTED, _SEGMENTS = 10_000, 5, 20, 1_000
#: share of readable lines from which a file without a segment file's name is taken for one
_MOSTLY = 0.9
#: keys of signals that are shown as they are
_KEY, _DIGITS = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII), re.compile(r"[0-9]{7}")
_LIST_ENDINGS = (".csv", ".tsv", ".tab", ".ndjson", ".jsonl", ".json", ".parquet", ".pq")


def inspect_file(
    path: Path, *, timestamp: str = "milliseconds", max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES
) -> Inspection:
    """Tell what a file looks like.

    Args:
        path: a segment file, an inbound file, a simple list, or a control file.
        timestamp: how a run of 13 digits in its name is read, see `parse_name`.
        max_lines: lines to read at most.
        max_bytes: unpacked bytes to read at most.

    Raises:
        InputError: it is no readable file of any kind that Symbolon reads; the code says why.
    """
    path = Path(path)
    size = check_regular(path).st_size
    if path.name.lower().endswith(".info"):
        return _control(path, size)
    inbound = parse_inbound(path.name)
    if inbound is not None and inbound.packed in ("pgp", "gpg"):
        raise FileKindError(
            "the file is encrypted", where=Location(str(path)), hint="decrypt it first: `gpg --decrypt FILE`"
        )
    name = parse_name(path.name, timestamp=timestamp)
    magic = b""
    if size:
        with open_plain(path) as file:
            magic = file.read(HEAD_BYTES)
    look = _Look(path=path, size=size, name=name, max_lines=max_lines, max_bytes=max_bytes)
    if magic.startswith(GZIP):
        look.compression = "gzip"
    elif path.name.lower().endswith(".gz"):
        look.notes.append("the name ends in .gz, but the file is not compressed; it is read as it is")
    if name is None and inbound is None and is_of_the_family(path.name):
        look.notes.append("the name is no segment file's name: `audience import` will refuse it")
    if not is_parquet(magic):
        look.note_the_text()
        if inbound is not None:
            return look.inbound_file(inbound)
        if name is not None or _is_segment_file(path):
            return look.segment_file()
    return look.list_file()


@dataclass(slots=True)
class _Look:
    """One inspection under way."""

    path: Path
    size: int
    name: FileName | None
    max_lines: int
    max_bytes: int
    compression: str = ""
    notes: list[str] = field(default_factory=list)
    lines: int = 0
    is_complete: bool = True
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_lines: list[RejectedSample] = field(default_factory=list)
    first_rows: list[list[str]] = field(default_factory=list)

    def note_the_text(self) -> None:
        """Note what is unusual about the text, as far as its first block shows it."""
        with open_bytes(self.path) as stream:
            start = stream.read(1 << 20)
        if start.startswith(UTF8_BOM):
            self.notes.append("the file begins with a byte order mark, which is dropped")
        if b"\r\n" in start:
            self.notes.append("lines end with CR LF")
        elif b"\r" in start and b"\n" not in start:
            self.notes.append("lines end with CR alone: convert the file, `tr '\\r' '\\n' < FILE > NEW`")
        if not start.removeprefix(UTF8_BOM).isascii():
            self.notes.append("the file has characters beyond ASCII")

    def segment_file(self) -> Inspection:
        """Read rows of a segment file."""
        if self.name is None:
            self.notes.append(
                "the rows are those of a segment file, the name is not; to import them as segments, "
                "name the file like `ftp_1_2_full_1486140844000.sync`"
            )
        added: Counter[str] = Counter()
        removed: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        number, read = 1, 0
        with open_bytes(self.path) as stream:
            for block in blocks(stream, size=min(BLOCK_BYTES, self.max_bytes)):
                if self._is_enough(read):
                    break
                read += len(block.data)
                batch = parse_rows(block, mode="iter", segment=None)
                self._count(batch.nonblank, batch.rejected, number)
                number += batch.line_count
                if batch.segment is not None and len(batch.lines):
                    outs = pa.array(batch.removed)
                    added.update(_counted(batch.segment.filter(pc.invert(outs))))
                    removed.update(_counted(batch.segment.filter(outs)))
                if not kinds:
                    kinds = _kinds(batch.ids[:_SAMPLED].unique().to_pylist())
                self._show_rows(block, batch.rejected)
        segments = [
            Segment(segment=harmless(code), added=added[code], removed=removed[code]) for code in {**added, **removed}
        ]
        segments.sort(key=lambda entry: (-entry.added - entry.removed, entry.segment))
        if self.name is not None and self.name.mode == "full" and removed:
            self.notes.append("the name says `full`: removed segments are ignored in full files")
        if not segments:
            self.notes.append("no line could be read as `ID segment,segment`")
        return self._result(
            kind="segments",
            format="rows",
            segments=segments[:_SEGMENTS],
            segment_count=len(segments),
            id_kinds=_shares(kinds),
        )

    def inbound_file(self, name: InboundName) -> Inspection:
        """Read lines of an inbound file."""
        said: Counter[tuple[str, str]] = Counter()
        kinds: Counter[str] = Counter()
        odd, number, read = 0, 1, 0
        with open_bytes(self.path) as stream:
            for block in blocks(stream, size=min(BLOCK_BYTES, self.max_bytes)):
                if self._is_enough(read):
                    break
                read += len(block.data)
                lines = lines_of(block, b"", number, max_line=MAX_LINE_BYTES)
                batch = parse_inbound_rows(lines, odc=name.odc)
                number += len(lines)
                self._count(batch.nonblank, batch.rejected, 0)
                for text, times in _counted(batch.items).items():
                    items, unread = items_of(text.decode())
                    odd += times * unread
                    for item in items:
                        said[item] += times
                if not kinds:
                    kinds = _kinds(batch.ids[:_SAMPLED].unique().to_pylist())
                for value, text in zip(batch.ids[:_SHOWN].to_pylist(), batch.items[:_SHOWN].to_pylist(), strict=True):
                    if len(self.first_rows) < _SHOWN:
                        self.first_rows.append([masked(value.decode()), _told(items_of(text.decode())[0])])
        segments, signals = _traits(said), _signals(said)
        self.notes += name.warnings
        if name.mode == "overwrite" and any(one.removed for one in segments):
            self.notes.append("the name says `overwrite`: removed traits are ignored in such files")
        if odd:
            self.notes.append(f"items that are empty or cannot be read: {odd:,}; they are skipped")
        return self._result(
            kind="inbound",
            format="inbound",
            elements=_inbound_elements(name),
            segments=segments[:_SEGMENTS],
            segment_count=len(segments),
            signals=dict(signals.most_common(_SEGMENTS)),
            signal_count=len(signals),
            id_kinds=_shares(kinds),
        )

    def list_file(self) -> Inspection:
        """Read a simple list."""
        with open_table(self.path) as table:
            names = list(table.names)
            kinds: dict[str, Counter[str]] = {name: Counter() for name in names}
            types: dict[str, str] = {}
            read = 0
            for batch in table.batches():
                self._count(batch.nonblank, batch.rejected, 0)
                read += batch.table.nbytes
                for place, name in enumerate(batch.table.schema.names):
                    types.setdefault(name, str(batch.table.schema.field(place).type))
                    if name in kinds and not kinds[name]:
                        kinds[name] = _kinds(batch.table.column(place)[:_SAMPLED].to_pylist())
                for row in batch.table.slice(0, max(0, _SHOWN - len(self.first_rows))).to_pylist():
                    self.first_rows.append([_hidden(value) for value in row.values()])
                if self._is_enough(read):
                    self.is_complete = isinstance(table, ParquetTable) and self.lines == table.row_count
                    break
            columns = [
                Column(
                    name=name if table.has_header else str(place + 1),
                    type="text" if isinstance(table, CsvTable) else types.get(name, "text"),
                    looks_like=next(iter(_shares(kinds[name])), ""),
                )
                for place, name in enumerate(names)
            ]
            if not table.has_header:
                self.notes.append("there is no header: columns are named by their number")
            if len(set(names)) != len(names):
                self.notes.append("several columns have the same name")
            return self._result(
                kind="list",
                format=_format(table),
                delimiter=table.delimiter if isinstance(table, CsvTable) and len(names) > 1 else "",
                has_header=table.has_header,
                columns=columns,
                id_kinds=_shares(kinds[names[0]]) if len(names) == 1 else {},
            )

    def _is_enough(self, read: int) -> bool:
        if self.lines < self.max_lines and read < self.max_bytes:
            return False
        self.is_complete = False
        return True

    def _count(self, nonblank: int, rejected: Sequence[RejectedLine], base: int) -> None:
        self.lines += nonblank
        self.rejected.update(entry.reason for entry in rejected)
        for entry in rejected[: _REJECTED - len(self.rejected_lines)]:
            text = masked(entry.raw.decode("utf-8", "replace"))
            self.rejected_lines.append(RejectedSample(line=base + entry.line, reason=entry.reason, masked=text))

    def _show_rows(self, block: Block, rejected: Sequence[RejectedLine]) -> None:
        broken = {entry.line for entry in rejected}
        for number, line in enumerate(block.data[: 4 * MAX_LINE_BYTES].split(b"\n")):
            if len(self.first_rows) >= _SHOWN:
                return
            if number in broken or not line.strip():
                continue
            value, *lists = line.decode("utf-8", "replace").split(maxsplit=2)
            codes = [",".join(harmless(code) for code in text.rstrip().split(",")[:20]) for text in lists]
            self.first_rows.append([masked(value), *codes])

    def _result(self, elements: dict[str, str | int | None] | None = None, **facts: Any) -> Inspection:
        if not self.is_complete:
            self.notes.append(f"only the first {self.lines:,} lines were read; counts are theirs")
        if not self.lines:
            self.notes.append("there is no row in it")
        return Inspection(
            file=str(self.path),
            size_bytes=self.size,
            compression=self.compression,
            name=_elements(self.name) if elements is None else elements,
            lines=self.lines,
            complete=self.is_complete,
            first_rows=self.first_rows,
            rejected=dict(self.rejected.most_common()),
            rejected_lines=self.rejected_lines,
            notes=self.notes,
            **facts,
        )


def _is_segment_file(path: Path) -> bool:
    """Whether a file without a segment file's name has rows of one: known IDs, a blank, codes."""
    if path.name.lower().removesuffix(".gz").endswith(_LIST_ENDINGS):
        return False
    with open_bytes(path) as stream:
        start = stream.read(64 << 10)
    whole = start[: start.rfind(b"\n") + 1] or start
    batch = parse_rows(Block(whole.removeprefix(UTF8_BOM), 0), mode="iter", segment=None)
    known = sum(bool(kind_of(value.decode("utf-8", "replace"))) for value in batch.ids.unique().to_pylist())
    return batch.nonblank > 0 and len(batch.rejected) <= (1 - _MOSTLY) * batch.nonblank and known > 0


def _control(path: Path, size: int) -> Inspection:
    """Tell what a control file lists."""
    with open_plain(path) as file:
        info = parse_info(file.read(MAX_INFO_BYTES + 1), where=str(path))
    notes = []
    for part in info.parts:
        state = "" if path.with_name(part.name).exists() else ", which is missing"
        said = f"{part.lines:,} lines" if part.lines is not None else "an unknown number of lines"
        notes.append(f"lists `{part.name}` with {said}{state}")
    if info.unchecked:
        notes.append(f"{len(info.unchecked)} md5 values are no md5 and will not be checked")
    return Inspection(
        file=str(path), size_bytes=size, kind="control", format="info", lines=info.total_lines or 0, notes=notes
    )


def _counted(segments: pa.DictionaryArray) -> dict[Any, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(segments.dictionary_decode()).to_pylist()}


def _kinds(values: Sequence[Any]) -> Counter[str]:
    """Count what values look like; nothing and what looks like nothing known are counted together."""
    texts = (value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values)
    return Counter(kind_of(str(text)) for text in texts if text is not None and text != "")


def _shares(kinds: Counter[str]) -> dict[str, float]:
    total = kinds.total()
    return {kind: round(count / total, 4) for kind, count in kinds.most_common() if kind}


def _hidden(value: Any) -> str:
    if value is None:
        return ""
    return masked(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)) if value != "" else ""


def _format(table: AnyTable) -> str:
    if isinstance(table, ParquetTable):
        return "parquet"
    if isinstance(table, CsvTable):
        return "tsv" if table.delimiter == "\t" else "csv"
    return "ndjson"


def _elements(name: FileName | None) -> dict[str, str | int | None]:
    if name is None:
        return {}
    time = None
    if name.timestamp_ms is not None:
        time = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=name.timestamp_ms)).isoformat()
    return {
        "type": name.sync_type or None,
        "destination": name.destination_id,
        "dpid": name.dpid,
        "alias": name.alias or None,
        "mode": name.mode,
        "timestamp": time,
        "split": name.split or None,
    }


def _traits(said: Counter[tuple[str, str]]) -> list[Segment]:
    """Give traits, the most frequent first."""
    traits = sorted({one for does, one in said if does != "signals"}, key=int)
    traits.sort(key=lambda one: -said["adds", one] - said["removes", one])
    return [Segment(segment=harmless(one), added=said["adds", one], removed=said["removes", one]) for one in traits]


def _signals(said: Counter[tuple[str, str]]) -> Counter[str]:
    """Count the keys of signals; those that are hidden and look alike are counted together."""
    signals: Counter[str] = Counter()
    for (does, one), times in said.items():
        if does == "signals":
            signals[_key(one)] += times
    return signals


def _told(items: Sequence[Item]) -> str:
    """Give items without the values of signals, which may say more of a person than a number."""
    words = {"adds": "d_sid={}", "removes": "d_unsid={}", "signals": "{}=…"}
    hide = {"adds": harmless, "removes": harmless, "signals": _key}
    return ",".join(words[one.does].format(hide[one.does](one.name)) for one in items[:20])


def _key(name: str) -> str:
    """Give a signal's key if it is plainly a name; columns in the wrong order would show IDs as keys otherwise."""
    # base64 is cut at its padding, which looks like the `=` of a pair
    is_name = _KEY.fullmatch(name) and not looks_like_id(name + "=" * (-len(name) % 4))
    return name if is_name and not _DIGITS.search(name) else masked(name)


def _inbound_elements(name: InboundName) -> dict[str, str | int | None]:
    return {
        "type": "odc" if name.odc else None,
        "dpid": name.dpid,
        "owner": name.owner,
        "mode": name.mode,
        "timestamp": _moment(name.timestamp),
        "split": name.split,
    }


def _moment(stamp: str) -> str | None:
    """Read the seconds of an inbound file's name, or milliseconds where somebody wrote those; else it tells nothing."""
    if len(stamp) not in (STAMP_DIGITS - 1, STAMP_DIGITS, STAMP_DIGITS + 3):
        return None
    return datetime.fromtimestamp(int(stamp[:STAMP_DIGITS]), UTC).isoformat()
