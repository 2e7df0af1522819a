"""A cell means the same alone and among others, and what is taken is what a plain reading takes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import example, given, settings

from symbolon.profiles.cells import typed
from symbolon.profiles.fields import FIELDS, MOMENT, extra_type, field_name, type_name, type_of

KINDS = {
    pa.int64(): ["0", "-5", "007", "+5", "0x1F", "5.0", "1e3", "9223372036854775807", "9223372036854775808", "5 ", "x"],
    pa.float64(): ["0.5", ".5", "5.", "1e5", "-1", "inf", "0x1p3", " 1", "1,5"],
    pa.bool_(): ["true", "FALSE", "yes", "N", "1", "0", "on", "Off", " t ", "2", "maybe"],
    pa.date32(): ["2020-02-29", "2021-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2020/01/01", " 2020-01-01"],
    MOMENT: [
        "2020-01-01",
        "2020-01-01T10:11:12Z",
        "2020-01-01 10:11",
        "2020-01-01T10:11:12+02:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59.999999Z",
        "1700000000",
        "1700000000000",
        "99999999999999999999",
        "today",
        "2020-01-01T10:11:12.123456Z",
    ],
}
CASES = st.sampled_from(list(KINDS)).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.lists(st.sampled_from(["", *KINDS[kind]]) | st.text("0123456789-:+TZ.eEx ", max_size=12))
    )
)


def read(cells: list[str | None], kind: pa.DataType):
    values, bad = typed(pa.array(cells, pa.string()), kind)
    assert values.type == kind
    return list(zip(values.to_pylist(), [False] * len(values) if bad is None else bad.tolist(), strict=True))


@given(CASES)
@example((pa.int64(), ["0x1F", "1"]))
@example((pa.date32(), ["0000-01-01", "2020-01-01"]))
@settings(max_examples=400, deadline=None)
def test_a_cell_means_the_same_alone_and_among_others(case):
    kind, cells = case
    assert repr(read(cells, kind)) == repr([read([cell], kind)[0] for cell in cells])


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_numbers_come_back(numbers):
    assert [value for value, _ in read([None if n is None else str(n) for n in numbers], pa.int64())] == numbers


@given(st.lists(st.none() | st.dates()))
def test_dates_come_back(dates):
    assert read([None if day is None else day.isoformat() for day in dates], pa.date32()) == [(d, False) for d in dates]


@given(st.lists(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones())))  # noqa: DTZ001
def test_moments_come_back(moments):
    for (value, bad), moment in zip(read([one.isoformat() for one in moments], MOMENT), moments, strict=True):
        assert not bad
        # zones of long ago have seconds in them
        assert abs(value - moment) < timedelta(minutes=1)


def test_an_empty_cell_is_null_of_every_type():
    for kind in [*KINDS, pa.string()]:
        assert read(["", None], kind) == [(None, False)] * 2
    for kind in KINDS:
        assert read([" "], kind) == [(None, False)]
    assert read([" "], pa.string()) == [(" ", False)]


@pytest.mark.parametrize(
    ("given_values", "kind", "wanted", "bad"),
    [
        (pa.array([b"a", b"\xff", b""]), pa.string(), ["a", None, None], [1]),
        (pa.array(["", "a"], pa.string_view()), pa.string(), [None, "a"], []),
        (pa.array(["", "a"], pa.large_string()), pa.string(), [None, "a"], []),
        (pa.array(["", "a"]).dictionary_encode(), pa.string(), [None, "a"], []),
        (pa.array([1.0, None]), pa.string(), ["1", None], []),
        (pa.array([1.5, 2.0]), pa.int64(), [None, 2], [0]),
        (pa.array([2**64 - 1, 1], pa.uint64()), pa.int64(), [None, 1], [0]),
        (pa.array([Decimal("1.50")]), pa.float64(), [1.5], []),
        (pa.array([3_000_000, 1], pa.int32()).view(pa.date32()), pa.date32(), [None, date(1970, 1, 2)], [0]),
        (pa.array([2**62], pa.timestamp("us", "UTC")), MOMENT, [None], [0]),
        (pa.array([[1, 2]]), pa.string(), ["[1, 2]"], []),
        (pa.nulls(2), pa.bool_(), [None, None], []),
    ],
)
def test_values_that_are_typed_already(given_values, kind, wanted, bad):
    values, wrong = typed(given_values, kind)
    assert values.to_pylist() == wanted
    assert ([] if wrong is None else wrong.nonzero()[0].tolist()) == bad


def test_types_are_kept_by_name():
    for field in FIELDS:
        assert type_of(type_name(field.type)) == field.type
    for kind in (
        pa.int8(),
        pa.uint64(),
        pa.float32(),
        pa.decimal128(5, 2),
        pa.bool_(),
        pa.date64(),
        pa.timestamp("ns"),
    ):
        assert type_of(type_name(extra_type(kind))) == extra_type(kind)


@pytest.mark.parametrize("name", FIELDS.names)
def test_every_field_is_found_by_its_spellings(name):
    camel = "".join(part if n == 0 else part.title() for n, part in enumerate(name.split("_")))
    for header in (name, name.upper(), name.replace("_", "-"), name.replace("_", " "), camel, f" {name} "):
        assert field_name(header) == name
