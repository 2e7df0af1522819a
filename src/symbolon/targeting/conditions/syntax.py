"""What stands in a text, before anybody knows what it means: words, literals and operators with their places.

Invariant: a syntax is never deeper than `MOST_DEEP`, so whoever walks it may recurse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from symbolon.targeting.conditions.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

#: characters of a text
MOST_CHARACTERS = 20_000
#: brackets in brackets, operators in operators
MOST_DEEP = 50
#: columns, literals, functions and operators, without the items of lists
MOST_NODES = 1_000
#: items of one `IN` list
MOST_ITEMS = 10_000


class Source(msgspec.Struct, frozen=True):
    """A text that is read, and where it stands if it is a part of a tree of rules."""

    text: str
    path: str = ""

    def fault(self, at: int, message: str, hint: str = "") -> Fault:
        """Give a fault at a place, counted in characters from 0."""
        before = self.text[:at]
        return Fault(message, before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1, hint, self.path)


class Syntax(msgspec.Struct, frozen=True):
    """One thing in a text.

    `kind` is `text`, `number`, `true`, `false`, `null`, `date`, `timestamp`, `column`, `call`, `case`, `exists`,
    `group` (brackets), `list`, `star`, `like`, `between`, `in`, `isnull`, `not`, `minus`, `order`, a binary operator
    as it is written, `absent` (a parameter without a value: a null of any type), or `broken`: it was told already what
    is wrong with it.
    """

    kind: str
    source: Source
    #: where it begins, in characters from 0
    at: int
    #: name, literal, or nothing
    text: str = ""
    parts: tuple[Syntax, ...] = ()
    depth: int = 1
    #: nodes, this one included
    size: int = 1

    def fault(self, message: str, hint: str = "") -> Fault:
        """Give a fault at the place of this."""
        return self.source.fault(self.at, message, hint)


def made(kind: str, source: Source, at: int, text: str = "", parts: Iterable[Syntax] = ()) -> Syntax:
    """Give a syntax with its depth and size."""
    inside = tuple(parts)
    own = 0 if kind in {"group", "list"} else 1  # these are only brackets
    deep = own + max((part.depth for part in inside), default=0)
    size = 0 if kind == "list" else own + sum(part.size for part in inside)
    return Syntax(kind, source, at, text, inside, deep, size)


def checked_depth(one: Syntax, faults: list[Fault]) -> Syntax:
    """Give the syntax, or a broken one if it is too deep."""
    if one.depth <= MOST_DEEP:
        return one
    faults.append(
        one.fault(f"this is nested more than {MOST_DEEP} deep", "take it apart into several activities, or shorten it")
    )
    return Syntax("broken", one.source, one.at)
