"""Scheduler: moments by the clock of a place, over clock changes too, compared with a walk from minute to minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flow_context import apply, opened, options
from hypothesis import given
from hypothesis import strategies as st

from symbolon.targeting.activities._values import duration, time_of_day
from symbolon.targeting.activities.scheduler import next_times

PARIS = ZoneInfo("Europe/Paris")


def local(moments: list[datetime], zone: ZoneInfo = PARIS) -> list[str]:
    return [f"{one.astimezone(zone):%m-%d %H:%M}" for one in moments]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_a_time_that_the_change_to_summer_time_skips_runs_once_an_hour_later() -> None:
    chosen = options("scheduler", repeat="daily", time="02:30", timezone="Europe/Paris")
    found = next_times(chosen, utc(2026, 3, 28, 0), 3)
    assert local(found) == ["03-28 02:30", "03-29 03:30", "03-30 02:30"]
    # from between the time that was skipped and the run
    assert local(next_times(chosen, utc(2026, 3, 29, 1, 0), 1)) == ["03-29 03:30"]


def test_a_time_that_comes_twice_in_autumn_runs_the_first_time_only() -> None:
    chosen = options("scheduler", repeat="daily", time="02:30", timezone="Europe/Paris")
    found = next_times(chosen, utc(2026, 10, 24, 12), 2)
    assert found == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]
    assert next_times(chosen, utc(2026, 10, 25, 0, 30), 1) == [utc(2026, 10, 26, 1, 30)]


def test_a_time_that_a_clock_change_moves_over_midnight_is_not_missed() -> None:
    # in Nuuk the clock goes from 23:00 to 0:00 of the next day
    chosen = options("scheduler", repeat="daily", time="23:30", timezone="America/Nuuk")
    assert next_times(chosen, utc(2026, 3, 29, 1, 10), 1) == [utc(2026, 3, 29, 1, 30)]


def test_steady_intervals_do_not_see_the_clock_change() -> None:
    chosen = options("scheduler", every="1h", timezone="Europe/Paris")
    found = next_times(chosen, utc(2026, 3, 28, 23, 59), 4)
    assert found == [utc(2026, 3, 29, 0), utc(2026, 3, 29, 1), utc(2026, 3, 29, 2), utc(2026, 3, 29, 3)]


def test_intervals_count_from_the_start() -> None:
    chosen = options("scheduler", every="45m", start="2026-07-01T08:10:00Z", until="2026-07-01T10:00:00Z")
    assert local(next_times(chosen, utc(2026, 6, 1), 10), ZoneInfo("UTC")) == [
        "07-01 08:10",
        "07-01 08:55",
        "07-01 09:40",
    ]
    assert next_times(chosen, utc(2026, 7, 1, 8, 10), 1) == [utc(2026, 7, 1, 8, 55)]
    assert next_times(chosen, utc(2026, 7, 1, 9, 40), 1) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"repeat": "weekly", "days": ["monday", "Thu"], "time": "07:30"}, ["07-02 07:30", "07-06 07:30"]),
        ({"repeat": "monthly", "days": [31, -1], "time": 630}, ["07-31 10:30", "08-31 10:30"]),
        ({"repeat": "monthly", "days": [-1]}, ["07-31 00:00", "08-31 00:00"]),
        ({"repeat": "monthly"}, ["08-01 00:00", "09-01 00:00"]),
        ({"repeat": "yearly", "days": ["12-24", "01-06"]}, ["12-24 00:00", "01-06 00:00"]),
        ({"repeat": "daily", "time": ["18:00", "08:00"]}, ["07-01 18:00", "07-02 08:00"]),
        ({"repeat": "once", "days": [date(2026, 7, 9)], "time": "09:00"}, ["07-09 09:00"]),
        ({"repeat": "once", "days": ["2026-06-09"], "time": "09:00"}, []),
        ({"repeat": "daily", "until": date(2026, 7, 2), "time": "23:59"}, ["07-01 23:59", "07-02 23:59"]),
        ({"repeat": "daily", "start": "2026-07-05", "time": "06:00"}, ["07-05 06:00", "07-06 06:00"]),
    ],
)
def test_the_calendar(values: dict[str, object], expected: list[str]) -> None:
    chosen = options("scheduler", timezone="Europe/Paris", **values)
    assert local(next_times(chosen, utc(2026, 7, 1, 8, 30), 2)) == expected


def test_a_leap_day_is_found_eight_years_ahead() -> None:
    chosen = options("scheduler", repeat="yearly", days=["02-29"])
    assert next_times(chosen, utc(2096, 3, 1), 1) == [utc(2104, 2, 29)]


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    times=st.lists(st.times(), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
)
def test_moments_ascend_and_each_day_has_its_times(day: date, times: list[time], weekdays: set[int], zone: str) -> None:
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    texts = [f"{one:%H:%M:%S}" for one in times]
    chosen = options("scheduler", repeat="weekly", days=[names[one] for one in weekdays], time=texts, timezone=zone)
    after = datetime.combine(day, time(12), UTC)
    found = next_times(chosen, after, 12)
    assert len(found) == 12
    assert found == sorted(set(found))
    assert found[0] > after
    # asked one by one, the same
    one, again = after, []
    for _ in range(12):
        one = next_times(chosen, one, 1)[0]
        again.append(one)
    assert again == found
    # an oracle by days: what a clock on the wall shows, moved on where the clock is put forward
    wall = {
        datetime.combine(day + timedelta(days=n), time.fromisoformat(text), ZoneInfo(zone)).astimezone(UTC)
        for n in range(-2, 90)
        for text in texts
        if (day + timedelta(days=n)).weekday() in weekdays
    }
    assert found == sorted(one for one in wall if one > after)[:12]


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({}, [""]),
        ({"every": "1h", "repeat": "daily"}, [""]),
        ({"every": "soon"}, ["every"]),
        ({"every": "30s"}, ["every"]),
        ({"every": "1h", "time": "08:00"}, ["time"]),
        ({"repeat": "daily", "time": "25:00"}, ["time"]),
        ({"repeat": "daily", "time": ["08:00:00", "08:00:30"]}, ["time"]),
        ({"repeat": "daily", "timezone": "Europe/../../etc/passwd"}, ["timezone"]),
        ({"repeat": "daily", "timezone": "Mars/Phobos"}, ["timezone"]),
        ({"repeat": "weekly"}, ["days"]),
        ({"repeat": "weekly", "days": ["someday", "monday", 3]}, ["days[0]", "days[2]"]),
        ({"repeat": "monthly", "days": [0, 32, "x"]}, ["days[0]", "days[1]", "days[2]"]),
        ({"repeat": "yearly", "days": ["02-30", "13-01"]}, ["days[0]", "days[1]"]),
        ({"repeat": "once", "days": ["2026-07-01", "2026-07-02"]}, ["days"]),
        ({"repeat": "daily", "days": ["monday"]}, ["days"]),
        ({"repeat": "daily", "start": "2026-07-02", "until": "2026-07-01"}, ["until"]),
        ({"repeat": "daily", "start": "tomorrow", "until": 5}, ["start", "until"]),
    ],
)
def test_every_fault_is_told_with_its_place(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check()
    assert apply("scheduler", context, **values) == {"result": None}
    assert context.paths == paths
    assert all(hint for _, _, hint in context.faults)
    if values.get("every") != "30s" and "08:00:30" not in str(values):
        assert next_times(options("scheduler", **values), utc(2026, 7, 1), 10) == []


@pytest.mark.parametrize("values", [{"every": "5m"}, {"repeat": "daily", "time": ["23:58", "00:01"]}])
def test_short_intervals_are_warned_of(flow, values: dict[str, object]) -> None:
    context = flow.check()
    apply("scheduler", context, **values)
    assert not context.faults
    assert len(context.warnings) == 1


def test_times_of_day_and_durations_are_read_as_people_write_them() -> None:
    assert time_of_day(630) == time_of_day("10:30") == time(10, 30)  # YAML reads 10:30 as 630
    assert time_of_day(37815) == time_of_day("10:30:15") == time(10, 30, 15)
    assert [time_of_day(bad) for bad in (True, -1, 86_400, "9", "09:60", None)] == [None] * 6
    assert duration("1d12h") == timedelta(hours=36)
    assert [duration(bad) for bad in ("", "0m", "2", "h", "1h1h", "-1h", "99999999w", "1.5h", "2h ")] == [None] * 9


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow
