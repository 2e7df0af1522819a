# ruff: noqa: E501, RUF001 - lists of cases; letters that look like others are the point
"""Rows that part engines, and conditions over them: the same on DuckDB, on Spark and in plain Python."""

from __future__ import annotations

import datetime as dt
import math

import ibis
import pyarrow as pa
from condition_oracle import NOW, World, as_moment

from symbolon.targeting.conditions import Condition, Expression, Scope

UTC = pa.timestamp("us", "UTC")
TABLE = pa.schema(
    {
        "profile_id": pa.int64(),
        "email": pa.string(),
        "first_name": pa.string(),
        "country": pa.string(),
        "birth_date": pa.date32(),
        "created": UTC,
        "opt_out": pa.bool_(),
        "points": pa.int64(),
        "score": pa.float64(),
    }
)
LINKS = pa.schema({"profile_id": pa.int64(), "visitor_id": pa.string(), "last_seen": UTC})
ORDERS = pa.schema({"profile_id": pa.int64(), "amount": pa.float64(), "placed": pa.date32(), "status": pa.string()})
SCHEMA = ibis.Schema.from_pyarrow(TABLE)
LINKED = {"links": ibis.Schema.from_pyarrow(LINKS), "orders": ibis.Schema.from_pyarrow(ORDERS)}

TEXTS = [
    None, "", " ", "  Ab\t ", "vév", "fovea.f", "\vv\f", "İpek", "ıI", "STRASSE", "straße", "ẞ", "ΣΊΣΥΦΟΣ", "Σ", "ﬁn",
    "it's", '"q"', "back\\slash", "\\n", "\\", "%", "_", "50%", "a_b", "a%b", "$a", "${env:HOME}", "a$", "line\nend",
    "end\n", "\r\n", "nul\0in", "😀x", "e\u0301é", "\u00a0x", "\u2028", "-1", "NULL", "2026-01-31", "2024-02-29",
    "2023-02-29", "2026-1-5", "0000-01-01", "x@y@Example.COM", "v@v.f", "@", "name@", "ÀÉ", "ǆ", "null", "^$.*[", "é", "É",
]  # fmt: skip
COUNTRIES = ["FR", "fr", "DE", None, "", "GB", "FR ", "É"]
DATES = [
    dt.date(2000, 2, 29), dt.date(1970, 1, 1), None, dt.date(1899, 12, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 1),
    dt.date(2008, 2, 28), dt.date(2008, 2, 29), dt.date(2008, 3, 1), dt.date(2026, 12, 31), dt.date(2023, 1, 31),
    dt.date(2024, 12, 30), dt.date(2100, 2, 28),
]  # fmt: skip
MOMENTS = [
    NOW, None, NOW - dt.timedelta(days=30), NOW - dt.timedelta(days=30, microseconds=1),
    dt.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=dt.UTC), dt.datetime(1969, 12, 31, 23, 0, 0, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC), dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
]  # fmt: skip
NUMBERS = [0, 1, None, -1, 7, 18, 100, -13, 2**31, 10**12]
SCORES = [0.0, -0.0, 0.5, -0.5, 1.5, None, 2.5, 2.675, -2.5, 1e300, -1e300, math.nan, math.inf, 0.1, 12.25, -7.0]


def _rows() -> list[dict]:
    return [
        {
            "profile_id": place + 1,
            "email": TEXTS[place],
            "first_name": TEXTS[place * 7 % len(TEXTS)],
            "country": COUNTRIES[place % len(COUNTRIES)],
            "birth_date": DATES[place % len(DATES)],
            "created": MOMENTS[place % len(MOMENTS)],
            "opt_out": [True, False, None][place % 3],
            "points": NUMBERS[place % len(NUMBERS)],
            "score": SCORES[place % len(SCORES)],
        }
        for place in range(len(TEXTS))
    ]


ROWS = _rows()
LINK_ROWS = [
    {
        "profile_id": None if place == 5 else place * 5 % 41,
        "visitor_id": f"{place:038d}",
        "last_seen": MOMENTS[place % len(MOMENTS)],
    }
    for place in range(30)
]
ORDER_ROWS = [
    {
        "profile_id": place * 3 % 50,
        "amount": SCORES[place % len(SCORES)],
        "placed": DATES[place % len(DATES)],
        "status": ["paid", "open", None, "Paid"][place % 4],
    }
    for place in range(45)
]
AUDIENCES = {"VIP": {1, 2, 3, 10, 20, 99}, "Nobody": set(), "l'été": {4, 5}}
WORLD = World({"links": LINK_ROWS, "orders": ORDER_ROWS}, AUDIENCES)

