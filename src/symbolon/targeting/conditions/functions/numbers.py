"""Functions of numbers. They are computed with 64 bits floating, so no row can stop a run by being too large.

Invariant: an engine only rounds to whole numbers, and numbers that are small enough: with digits behind the point, and
beyond 64 bits, DuckDB and Spark do it differently.
"""

from __future__ import annotations

from typing import Any

import ibis

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions.function import Function, Parameter, alike, nothing, number, real

_NUMBER = Parameter("number", kinds.NUMBER)
#: from here on every floating number is a whole one
_EXACT = float(2**53)
_MOST_DIGITS = 9
_ZERO, _ONE = real(0.0), real(1.0)


def whole_part(value: Any, way: str) -> Any:
    """Give a whole number near to a number: `floor`, `ceil` or `round`, of which a half goes away from 0."""
    small = value.abs() < real(_EXACT)
    within: Any = ibis.ifelse(small, value, _ZERO)  # beyond it, Ibis's whole numbers of 64 bits would overflow
    return ibis.ifelse(small, getattr(within, way)().cast("float64"), value)


def divided(value: Any, other: Any) -> Any:
    """Divide; by 0 there is no result."""
    divisor = number(other)
    return number(value) / ibis.ifelse(divisor == _ZERO, nothing(kinds.NUMBER), divisor)


def _round(values: list[Any], _: Any) -> Any:
    if len(values) == 1:
        return whole_part(number(values[0]), "round")
    factor = real(float(10 ** min(max(int(values[1].op().value), 0), _MOST_DIGITS)))
    return whole_part(number(values[0]) * factor, "round") / factor


def _sign(values: list[Any], _: Any) -> Any:
    value = number(values[0])
    return ibis.cases(
        (value > _ZERO, _ONE), (value < _ZERO, real(-1.0)), (value == _ZERO, _ZERO), else_=nothing(kinds.NUMBER)
    )


def _mod(values: list[Any], _: Any) -> Any:
    divisor = number(values[1])
    return number(values[0]) % ibis.ifelse(divisor == _ZERO, nothing(kinds.NUMBER), divisor)


def _same(given: list[str]) -> str | None:
    return kinds.joined(given)


def _ordered(given: list[str]) -> str | None:
    found = kinds.joined(given)
    return found if found not in {kinds.BOOLEAN, kinds.OTHER} else None


FUNCTIONS = (
    Function(
        "abs", (_NUMBER,), _same, lambda values, _: number(values[0]).abs(), "without its sign", gives="as `number`"
    ),
    Function(
        "round",
        (_NUMBER, Parameter("digits", "digits", _MOST_DIGITS)),
        lambda given: kinds.INTEGER if len(given) == 1 else kinds.NUMBER,
        _round,
        "the nearest number of so many digits behind the point (0 to 9, written out); a half goes away from 0",
        optional=1,
        gives="number",
        mentions=4,
    ),
    Function(
        "floor",
        (_NUMBER,),
        kinds.INTEGER,
        lambda values, _: whole_part(number(values[0]), "floor"),
        "the next whole number below",
        mentions=4,
    ),
    Function(
        "ceil",
        (_NUMBER,),
        kinds.INTEGER,
        lambda values, _: whole_part(number(values[0]), "ceil"),
        "the next whole number above",
        mentions=4,
    ),
    Function("sign", (_NUMBER,), kinds.INTEGER, _sign, "1, 0 or -1", mentions=3),
    Function(
        "mod",
        (_NUMBER, Parameter("divisor", kinds.NUMBER)),
        _same,
        _mod,
        "the remainder, with the sign of the number; NULL if the divisor is 0",
        mentions=2,
        gives="as `number`",
    ),
    Function(
        "least",
        (Parameter("value", kinds.ANY), Parameter("value", kinds.ANY)),
        _ordered,
        lambda values, _: ibis.least(*alike(values)),
        "the least of the values that are not NULL",
        repeats=1,
        gives="as the values",
    ),
    Function(
        "greatest",
        (Parameter("value", kinds.ANY), Parameter("value", kinds.ANY)),
        _ordered,
        lambda values, _: ibis.greatest(*alike(values)),
        "the greatest of the values that are not NULL",
        repeats=1,
        gives="as the values",
    ),
)
