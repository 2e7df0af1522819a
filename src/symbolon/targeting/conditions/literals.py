"""From what is written to values: numbers, dates, moments.

Invariant: no message holds a literal: it may be an address.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from symbolon.targeting.conditions.syntax import Source, Syntax, made
from symbolon.targeting.conditions.tree import Date, Moment, Node, Null, Number, Text, Truth

if TYPE_CHECKING:
    from symbolon.targeting.conditions.errors import Fault

_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_LARGEST = 2**63
DAY_HINT = "write '2026-01-31', or '2026-01-31 12:00:00' for a moment in UTC"


def read_number(one: Syntax, faults: list[Fault], *, negative: bool = False) -> Node:
    """Give a number; what is no number, or too large a one, is a fault."""
    if not _NUMBER.fullmatch(one.text):
        faults.append(one.fault("this is no number", "write 18, 0.5 or 1e6"))
        return Null()
    value: int | float
    if one.text.isdigit():
        value = int(one.text) if len(one.text) <= 4_000 else _LARGEST * 2
        if value > _LARGEST - (not negative):
            hint = "numbers have 64 bits; longer ones, such as visitor IDs, are texts: write them in quotes"
            faults.append(one.fault("this number is too large", hint))
            return Null()
    else:
        value = float(one.text)
        if not isfinite(value):
            faults.append(one.fault("this number is too large", "numbers have 64 bits, up to 1.7e308"))
            return Null()
    return Number(-value if negative else value)


def read_time(text: str, kind: str = "") -> Date | Moment | None:
    """Give the date (`date`) or moment (`timestamp`), or either of them, that a text means; None if it means none."""
    try:
        if kind != "timestamp" and _DAY.fullmatch(text):
            return Date(date.fromisoformat(text))
        if kind != "date" and _MOMENT.fullmatch(text):
            found = datetime.fromisoformat(_padded(text))
            return Moment(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))
        if kind == "timestamp" and _DAY.fullmatch(text):
            return midnight(Date(date.fromisoformat(text)))
    except (ValueError, OverflowError):
        pass
    return None


def bound(value: Any, source: Source, at: int, faults: list[Fault]) -> Syntax:
    """Give the literal that a value of a parameter is; a number that is not finite is a fault."""
    if value is None:
        return Syntax("absent", source, at)
    if isinstance(value, bool):
        return Syntax("true" if value else "false", source, at)
    if isinstance(value, int | float):
        if not isfinite(value):
            faults.append(source.fault(at, "this parameter is no finite number", "give a number"))
            return Syntax("broken", source, at)
        number = Syntax("number", source, at, repr(abs(value)))
        return made("minus", source, at, "", [number]) if value < 0 else number
    kind = "timestamp" if isinstance(value, datetime) else "date" if isinstance(value, date) else "text"
    return Syntax(kind, source, at, value.isoformat() if isinstance(value, date) else str(value))


def midnight(day: Date) -> Moment:
    """Give the moment at which a day begins."""
    return Moment(datetime(day.value.year, day.value.month, day.value.day, tzinfo=UTC))


def written(node: Node) -> str:
    """Write a literal as it stands in a condition."""
    if isinstance(node, Text):
        return quoted(node.value)
    if isinstance(node, Number):
        return repr(node.value)
    if isinstance(node, Truth):
        return "TRUE" if node.value else "FALSE"
    if isinstance(node, Date):
        return f"DATE '{node.value.isoformat()}'"
    if isinstance(node, Moment):
        return f"TIMESTAMP '{node.value.replace(tzinfo=None).isoformat(sep=' ')}'"
    return "NULL"


def quoted(text: str) -> str:
    """Write a text in quotes."""
    return "'" + text.replace("'", "''") + "'"


def _padded(text: str) -> str:
    """Give a fraction of a second six digits: Python 3.11 reads any number of them, but let us not depend on it."""
    return re.sub(r"\.([0-9]{1,6})", lambda found: "." + found.group(1).ljust(6, "0"), text)
