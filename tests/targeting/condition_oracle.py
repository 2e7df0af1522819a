"""What a condition means, in plain Python, one row at a time; `None` is NULL and unknown. The reference of tests."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import hashlib
import math
import re

from symbolon.targeting.conditions import tree as t

NOW = dt.datetime(2026, 2, 28, 12, 30, tzinfo=dt.UTC)


class World:
    """What a condition is evaluated in."""

    def __init__(self, linked: dict[str, list[dict]], audiences: dict[str, set[int]]) -> None:
        self.linked = linked
        self.audiences = audiences


def holds(node: t.Node, row: dict, world: World):
    """Give the value of a node for a row."""
    return _Row(row, world).value(node)


class _Row:
    def __init__(self, row: dict, world: World) -> None:
        self.row = row
        self.world = world

    def value(self, node: t.Node):
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _literal(self, node):
        return node.value

    _text = _number = _truth = _date = _moment = _literal

    def _null(self, node):
        return None

    def _column(self, node):
        return self.row[node.name]

    def _named(self, node):
        return self.value(node.rule)

    def _not(self, node):
        found = self.value(node.rule)
        return None if found is None else not found

    def _group(self, node):
        found = [self.value(rule) for rule in node.rules]
        if node.combinator == "except":
            found = [found[0], *[one is not True for one in found[1:]]]
        if node.combinator == "or":
            return True if True in found else None if None in found else False
        return False if False in found else None if None in found else True

    def _compare(self, node):
        return compared(node.operator, self.value(node.left), self.value(node.right))

    def _between(self, node):
        value, low, high = (self.value(part) for part in node.parts)
        ends = [compared(">=", value, low), compared("<=", value, high)]
        return False if False in ends else None if None in ends else True

    def _in(self, node):
        value = self.value(node.value)
        return None if value is None else any(compared("=", value, item.value) for item in node.items)

    def _like(self, node):
        value = self.value(node.value)
        if value is None:
            return None
        pattern, signs = "", iter(node.pattern)
        for sign in signs:
            if sign == node.escape:
                pattern += re.escape(next(signs))
            else:
                pattern += {"%": ".*", "_": "."}.get(sign) or re.escape(sign)
        return re.fullmatch(pattern, value, re.DOTALL) is not None

    def _isnull(self, node):
        return self.value(node.value) is None

    def _exists(self, node):
        rows = [row for row in self.world.linked[node.table] if row["profile_id"] == self.row["profile_id"]]
        return any(node.where is None or holds(node.where, row, self.world) is True for row in rows)

    def _member(self, node):
        return self.row["profile_id"] in self.world.audiences[node.audience]

    def _case(self, node):
        for condition, value in node.branches:
            if self.value(condition) is True:
                return self.value(value)
        return None if node.otherwise is None else self.value(node.otherwise)

    def _arithmetic(self, node):
        left, right = self.value(node.left), self.value(node.right)
        if left is None or right is None:
            return None
        left, right = float(left), float(right)
        if node.operator == "/":
            return None if right == 0 else left / right
        return {"+": left + right, "-": left - right, "*": left * right}[node.operator]

    def _call(self, node):
        values = [self.value(part) for part in node.arguments]
        if node.function in CHOOSING:
            return CHOOSING[node.function](*values)
        if None in values:
            return None
        return FUNCTIONS[node.function](*values)


def compared(operator: str, left, right):
    if left is None or right is None:
        return None
    order = ordered(left, right)
    return {"=": order == 0, "<>": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
        operator
    ]


def ordered(left, right) -> int:
    """Order two values as engines do: NaN is the largest number and equal to itself, days begin at midnight."""
    if isinstance(left, dt.datetime) != isinstance(right, dt.datetime) and isinstance(left, dt.date):
        left, right = as_moment(left), as_moment(right)
    if isinstance(left, float) or isinstance(right, float):
        left, right = (
            (math.isnan(left), 0.0 if math.isnan(left) else float(left)),
            (
                math.isnan(right),
                0.0 if math.isnan(right) else float(right),
            ),
        )
    return (left > right) - (left < right)


def as_moment(value):
    return value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)


def as_day(value):
    return value.date() if isinstance(value, dt.datetime) else value


def whole(value, low, high):
    return high if value > high or math.isnan(value) else low if value < low else int(value)


def add_months(value, months):
    years, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    return value.replace(year=years, month=month + 1, day=min(value.day, calendar.monthrange(years, month + 1)[1]))


def years_old(value):
    birth, today = as_day(value), NOW.date()
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def to_date(value):
    if not isinstance(value, str):
        return as_day(value)
    try:
        return dt.date.fromisoformat(value) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else None
    except ValueError:
        return None


def lower(value):
    return value.replace("Σ", "σ").lower()  # noqa: RUF001


def upper(value):
    return "".join(one.upper() if len(one.upper()) == 1 else one for one in value)


def rounded(value, digits=0):
    factor = float(10**digits)
    value = float(value) * factor if digits else float(value)
    if math.isnan(value) or abs(value) >= 2**53:
        nearest = value
    else:
        below = math.floor(abs(value))
        nearest = math.copysign(below + (abs(value) - below >= 0.5), value)
    return nearest / factor if digits else nearest


def exact(function):
    """Take what is too large, or no number, as it is."""
    return lambda value: float(value) if abs(value) >= 2**53 or math.isnan(value) else float(function(value))


def mod(value, divisor):
    if divisor == 0:
        return None
    return math.nan if math.isinf(value) or math.isnan(value) else math.fmod(value, divisor)


def best(sign):
    def choose(*values):
        values = [value for value in values if value is not None]
        order = functools.cmp_to_key(lambda left, right: sign * ordered(left, right))
        return min(values, key=order) if values else None

    return choose


def decode(value, *rest):
    default = rest[-1] if len(rest) % 2 else None
    for search, result in zip(rest[::2], rest[1::2], strict=False):
        if compared("=", value, search):
            return result
    return default


def trunc(unit):
    def begin(value):
        day = as_day(value)
        if unit == "week":
            return day - dt.timedelta(days=day.weekday())
        return day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)

    return begin


def digest(name):
    return lambda value: hashlib.new(name, value.encode()).hexdigest()


#: these look at NULL themselves
CHOOSING = {
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "iif": lambda condition, then, otherwise: then if condition is True else otherwise,
    "nullif": lambda value, other: None if compared("=", value, other) else value,
    "decode": decode,
    "least": best(1),
    "greatest": best(-1),
    "is_empty": lambda value: not value,
}
MOST = 2_000_000_000
FUNCTIONS = {
    "now": lambda: NOW,
    "today": NOW.date,
    "add_days": lambda value, days: value + dt.timedelta(days=whole(days, -366_000, 366_000)),
    "add_months": lambda value, months: add_months(value, whole(months, -12_000, 12_000)),
    "add_years": lambda value, years: add_months(value, 12 * whole(years, -1_000, 1_000)),
    "add_hours": lambda value, hours: as_moment(value) + dt.timedelta(hours=whole(hours, -8_784_000, 8_784_000)),
    "days_ago": lambda days: NOW.date() - dt.timedelta(days=whole(days, -366_000, 366_000)),
    "days_between": lambda first, second: (as_day(second) - as_day(first)).days,
    "years_old": years_old,
    "year": lambda value: value.year,
    "month": lambda value: value.month,
    "day": lambda value: value.day,
    "weekday": lambda value: value.isoweekday(),
    "hour": lambda value: value.hour,
    "trunc_year": trunc("year"),
    "trunc_month": trunc("month"),
    "trunc_week": trunc("week"),
    "to_date": to_date,
    "lower": lower,
    "upper": upper,
    "smart": lambda value: upper(value[:1]) + lower(value[1:]),
    "trim": lambda value: value.strip(" "),
    "ltrim": lambda value: value.lstrip(" "),
    "rtrim": lambda value: value.rstrip(" "),
    "length": len,
    "substring": lambda value, start, length=MOST: value[whole(start, 1, MOST) - 1 :][: whole(length, 0, MOST)],
    "left": lambda value, length: value[: whole(length, 0, MOST)],
    "right": lambda value, length: value[max(len(value) - whole(length, 0, MOST), 0) :],
    "replace": lambda value, part, other: value.replace(part, other) if part else value,
    "concat": lambda *values: "".join(values),
    "contains": lambda value, part: part in value,
    "starts_with": lambda value, part: value.startswith(part),
    "ends_with": lambda value, part: value.endswith(part),
    "email_domain": lambda value: value.rpartition("@")[2] if "@" in value else None,
    "md5": digest("md5"),
    "sha1": digest("sha1"),
    "sha256": digest("sha256"),
    "sha384": digest("sha384"),
    "sha512": digest("sha512"),
    "abs": lambda value: abs(float(value)),
    "round": rounded,
    "floor": exact(math.floor),
    "ceil": exact(math.ceil),
    "sign": lambda value: 1.0 if value > 0 or math.isnan(value) else -1.0 if value < 0 else 0.0,
    "mod": mod,
}
