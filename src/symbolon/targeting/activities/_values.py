"""Values that options and signals hold as text: durations, times of day, moments, and parameters by their type."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

#: the types of columns and parameters
Type = Literal["text", "integer", "number", "boolean", "date", "moment"]

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d{1,9}[wdhms])+")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY = 86_400
_LONGEST = timedelta(days=3660)
_TRUE, _FALSE = frozenset({"true", "yes", "1", "on"}), frozenset({"false", "no", "0", "off"})


def duration(text: str) -> timedelta | None:
    """Read `2h`, `90m`, `1d12h`; None if it is none, is zero, or is longer than ten years."""
    if not _DURATION.fullmatch(text):
        return None
    parts = re.findall(r"(\d+)([wdhms])", text)
    if len({unit for _, unit in parts}) < len(parts):
        return None
    try:
        value = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    except OverflowError:
        return None
    return value if timedelta(0) < value <= _LONGEST else None


def time_of_day(value: Any) -> time | None:
    """Read `08:30`. YAML takes `10:30` for a number of base 60: that is read too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        seconds = value * 60 if value < _DAY // 60 else value
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60) if 0 <= seconds < _DAY else None
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        hour, minute, second = (int(part) for part in found.groups("0")) if found else (24, 0, 0)
        return time(hour, minute, second)
    except ValueError:
        return None


def moment(value: Any, zone: tzinfo = UTC, *, end_of_day: bool = False) -> datetime | None:
    """Read a day or a moment, ISO 8601; without a zone it is one of `zone`.

    Args:
        value: text, or what YAML made of it.
        zone: of a value that names none.
        end_of_day: whether a day means its last microsecond rather than its first.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip()) if len(value.strip()) > 10 else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.max if end_of_day else time.min)
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def typed(value: Any, kind: Type) -> Any:
    """Give a value of a parameter: text, int, float, bool, date, or a moment in UTC.

    Raises:
        ValueError: it is no such value. The message does not hold it.
    """
    return _READERS[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, str) and "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value):
        return value
    raise ValueError("text")


def _integer(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise ValueError("a whole number")


def _number(value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
        return float(value)
    raise ValueError("a number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ValueError("true or false")


def _date(value: Any) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("a date such as 2026-07-01")


def _moment(value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise ValueError("a moment such as 2026-07-01T08:00:00Z")
    return found


_READERS: dict[Type, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "moment": _moment,
}
