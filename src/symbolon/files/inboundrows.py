"""Lines of inbound files, read: `ID<TAB>d_sid=24,d_unsid=26,ic=52,key="value"`.

Invariant: each line that is not blank gives one ID with its items, or is rejected; `parse_inbound_rows` depends on
nothing but its arguments.

Source: Audience Manager documentation, "Inbound data file contents": one TAB; a trait is added by `d_sid=`, taken away
by `d_unsid=`, `24:0` or `24:-1`; everything else is a signal, whose key may be quoted, begin with dashes or be left out
(`30608` is `ic=30608`); IDs hold neither `:` nor `%3A`. Its sample files end lines with CR LF, have blank lines, empty
items, and blanks around commas and `=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from symbolon.columns import flags
from symbolon.files.lexing import TAB, Ints, spans
from symbolon.files.textlines import OK
from symbolon.later import pc

if TYPE_CHECKING:
    import pyarrow as pa

    from symbolon.files.blocks import RejectedLine
    from symbolon.files.textlines import Lines

#: what an ID may not hold
_NO_ID = ":|%3[Aa]"
#: an item: anything but commas, which may stand inside quotes
_ITEM = re.compile(r'(?:"[^"]*"|[^",])*')
_TRAIT = re.compile(r"(d_sid|d_unsid)\s*=\s*([0-9]{1,18})")
_GONE = re.compile(r"([0-9]{1,18}):(?:0|-1)")
_VALUE = re.compile(r'"[^"]*"|[^"]*')
_BARE = re.compile(r"[0-9]{1,18}")
#: items up to this length repeat; longer ones are not worth remembering
_SHORT = 40


class Item(NamedTuple):
    """What a line says of its ID."""

    does: Literal["adds", "removes", "signals"]
    #: a trait's number, or a signal's key
    name: str


@dataclass(frozen=True, slots=True)
class InboundBatch:
    """What a block says; `ids` and `items` have an entry for each readable line."""

    #: the ID as it stands on the wire (pa.binary)
    ids: pa.Array
    #: what stands behind the TAB (pa.DictionaryArray of bytes)
    items: pa.DictionaryArray
    #: lines that are not blank
    nonblank: int
    #: lines that could not be read, in order, with their number in the file
    rejected: list[RejectedLine]


def parse_inbound_rows(lines: Lines, *, odc: bool = False) -> InboundBatch:
    """Part IDs from items.

    Args:
        lines: whole lines.
        odc: whether the type of the device stands before the ID.

    Returns:
        IDs and items by line; a line without TAB, ID or items, or with an ID that cannot be one, is a
        `malformed_line`.
    """
    tabs = np.flatnonzero(lines.octets == TAB)
    good = lines.state == OK
    begin: Ints = lines.start
    if odc:
        tab, found = _next(tabs, begin, lines.end)
        good &= found & (tab > begin)
        begin = np.where(found, tab + 1, begin)
    tab, found = _next(tabs, begin, lines.end)
    good &= found & (tab > begin) & (tab + 1 < lines.end)
    ids = spans(lines.data, begin[good], tab[good])
    odd = flags(pc.match_substring_regex(ids, pattern=_NO_ID))
    malformed = lines.state == OK
    malformed[good] = odd
    readable = np.flatnonzero(good)[~odd]
    rejected = lines.broken() + [lines.rejected(line, "malformed_line") for line in np.flatnonzero(malformed).tolist()]
    return InboundBatch(
        ids=spans(lines.data, begin[readable], tab[readable]),
        items=spans(lines.data, tab[readable] + 1, lines.end[readable]).dictionary_encode(),
        nonblank=len(readable) + len(rejected),
        rejected=sorted(rejected, key=lambda one: one.line),
    )


def items_of(text: str) -> tuple[list[Item], int]:
    """Take apart what stands behind the TAB.

    Returns:
        The items that can be read; and how many can't, empty ones among them.

    Example:
        >>> items_of('d_sid=24, d_unsid=26, 28:0, product = "a, b"')[0]
        [Item(does='adds', name='24'), Item(does='removes', name='26'), Item(does='removes', name='28'),\
 Item(does='signals', name='product')]
    """
    if '"' not in text:
        read = [_item(one.strip()) for one in text.split(",")]
        known = [one for one in read if one is not None]
        return known, len(read) - len(known)
    found, place, odd = [], 0, 0
    while place <= len(text):
        match = _ITEM.match(text, place)
        end = match.end() if match else place
        if end < len(text) and text[end] != ",":  # a quote that is never closed
            end = text.find(",", end) % (len(text) + 1)
        item = _item(text[place:end].strip())
        if item is None:
            odd += 1
        else:
            found.append(item)
        place = end + 1
    return found, odd


def _item(text: str) -> Item | None:
    return _short(text) if len(text) <= _SHORT else _parsed(text)


def _parsed(text: str) -> Item | None:
    if trait := _TRAIT.fullmatch(text):
        return Item("adds" if trait[1] == "d_sid" else "removes", trait[2])
    if gone := _GONE.fullmatch(text):
        return Item("removes", gone[1])
    if _BARE.fullmatch(text):
        return Item("signals", "ic")
    key = _key(text.lstrip("-").lstrip())
    return None if key in ("", "d_sid", "d_unsid") else Item("signals", key)


def _key(text: str) -> str:
    """Give the key of `key=value`, either of them perhaps in quotes; empty if it is nothing of the kind."""
    if text.startswith('"'):
        key, _, rest = text[1:].partition('"')
        rest = rest.lstrip()
        value = rest[1:] if rest.startswith("=") else '"'
    else:
        key, is_pair, value = text.partition("=")
        value = value if is_pair and '"' not in key else '"'
    return key.strip() if _VALUE.fullmatch(value.strip()) else ""


_short = lru_cache(10_000)(_parsed)


def _next(tabs: Ints, begin: Ints, end: Ints) -> tuple[Ints, np.ndarray]:
    """Give the first TAB of each line, and whether there is one."""
    if not len(tabs):
        return begin, np.zeros(len(begin), np.bool_)
    place = np.searchsorted(tabs, begin)
    tab = tabs[np.minimum(place, len(tabs) - 1)]
    return tab, (place < len(tabs)) & (tab < end)
