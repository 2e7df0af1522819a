"""Kinds of values, as far as conditions tell them from each other.

Invariant: values of different kinds are never compared by guessing; only whole numbers are numbers, and days begin at
midnight in UTC where they meet moments.
"""

from __future__ import annotations

import ibis.expr.datatypes as types

TEXT, INTEGER, NUMBER, BOOLEAN = "text", "integer", "number", "boolean"
DATE, MOMENT, NULL = "date", "moment", "null"
#: something is wrong with it, which was told already: it fits everywhere
ANY = "any"
#: a column of a type that conditions cannot use
OTHER = "other"

#: kind -> words for messages
WORDS = {
    TEXT: "text",
    INTEGER: "a whole number",
    NUMBER: "a number",
    BOOLEAN: "true or false",
    DATE: "a date",
    MOMENT: "a moment",
    NULL: "NULL",
    ANY: "anything",
    OTHER: "of a type that conditions cannot use",
}
#: how moments are kept everywhere
UTC = types.Timestamp(timezone="UTC", scale=6)
_TYPES: dict[str, types.DataType] = {
    TEXT: types.string,
    INTEGER: types.int64,
    NUMBER: types.float64,
    BOOLEAN: types.boolean,
    DATE: types.date,
    MOMENT: UTC,
}


def kind_of(given: types.DataType) -> str:
    """Give the kind of a column's type."""
    if given.is_string():
        return TEXT
    if given.is_boolean():
        return BOOLEAN
    if given.is_integer():
        return INTEGER
    if given.is_floating() or given.is_decimal():
        return NUMBER
    if given.is_date():
        return DATE
    return MOMENT if given.is_timestamp() else OTHER


def type_of(kind: str) -> types.DataType:
    """Give the type that values of a kind have; text where nothing is known but NULL."""
    return _TYPES.get(kind, types.string)


def fits(kind: str, wanted: str) -> bool:
    """Whether a value may stand where a kind is wanted, such as `date|moment`."""
    allowed = wanted.split("|")
    return kind in {ANY, NULL, *allowed} or ANY in allowed or (kind == INTEGER and NUMBER in allowed)


def joined(kinds: list[str]) -> str | None:
    """Give the one kind that several values have together; None if they do not go together."""
    known = {kind for kind in kinds if kind not in {ANY, NULL}}
    if not known:
        return ANY if ANY in kinds else NULL
    if len(known) == 1:
        return known.pop()
    if known == {INTEGER, NUMBER}:
        return NUMBER
    return MOMENT if known == {DATE, MOMENT} else None


def comparable(left: str, right: str) -> bool:
    """Whether values of two kinds can be compared."""
    return OTHER not in {left, right} and joined([left, right]) is not None


def words_of(wanted: str) -> str:
    """Say what is wanted: `a date or a moment`."""
    return " or ".join(WORDS[one] for one in wanted.split("|"))
