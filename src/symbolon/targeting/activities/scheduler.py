"""Scheduler: when a workflow runs by itself.

Invariant: the moments of a schedule depend on its options alone. A time of day that a clock change skips is taken at
the moment the clock is put forward past it, by the length of the gap; one that happens twice is taken once, the first
time.

Source: Adobe Campaign Standard, "Scheduler": once, several times a day, daily, weekly, monthly, yearly, with a time
zone, a validity period and a preview of the next ten runs.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta

from symbolon.targeting.activities._values import duration, moment, time_of_day
from symbolon.targeting.activity import NO_INPUT, RESULT, Activity, Category, Context, Options, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

#: runs more often than this are refused, and warned of
SHORTEST, SHORT = timedelta(minutes=1), timedelta(minutes=10)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: how far ahead a next run is looked for: a leap day may be eight years away
_HORIZON_DAYS = 366 * 9


class SchedulerOptions(Options, frozen=True, kw_only=True):
    """When to run: `every`, or `repeat` with times and days."""

    every: Annotated[str, Meta(description="A steady interval, `10m`, `1h`, `1d`; counted from `start`.")] = ""
    repeat: Annotated[
        Literal["once", "daily", "weekly", "monthly", "yearly"] | None,
        Meta(description="By the calendar: `once`, `daily`, `weekly`, `monthly`, `yearly`."),
    ] = None
    time: Annotated[Any, Meta(description="Time of day, `08:30`, or a list of them. Default: `00:00`.")] = None
    days: Annotated[
        list[Any],
        Meta(
            description="`weekly`: names of weekdays (`monday`, `fri`). `monthly`: days of the month, `-1` is the "
            "last. `yearly`: `12-24` (month and day). `once`: one date, `2026-07-01`."
        ),
    ] = []  # noqa: RUF012 - msgspec copies it
    timezone: Annotated[str, Meta(description="Time zone of times and dates, `Europe/Paris`.")] = "UTC"
    start: Annotated[Any, Meta(description="Not before this date or moment.")] = None
    until: Annotated[Any, Meta(description="Not after this date (its end) or moment.")] = None


def apply(options: SchedulerOptions, context: Context) -> Outcome:
    """Pass at once: the run is there because its time has come."""
    for path, message, hint in faults(options):
        context.fault(path, message, hint)
    gap = _gap(options)
    if gap is not None and gap < SHORTEST:
        context.fault("every" if options.every else "time", "runs are at least one minute apart", "every: 10m")
    elif gap is not None and gap < SHORT:
        context.warn("runs are less than 10 minutes apart: a run that takes longer makes the next one wait")
    return {RESULT: None}


def next_times(options: SchedulerOptions, after: datetime, n: int = 10) -> list[datetime]:
    """Give the next moments of a schedule, UTC, ascending.

    Args:
        options: of a `scheduler`.
        after: moments later than this; with a time zone.
        n: at most so many.

    Returns:
        Fewer if the schedule ends before; none if its options are wrong (`faults`).
    """
    if n < 1 or faults(options):
        return []
    zone = ZoneInfo(options.timezone)
    start, until = moment(options.start, zone), moment(options.until, zone, end_of_day=True)
    found: list[datetime] = []
    for one in _steady(options, start, after) if options.every else _calendar(options, zone, start, after):
        if until is not None and one > until:
            break
        if one > after and (start is None or one >= start):
            found.append(one)
            if len(found) == n:
                break
    return found


def faults(options: SchedulerOptions) -> list[tuple[str, str, str]]:
    """Name everything that is wrong with a schedule: path, message, hint."""
    found: list[tuple[str, str, str]] = []
    if bool(options.every) == (options.repeat is not None):
        found.append(("", "a schedule needs `every` or `repeat`, one of both", "repeat: daily"))
    if options.every and duration(options.every) is None:
        found.append(("every", "this is no length of time", "every: 10m, every: 1h; at most ten years"))
    if options.every and (options.time is not None or options.days):
        found.append(("time" if options.time is not None else "days", "`every` has no times and days", "repeat: daily"))
    zone: Any = UTC
    try:
        zone = ZoneInfo(options.timezone)
    except (KeyError, ValueError, OSError):
        found.append(("timezone", f"there is no time zone `{options.timezone[:64]}`", "timezone: Europe/Paris"))
    if options.repeat and _times(options) is None:
        found.append(("time", "this is no time of day", "time: '08:30', or time: ['08:30', '18:00']"))
    limits = [(name, getattr(options, name)) for name in ("start", "until")]
    found += [
        (name, "this is no date or moment", f"{name}: 2026-07-01")
        for name, value in limits
        if value is not None and moment(value, zone) is None
    ]
    begin, end = moment(options.start, zone), moment(options.until, zone, end_of_day=True)
    if begin is not None and end is not None and end < begin:
        found.append(("until", "the schedule ends before it starts", "change one of both"))
    return found + _day_faults(options)


def _day_faults(options: SchedulerOptions) -> list[tuple[str, str, str]]:
    hints = {
        "weekly": ("weekdays", "days: [monday, thursday]"),
        "monthly": ("days of the month", "days: [1, 15, -1]"),
        "yearly": ("months and days", "days: ['12-24']"),
        "once": ("dates", "days: ['2026-07-01']"),
    }
    if options.repeat == "daily" and options.days:
        return [("days", "a daily schedule takes no days", "repeat: weekly")]
    if options.repeat not in hints:
        return []
    noun, hint = hints[options.repeat]
    if not options.days and options.repeat != "monthly":
        return [("days", f"a {options.repeat} schedule needs {noun}", hint)]
    if options.repeat == "once" and len(options.days) > 1:
        return [("days", "a schedule of one run has one date", hint)]
    read = {"weekly": _weekday, "monthly": _month_day, "yearly": _year_day, "once": _date}[options.repeat]
    return [
        (f"days[{place}]", f"this is none of the {noun}", hint)
        for place, day in enumerate(options.days)
        if read(day) is None
    ]


def _times(options: SchedulerOptions) -> list[time] | None:
    given = options.time if isinstance(options.time, list) else ["00:00" if options.time is None else options.time]
    read = [time_of_day(one) for one in given]
    if not read or None in read:
        return None
    return sorted({one for one in read if one is not None})


def _steady(options: SchedulerOptions, start: datetime | None, after: datetime) -> Iterator[datetime]:
    length = duration(options.every) or SHORT
    begin = start or _EPOCH
    one = begin + max(0, (after - begin) // length) * length
    try:
        while True:
            yield one
            one += length
    except OverflowError:
        return


def _calendar(options: SchedulerOptions, zone: ZoneInfo, start: datetime | None, after: datetime) -> Iterator[datetime]:
    times = _times(options) or []
    first = max(after, start) if start is not None else after
    day = first.astimezone(zone).date() - timedelta(days=1)  # a gap may have moved yesterday's last run over midnight
    for _ in range(_HORIZON_DAYS if options.repeat != "once" else 1):
        if options.repeat == "once":
            day = _date(options.days[0]) or day
        if _is_day(options, day):
            # a gap may put an early time behind a later one
            yield from sorted({datetime.combine(day, one, zone).astimezone(UTC) for one in times})
        try:
            day += timedelta(days=1)
        except OverflowError:
            return


def _is_day(options: SchedulerOptions, day: date) -> bool:
    if options.repeat == "weekly":
        return day.weekday() in {_weekday(one) for one in options.days}
    if options.repeat == "monthly":
        last = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
        wanted = {_month_day(one) for one in options.days or [1]}
        return day.day in wanted or day.day - last - 1 in wanted
    if options.repeat == "yearly":
        return (day.month, day.day) in {_year_day(one) for one in options.days}
    return True


def _weekday(value: Any) -> int | None:
    text = str(value).lower()
    return next((place for place, name in enumerate(_WEEKDAYS) if text in (name, name[:3])), None)


def _month_day(value: Any) -> int | None:
    try:
        number = int(value)
    except ValueError:
        return None
    return number if -31 <= number <= 31 and number else None


def _year_day(value: Any) -> tuple[int, int] | None:
    month, _, day = str(value).partition("-")
    try:
        found = date(2024, int(month), int(day))  # a leap year: the 29th of February is a day of some years
    except ValueError:
        return None
    return found.month, found.day


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _gap(options: SchedulerOptions) -> timedelta | None:
    """Give the shortest time between two runs that the options ask for; None where it is a day or more."""
    if options.every:
        return duration(options.every)
    times = _times(options) if options.repeat else None
    if not times or len(times) < 2:
        return None
    seconds = [one.hour * 3600 + one.minute * 60 + one.second for one in times]
    return timedelta(seconds=min(b - a for a, b in zip(seconds, [*seconds[1:], seconds[0] + 86_400], strict=True)))


ACTIVITY = Activity(
    name="scheduler",
    title="Scheduler",
    summary="Runs the workflow at times of its own.",
    category=Category.FLOW,
    options=SchedulerOptions,
    apply=apply,
    inputs=NO_INPUT,
    example="""\
- id: every_morning
  type: scheduler
  repeat: weekly
  days: [monday, thursday]
  time: '07:30'
  timezone: Europe/Paris
""",
    notes="""\
`every` is elapsed time, counted from `start`, or else from midnight UTC: a clock change does not move it. `repeat`
follows the clock of `timezone`. A time that the change to summer time skips runs as much later as the clock is put
forward; one that comes twice in autumn runs the first time only.

A monthly schedule without `days` runs on the first day; a month that has no 31st skips it; `-1` is always the last
day. Runs are at least one minute apart, and ten minutes are recommended. A moment that passes while nothing runs the
schedules (`symbolon worker`, `symbolon serve`) is caught up with once, not once for each moment missed.

A run that a person starts passes the scheduler at once.
""",
)
