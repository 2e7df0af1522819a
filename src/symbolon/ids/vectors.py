"""A partner's file of values and their digests, as it is given out to agree on a normalisation: CSV or TSV.

Invariant: it is read to find out what a column holds, so nothing about it is demanded that can be seen: whether it has
a header, which column is which, what separates them. A cell never stands in a message.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from symbolon.errors import Location
from symbolon.ids.errors import VectorFileError
from symbolon.ids.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: rows that are read: vectors are for people, a delivery has a diagnosis
MOST_ROWS = 100_000
_LONGEST_LINE = 1 << 16
_FIRST_LINES = 20
_LOOKED_AT = 200
_DIGEST_NAME = re.compile(r"digest|hash|sha|md5", re.IGNORECASE)
_VALUE_NAME = re.compile(r"value|raw|plain|input|mail|phone|mobile|tel|address", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,40}")
_FIELDS = {"email": re.compile(r"mail", re.IGNORECASE), "phone": re.compile(r"phone|mobile|tel", re.IGNORECASE)}


@dataclass(frozen=True, slots=True)
class Vector:
    """One value and the digest that a partner made of it."""

    #: where it stands in the file, from 1
    line: int
    #: where the digest begins in its line, from 1
    column: int
    value: str = field(repr=False)
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VectorFile:
    """What a file of vectors holds."""

    vectors: list[Vector] = field(repr=False)
    #: what its values look like: `email`, `phone`; empty = neither
    looks_like: str
    #: names or numbers of the two columns
    value_column: str
    digest_column: str
    #: whether it goes on after the rows that were read
    more: bool


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    text: str = field(repr=False)
    cells: list[str] = field(repr=False)


def read_vectors(source: BinaryIO, name: str, *, value_column: str = "", digest_column: str = "") -> VectorFile:
    """Read a file of values and digests.

    Args:
        source: its bytes.
        name: what messages call it.
        value_column: name or number (from 1) of the column of values; empty = found out.
        digest_column: the same of the digests.

    Raises:
        VectorFileError: it is no such file.
    """
    start = list(islice(iter(lambda: source.readline(_LONGEST_LINE), b""), _FIRST_LINES))
    separator = _separator(start)
    records = list(islice(_records(source, name, start, separator), MOST_ROWS + 2))
    if not records:
        raise VectorFileError("it holds no lines", where=Location(name))
    header = records[0].cells if _is_header(records[0].cells) else []
    rows = records[1:] if header else records
    if not rows:
        raise VectorFileError("there is nothing below its header", where=Location(name, 1))
    width = max(len(one.cells) for one in rows[:_LOOKED_AT])
    if width < 2:
        raise VectorFileError("it has one column", where=Location(name, rows[0].line))
    digests = _chosen(digest_column, header, width, name)
    values = _chosen(value_column, header, width, name)
    digests = _digest_place(header, rows[:_LOOKED_AT], width, values) if digests is None else digests
    values = _value_place(header, width, digests) if values is None else values
    if values == digests:
        raise VectorFileError("values and digests stand in one column", where=Location(name, rows[0].line))
    taken = [
        Vector(one.line, _column(one.text, digests, separator), _cell(one.cells, values), _cell(one.cells, digests))
        for one in rows[:MOST_ROWS]
    ]
    names = [header[place] if place < len(header) else str(place + 1) for place in (values, digests)]
    return VectorFile(taken, _looks_like(names[0], taken), names[0], names[1], len(rows) > MOST_ROWS)


def _records(source: BinaryIO, name: str, start: list[bytes], separator: str) -> Iterator[_Record]:
    """Give the records that are not blank, each with its text and the number of its first line."""
    pending: list[str] = []

    def lines() -> Iterator[str]:
        rest = iter(lambda: source.readline(_LONGEST_LINE), b"")
        for number, raw in enumerate(chain(start, rest), start=1):
            if len(raw) >= _LONGEST_LINE:
                raise VectorFileError(f"a line has more than {_LONGEST_LINE:,} bytes", where=Location(name, number))
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise VectorFileError("a line is not UTF-8", where=Location(name, number)) from None
            pending.append(text)
            yield text

    reader = csv.reader(lines(), delimiter=separator)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            line = reader.line_num - len(pending) + 1
            raise VectorFileError("a quotation mark that opens here never closes", where=Location(name, line)) from None
        first = reader.line_num - len(pending) + 1
        text = "".join(pending)
        pending.clear()
        if any(cell.strip() for cell in cells):
            yield _Record(first, text, cells)


def _separator(lines: Sequence[bytes]) -> str:
    """Find what separates the cells: the sign that stands most often in the first lines, outside of quotes."""
    bare = re.sub(rb'"[^"]*"', b"", b"".join(lines))
    return max("\t;,|", key=lambda one: bare.count(one.encode()))


def _is_header(cells: Sequence[str]) -> bool:
    """Tell names of columns from values: letters, and none of them a digest."""
    return all(_NAME.fullmatch(one.strip()) and recognise(one, "email") is None for one in cells)


def _chosen(wanted: str, header: Sequence[str], width: int, name: str) -> int | None:
    """Find the column that was asked for, by its name or its number."""
    if not wanted:
        return None
    names = [one.strip().lower() for one in header]
    if wanted.strip().lower() in names:
        return names.index(wanted.strip().lower())
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= width:
        return int(wanted) - 1
    known = ", ".join(f"`{one}`" for one in header) or f"1 to {width}"
    raise VectorFileError(f"it has no column `{wanted}`", where=Location(name, 1), hint=f"its columns: {known}")


def _digest_place(header: Sequence[str], rows: Sequence[_Record], width: int, taken: int | None) -> int:
    """Find the column of digests: the one that holds most of them; where there is none, by its name, or the last."""
    counts = [sum(recognise(_cell(one.cells, place), "email") is not None for one in rows) for place in range(width)]
    places = [place for place in range(width) if place != taken]
    if any(counts[place] for place in places):
        return max(places, key=lambda place: counts[place])
    return next((place for place in places if place < len(header) and _DIGEST_NAME.search(header[place])), places[-1])


def _value_place(header: Sequence[str], width: int, digests: int) -> int:
    """Find the column of values: by its name, or the first that is another."""
    places = [place for place in range(width) if place != digests]
    named = [place for place in places if place < len(header) and not _DIGEST_NAME.search(header[place])]
    return next((place for place in named if _VALUE_NAME.search(header[place])), (named or places)[0])


def _looks_like(name: str, vectors: Sequence[Vector]) -> str:
    """Say what the values are: by the name of their column, else by what most of them look like."""
    for kind, pattern in _FIELDS.items():
        if pattern.search(name):
            return kind
    looked = vectors[:_LOOKED_AT]
    if 2 * sum("@" in one.value for one in looked) >= len(looked):
        return "email"
    numbers = sum(re.fullmatch(r"[-+0-9().\s/]{6,24}", one.value) is not None for one in looked)
    return "phone" if 2 * numbers >= len(looked) else ""


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _column(text: str, place: int, separator: str) -> int:
    """Give the column, from 1, at which a cell begins in the text of its record."""
    quoted = False
    for index, sign in enumerate(text):
        if place == 0:
            return index + 1
        if sign == '"':
            quoted = not quoted
        elif sign == separator and not quoted:
            place -= 1
    return len(text.rstrip("\r\n")) + 1
