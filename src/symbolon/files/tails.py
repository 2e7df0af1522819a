"""What follows the IDs: lists of segments, examined for many lines at once.

Invariant: a line's list is judged by its bytes alone, so equal lists get equal judgements wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symbolon.files.lexing import RETURN, Bools, Bytes, Ints, spans

if TYPE_CHECKING:
    import pyarrow as pa

COMMA = 44
#: characters of a segment code: integers, and the codes that customers define
CODE_CHARACTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.:-"
#: characters of the longest code
MAX_CODE = 64

#: what a byte can be in a list
_CODE, _EDGE, _FOREIGN, _RETURN = range(4)
_CLASSES = bytes(
    _RETURN if byte == RETURN else _CODE if byte in CODE_CHARACTERS else _EDGE if byte in b", \t\n" else _FOREIGN
    for byte in range(256)
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The segment codes of many lists, in the order of the bytes."""

    #: lists that break the grammar
    malformed: Bools
    #: number of the list that a token belongs to
    owner: Ints
    start: Ints
    end: Ints
    #: whether it stands in the second list of its line, that of removed segments
    removed: Bools


def tokens(data: bytes, start: Ints, end: Ints, second: Ints) -> Tokens:
    """Part lists into codes and check the grammar.

    Args:
        data: what the lists lie in; behind each stands a blank or a line end.
        start: where each list begins, ascending.
        end: where it ends.
        second: where its second list begins; anything from `end` on where it has none.
    """
    octets: Bytes = np.frombuffer(data, np.uint8)
    classes: Bytes = np.frombuffer(data.translate(_CLASSES), np.uint8)
    edges = np.flatnonzero(classes != _CODE)
    # each list ends at an edge: the list that an edge belongs to is the number of ends before it
    ends_before = np.zeros(len(edges) + 1, np.int64)
    ends_before[np.searchsorted(edges, end) + 1] = 1
    owner = np.cumsum(ends_before)[:-1]
    inside = edges >= np.append(start, len(data))[owner]
    edges, owner = edges[inside], owner[inside]
    malformed = np.zeros(len(start), np.bool_)
    kind = classes[edges]
    # no code can hold these; a carriage return may stand behind the list
    malformed[owner[(kind >= _FOREIGN) & (edges < end[owner])]] = True
    same = np.zeros(len(edges), np.bool_)
    same[1:] = owner[1:] == owner[:-1]
    begin = start[owner]
    begin[1:] = np.where(same[1:], edges[:-1] + 1, begin[1:])
    length = edges - begin
    comma = octets[edges] == COMMA
    after_comma = np.zeros(len(edges), np.bool_)
    after_comma[1:] = comma[:-1] & same[1:]
    malformed[owner[(length == 0) & (comma | after_comma)]] = True
    malformed[owner[length > MAX_CODE]] = True
    code = length > 0
    owner, begin, edges = owner[code], begin[code], edges[code]
    return Tokens(malformed, owner, begin, edges, begin >= second[owner])


def wanted(octets: Bytes, found: Tokens, segment: bytes, *, is_full: bool) -> np.ndarray:
    """Say for each list what it does to one segment: 0 nothing, 1 adds, 2 removes, 3 malformed.

    Naming it both as added and as removed is malformed in an incremental file; a full file's removed list says nothing.
    """
    hits = np.flatnonzero(found.end - found.start == len(segment))
    for place, character in enumerate(segment):
        hits = hits[octets[found.start[hits] + place] == character]
    adds = np.zeros(len(found.malformed), np.bool_)
    removes = np.zeros(len(found.malformed), np.bool_)
    removed = found.removed[hits]
    adds[found.owner[hits[~removed]]] = True
    if not is_full:
        removes[found.owner[hits[removed]]] = True
    outcome = adds.astype(np.int8)
    outcome[removes] = 2
    outcome[found.malformed | (adds & removes)] = 3
    return outcome


@dataclass(frozen=True, slots=True)
class Named:
    """All segments that lists name, each once a list, in the order of the bytes."""

    malformed: Bools
    owner: Ints
    #: position in `names`
    code: Ints
    removed: Bools
    names: pa.Array


def named(data: bytes, found: Tokens, *, is_full: bool) -> Named:
    """Give every segment that each list names.

    A list that adds and removes one segment at once is malformed in an incremental file.
    """
    keep = ~found.malformed[found.owner]
    if is_full:
        keep &= ~found.removed
    owner, removed = found.owner[keep], found.removed[keep]
    encoded = spans(data, found.start[keep], found.end[keep]).dictionary_encode()
    code = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    malformed = found.malformed
    if len(owner):
        key = owner * len(encoded.dictionary) + code
        order = np.argsort(key, kind="stable")
        key = key[order]
        group = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        once = np.sort(order[group])
        said = removed[order]
        both = np.logical_or.reduceat(said, group) & ~np.logical_and.reduceat(said, group)
        malformed = malformed.copy()
        malformed[owner[order[group[both]]]] = True
        once = once[~malformed[owner[once]]]
        owner, removed, code = owner[once], removed[once], code[once]
    return Named(malformed, owner, code, removed, encoded.dictionary)
