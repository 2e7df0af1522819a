"""Functions of dates and moments. What is relative is relative to the moment of the run, never to an engine's clock.

Invariant: everything is in UTC, months end where they end (31 January and a month is the last of February), and a date
stays a date.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops

from symbolon.profiles import vocabulary
from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions.function import Function, Parameter, whole

if TYPE_CHECKING:
    from collections.abc import Callable

_WHEN = "date|moment"
_YEARS = 1_000
#: four digits, but not 0000; months and days are judged by the cast
_DAY = r"^(\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})-\d{2}-\d{2}$"


def moment_of(now: datetime) -> Any:
    """Give a moment as a literal."""
    return ibis.literal(now.astimezone(UTC), kinds.UTC)


def day_of(value: Any) -> Any:
    """Give the day of a date or moment."""
    return value if value.type().is_date() else value.date()


def shifted(value: date, unit: str, count: int) -> date:
    """Give a date or moment so many units later, as the engines do it.

    Raises:
        OverflowError, ValueError: there is no such day.
    """
    if unit in {"D", "h"}:
        return value + (timedelta(days=count) if unit == "D" else timedelta(hours=count))
    months = value.year * 12 + value.month - 1 + count * (12 if unit == "Y" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def _add(unit: str, most: int) -> Callable[[list[Any], datetime], Any]:
    def compiled(values: list[Any], _: datetime) -> Any:
        value, count = values
        if unit == "h" and value.type().is_date():
            value = value.cast(kinds.UTC)
        begin, steps = value.op(), count.op()
        if isinstance(begin, ops.Literal) and isinstance(steps, ops.Literal) and begin.value is not None:
            try:
                return ibis.literal(shifted(begin.value, unit, int(steps.value)), value.type())
            except (OverflowError, ValueError, TypeError):
                pass  # beyond the year 9999, which the engines know
        months = 12 if unit == "Y" else 1
        bounded = whole(count, -most, most)
        later = value + (bounded * months if unit == "Y" else bounded).as_interval("M" if unit == "Y" else unit)
        # Ibis takes it for a date; DuckDB has made it a timestamp
        return later.cast("timestamp").cast("date") if value.type().is_date() else later

    return compiled


def _adding(name: str, unit: str, noun: str, most: int) -> Function:
    words = f"so many {noun} later; earlier with a number below 0"
    if unit in {"M", "Y"}:
        words += "; a day that the month does not have becomes its last"
    result = kinds.MOMENT if unit == "h" else _same
    parameters = (Parameter("date", _WHEN), Parameter(noun, kinds.INTEGER, most))
    return Function(name, parameters, result, _add(unit, most), words, gives="as `date`", mentions=3)


def _same(given: list[str]) -> str:
    return given[0]


def _days_ago(values: list[Any], now: datetime) -> Any:
    today = ibis.literal(now.astimezone(UTC).date())
    return _add("D", 366 * _YEARS)([today, -values[0]], now)


def _days_between(values: list[Any], _: datetime) -> Any:
    first, second = (day_of(value) for value in values)
    return second.delta(first, unit="day").cast("int64")


def _years_old(values: list[Any], now: datetime) -> Any:
    """Count birthdays: who is born on 29 February has one on 1 March of other years."""
    today, birth = now.astimezone(UTC).date(), day_of(values[0])
    years = today.year - birth.year().cast("int64")
    due = (birth.month() * 100 + birth.day()) > today.month * 100 + today.day
    return years - ibis.ifelse(due, 1, 0)


def _to_date(values: list[Any], _: datetime) -> Any:
    value = values[0]
    if not value.type().is_string():
        return day_of(value)
    return ibis.ifelse(vocabulary.matches(value, _DAY), value.try_cast("date"), ibis.null().cast("date"))


def _part(name: str, words: str, take: Callable[[Any], Any]) -> Function:
    return Function(
        name,
        (Parameter("date", _WHEN),),
        kinds.INTEGER,
        lambda values, _: take(values[0]).cast("int64"),
        words,
    )


def _truncated(name: str, unit: str) -> Function:
    return Function(
        f"trunc_{name}",
        (Parameter("date", _WHEN),),
        kinds.DATE,
        lambda values, _: day_of(values[0]).truncate(unit).cast("timestamp").cast("date"),
        f"the first day of its {name}" + (", a Monday" if name == "week" else ""),
    )


FUNCTIONS = (
    Function(
        "now", (), kinds.MOMENT, lambda _, now: moment_of(now), "the moment of the run, the same in all its steps"
    ),
    Function(
        "today", (), kinds.DATE, lambda _, now: ibis.literal(now.astimezone(UTC).date()), "the day of the run, in UTC"
    ),
    _adding("add_days", "D", "days", 366 * _YEARS),
    _adding("add_months", "M", "months", 12 * _YEARS),
    _adding("add_years", "Y", "years", _YEARS),
    _adding("add_hours", "h", "hours", 24 * 366 * _YEARS),
    Function(
        "days_ago",
        (Parameter("days", kinds.INTEGER, 366 * _YEARS),),
        kinds.DATE,
        _days_ago,
        "the day so many days before the run",
        mentions=3,
    ),
    Function(
        "days_between",
        (Parameter("first", _WHEN), Parameter("second", _WHEN)),
        kinds.INTEGER,
        _days_between,
        "days from the first to the second; below 0 if the second is earlier",
    ),
    Function(
        "years_old",
        (Parameter("date", _WHEN),),
        kinds.INTEGER,
        _years_old,
        "full years up to the day of the run; 29 February counts as 1 March in other years",
        mentions=3,
    ),
    _part("year", "the year", lambda value: value.year()),
    _part("month", "the month, 1 to 12", lambda value: value.month()),
    _part("day", "the day of the month, 1 to 31", lambda value: value.day()),
    _part("weekday", "the day of the week, Monday is 1, Sunday 7", lambda value: value.day_of_week.index() + 1),
    Function(
        "hour",
        (Parameter("moment", kinds.MOMENT),),
        kinds.INTEGER,
        lambda values, _: values[0].hour().cast("int64"),
        "the hour, 0 to 23, in UTC",
    ),
    _truncated("year", "Y"),
    _truncated("month", "M"),
    _truncated("week", "W"),
    Function(
        "to_date",
        (Parameter("value", "text|date|moment"),),
        kinds.DATE,
        _to_date,
        "the day of a moment, or of a text such as '2026-01-31'; NULL for any other text",
        mentions=2,
    ),
)