CONDITIONS = [
    "email IS NOT NULL AND country IN ('FR','DE') AND years_old(birth_date) >= 18 AND EXISTS (SELECT 1 FROM links WHERE last_seen >= add_days(now(), -30))",
    "country = 'FR'",
    "country <> 'FR' OR country IS NULL",
    "NOT (country = 'FR')",
    "country NOT IN ('FR', 'DE')",
    "opt_out",
    "NOT opt_out",
    "opt_out = FALSE OR points > 5",
    "email LIKE '%a%'",
    "email LIKE 'a\\%' OR email LIKE '%\\\\%'",
    "email LIKE '%!%%' ESCAPE '!'",
    "email LIKE '_' OR email LIKE '__%\n%'",
    "email NOT LIKE '%e_d%'",
    "email LIKE '' OR email LIKE '%%' AND email LIKE '%${%'",
    "email = '${env:HOME}' OR email IN ('${env:HOME}', 'it''s', 'back\\slash')",
    "lower(email) = 'straße' OR lower(email) LIKE 'σ%' OR lower(email) = 'i\u0307pek'",
    "upper(email) = 'STRAßE' OR upper(email) = 'ﬁN' OR upper(first_name) = 'É'",
    "smart(email) <> email",
    "trim(email) <> email OR ltrim(email) = '' OR rtrim(first_name) = ''",
    "length(email) BETWEEN 2 AND 4",
    "substring(email, 2, 1) = '%' OR substring(email, 3) = 'ck\\slash' OR substring(email, 0, 2) = 'a_'",
    "left(email, 1) = right(email, 1)",
    "left(email, length(email) - 1) = 'v@v.' OR right(email, points) = ''",
    "replace(email, '\\', '/') LIKE '%/%' OR replace(email, '', 'x') = email",
    "email || first_name = concat(email, '', first_name) AND contains(email, '\n')",
    "starts_with(email, '\\') OR ends_with(email, 'f') OR starts_with(email, '')",
    "contains(email, first_name)",
    "email_domain(email) IN ('Example.COM', 'v.f', '')",
    "is_empty(email) OR NOT is_empty(country) AND is_empty(first_name)",
    "md5(email) = 'd41d8cd98f00b204e9800998ecf8427e'",
    "sha1(email) > '8' AND sha256(first_name) < 'a'",
    "birth_date >= '2008-02-28' AND birth_date < DATE '2026-03-01'",
    "birth_date NOT BETWEEN '1970-01-01' AND '2008-02-29'",
    "birth_date IN ('2000-02-29', DATE '2026-03-01')",
    "created >= '2026-01-31' OR created < TIMESTAMP '1970-01-01 00:00:00'",
    "created >= birth_date",
    "birth_date <= now() AND birth_date < today()",
    "created BETWEEN add_days(now(), -30) AND now()",
    "years_old(birth_date) = 18 OR years_old(birth_date) < 0 OR years_old(created) = 126",
    "years_old(birth_date) BETWEEN 17 AND 26",
    "add_months(birth_date, 1) = DATE '2023-02-28' OR add_years(birth_date, 1) = '2001-02-28'",
    "add_days(birth_date, points) > today() AND points < 1000",
    "add_months(created, points) > now() AND points < 1000",
    "add_hours(created, -24) < add_days(created, -1) OR add_hours(birth_date, 1) > birth_date",
    "birth_date >= days_ago(365) OR days_between(birth_date, today()) = 0",
    "year(birth_date) = 2008 AND month(birth_date) = 2 AND day(birth_date) > 28",
    "weekday(birth_date) IN (1, 7) OR weekday(created) = 6 OR hour(created) >= 23",
    "trunc_month(created) = '2026-02-01' OR trunc_year(birth_date) = '2008-01-01'",
    "trunc_week(birth_date) = '2026-02-23' OR trunc_week(created) = '2024-02-26'",
    "to_date(email) > '2025-01-01' OR to_date(created) = to_date(first_name) OR to_date(email) = birth_date",
    "points + 1 > 2 * points - 3 / 2",
    "points / 0 IS NULL AND score / points > 0.1",
    "round(score) = 3 OR round(score, 2) = 2.68 OR floor(score) = -3 OR ceil(score) = 1",
    "abs(score) > 2 AND sign(points) < 1 OR mod(points, 7) = 4 OR mod(score, points) = 0.5",
    "least(points, score) < greatest(points, 2, score) AND score > 1e299",
    "score = 0 OR score <> score OR score >= 12.25",
    "coalesce(first_name, email, 'x') = 'x' OR nullif(country, '') IS NULL",
    "iif(opt_out, country, first_name) = 'FR' OR iif(points > 0 OR points IS NULL, 1, 0) = 1",
    "decode(country, 'FR', 1, 'DE', 2, 0) = 2 OR decode(points, 1, 'one', 7, 'seven') = 'seven'",
    "CASE WHEN opt_out THEN 'out' WHEN points > 5 THEN country ELSE NULL END IN ('out', 'FR')",
    "in_audience('VIP') AND NOT in_audience('Nobody')",
    "in_audience('VIP') OR in_audience('l''été') OR country = 'GB'",
    "NOT EXISTS (SELECT 1 FROM orders WHERE status = 'paid' AND amount > 0)",
    "EXISTS (SELECT 1 FROM orders) EXCEPT EXISTS (SELECT 1 FROM links) EXCEPT opt_out",
    "EXISTS (SELECT 1 FROM orders WHERE placed < today() AND in_audience('VIP')) = FALSE OR opt_out",
    "NOT (EXISTS (SELECT 1 FROM links WHERE EXISTS (SELECT 1 FROM orders WHERE NOT status = 'open')) OR points > 7)",
    "(opt_out EXCEPT points > 5) OR named('French', country = 'FR' AND NOT in_audience('VIP'))",
    "country = 'FR' EXCEPT (opt_out OR points IS NULL)",
    "any_of(all_of(opt_out) OR points BETWEEN -20 AND score)",
    "TRUE AND NOT FALSE",
]  # fmt: skip


