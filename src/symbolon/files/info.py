"""Control files (`.info`): what the sender says about a file set, read strictly whatever its spelling.

Invariant: a name in a control file is a bare name; nothing here can point out of the folder it lies in.

Source: Audience Manager documentation, "Transfer-control files for file-based exports" (the example has keys without
quotation marks; byte and line counts include headers and blank lines) and "Customer Data Feed" (strict JSON). The md5
values of the example are no md5: such values are kept and not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from symbolon.errors import Location
from symbolon.files.errors import InfoError

#: a control file of 10,000 parts has about 2 MB
MAX_INFO_BYTES = 8 << 20
MAX_PARTS = 100_000

_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|([A-Za-z_][A-Za-z0-9_]*)(?=\s*:)')
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class InfoPart:
    """One file of the set; None = the control file does not say."""

    name: str
    size_bytes: int | None = None
    #: lines including headers and blank ones
    lines: int | None = None
    #: 32 hexadecimal digits, lower case; None = none, or no md5
    md5: str | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """A control file: its parts in their order."""

    parts: tuple[InfoPart, ...]
    #: name of the whole set
    name: str = ""
    total_bytes: int | None = None
    total_lines: int | None = None
    #: names of parts whose md5 is no md5
    unchecked: tuple[str, ...] = ()


def parse_info(content: bytes, *, where: str = "") -> Info:
    """Read a control file in strict JSON or with unquoted keys.

    Args:
        content: the whole file.
        where: its name, for messages.

    Raises:
        InfoError: too large, not readable, without files, with a name that is no bare name, a number that is none, a
            part twice, or totals that do not add up.
    """
    reader = _Reader(where)
    document = reader.document(content)
    entries = reader.list_of(document, "files")
    parts = [reader.part(entry) for entry in entries]
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        raise reader.wrong("names a file twice")
    sequences = [part.sequence for part in parts if part.sequence is not None]
    if len(set(sequences)) != len(sequences):
        raise reader.wrong("gives two files the same FileSequenceNumber")
    if len(sequences) == len(parts):
        parts.sort(key=lambda part: part.sequence or 0)
    totals = reader.totals(document)
    info = Info(
        parts=tuple(parts),
        name=str(totals.get("filename") or ""),
        total_bytes=reader.number(totals, "totalbytesize"),
        total_lines=reader.number(totals, "totalnumberlines"),
        unchecked=tuple(reader.unchecked),
    )
    reader.check_totals(info, reader.number(totals, "totalnumberfiles"))
    return info


class _Reader:
    """Reads one document and words its faults."""

    def __init__(self, where: str) -> None:
        self._where = Location(where) if where else None
        self.unchecked: list[str] = []

    def wrong(self, what: str) -> InfoError:
        return InfoError(f"the control file {what}", where=self._where)

    def document(self, content: bytes) -> dict[str, Any]:
        if len(content) > MAX_INFO_BYTES:
            raise self.wrong(f"is larger than {MAX_INFO_BYTES >> 20} MiB")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.wrong("is not UTF-8 text") from error
        try:
            document = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            # the documented spelling has no quotation marks round its keys
            quoted = _KEY.sub(lambda match: match[0] if match[1] is None else f'"{match[1]}"', text)
            try:
                document = msgspec.json.decode(quoted)
            except (msgspec.DecodeError, RecursionError) as error:
                raise self.wrong("is no JSON, neither with nor without quotation marks round its keys") from error
        if not isinstance(document, dict):
            raise self.wrong("is no JSON object")
        return _lower(document)

    def list_of(self, document: dict[str, Any], key: str) -> list[dict[str, Any]]:
        entries = document.get(key)
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            raise self.wrong("lists no files")
        if len(entries) > MAX_PARTS:
            raise self.wrong(f"lists more than {MAX_PARTS:,} files")
        return [_lower(entry) for entry in entries]

    def totals(self, document: dict[str, Any]) -> dict[str, Any]:
        totals = document.get("totals", {})
        if not isinstance(totals, dict):
            raise self.wrong("has Totals that are no object")
        return _lower(totals)

    def part(self, entry: dict[str, Any]) -> InfoPart:
        name = entry.get("filename")
        if not isinstance(name, str) or not name or name in {".", ".."} or re.search(r"[/\\\x00-\x1f]", name):
            raise self.wrong("has a FileName that is no bare file name")
        digest = entry.get("md5", entry.get("filechecksummd5"))
        md5 = digest.lower() if isinstance(digest, str) and _MD5.fullmatch(digest) else None
        if digest and md5 is None:
            self.unchecked.append(name)
        return InfoPart(
            name=name,
            size_bytes=self.number(entry, "filebytesize"),
            lines=self.number(entry, "filelinecount"),
            md5=md5,
            sequence=self.number(entry, "filesequencenumber"),
        )

    def number(self, entry: dict[str, Any], key: str) -> int | None:
        value = entry.get(key)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
            raise self.wrong(f"has a {key} that is no number")
        return value

    def check_totals(self, info: Info, count: int | None) -> None:
        if count is not None and count != len(info.parts):
            raise self.wrong(f"says {count} files in its Totals and lists {len(info.parts)}")
        sums = (
            ("bytes", info.total_bytes, [part.size_bytes for part in info.parts]),
            ("lines", info.total_lines, [part.lines for part in info.parts]),
        )
        for what, total, values in sums:
            known = [value for value in values if value is not None]
            if total is not None and len(known) == len(values) and total != sum(known):
                raise self.wrong(f"says {total:,} {what} in its Totals; its files add up to {sum(known):,}")


def _lower(entry: dict[str, Any]) -> dict[str, Any]:
    """Compare keys without case: the documents vary (`md5`, `MD5`)."""
    return {str(key).lower(): value for key, value in entry.items()}