class OnEngine(Scope):
    """The world on an engine."""

    now = NOW

    def __init__(self, engine) -> None:
        self.people = engine.relation(pa.Table.from_pylist(ROWS, schema=TABLE))
        self._linked = {
            "links": engine.relation(pa.Table.from_pylist(LINK_ROWS, schema=LINKS)),
            "orders": engine.relation(pa.Table.from_pylist(ORDER_ROWS, schema=ORDERS)),
        }
        self._audiences = {
            name: engine.relation(pa.table({"profile_id": pa.array(sorted(members), pa.int64())}))
            for name, members in AUDIENCES.items()
        }

    def linked(self, name: str) -> ibis.Table:
        return self._linked[name]

    def audience(self, name: str) -> ibis.Table:
        return self._audiences[name]


def expected(condition: Condition, holds) -> list[int]:
    """Give the profiles for which a condition is true, by the reference."""
    return [row["profile_id"] for row in ROWS if holds(condition.tree, row, WORLD) is True]


EXPRESSIONS = [
    "email", "birth_date", "points", "score", "created", "opt_out", "lower(email)", "upper(email)", "smart(first_name)",
    "points + 1", "-points", "points / 4", "round(score)", "round(score, 1)", "floor(score)", "ceil(score)", "abs(score)",
    "years_old(birth_date)", "years_old(birth_date) >= 18", "add_months(birth_date, -3)", "add_days(created, 1)",
    "add_hours(birth_date, 25)", "trunc_week(birth_date)", "trunc_year(created)", "to_date(email)", "now()", "today()",
    "days_ago(7)", "days_between(created, birth_date)", "left(email, 3)", "right(email, 2)", "substring(email, points, 2)",
    "replace(email, 'e', '${x}')", "email || '-' || country", "email_domain(email)", "is_empty(email)", "sha256(email)",
    "coalesce(points, score)", "coalesce(birth_date, created)", "nullif(points, 7)", "decode(country, 'FR', 1, 0.5)",
    "least(points, score)", "greatest(birth_date, created)", "iif(opt_out, NULL, email)", "mod(points, 7)", "sign(score)",
    "CASE WHEN opt_out THEN 1 ELSE score END", "'${env:HOME}'", "'it''s \\ % \"'", "1e300", "-5", "TRUE",
    "DATE '2024-02-29'", "in_audience('VIP')", "EXISTS (SELECT 1 FROM orders WHERE amount > 1) OR opt_out",
    "iif(NOT in_audience('VIP'), points, 0)", "hour(created)", "weekday(birth_date)", "length(email)", "points * points",
]  # fmt: skip


def values(one: Expression, holds) -> list:
    """Give the value of an expression for each row, by the reference; a whole number of more than 64 bits is none."""
    found = [holds(one.tree, row, WORLD) for row in ROWS]
    if one.type.is_timestamp():
        return [None if value is None else as_moment(value) for value in found]
    if not one.type.is_integer():
        return found
    return [None if value is None or not abs(value) < 2**63 else value for value in found]


def same(found: list, wanted: list) -> bool:
    """Compare values; NaN is NaN, and whole numbers may be written as floating ones."""
    return len(found) == len(wanted) and all(
        (one is None) == (other is None) and (one is None or _alike(one, other))
        for one, other in zip(found, wanted, strict=True)
    )


def _alike(one, other) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, dt.datetime) != isinstance(other, dt.datetime):
        return False
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return one == other
