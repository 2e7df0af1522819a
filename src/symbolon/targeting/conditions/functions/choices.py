"""Functions that choose between values."""

from __future__ import annotations

from typing import Any

import ibis

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions.function import CONDITION, Function, Parameter, alike

_VALUE = Parameter("value", kinds.ANY)


def _iif(values: list[Any], _: Any) -> Any:
    return ibis.ifelse(values[0], *alike(values[1:]))


def _nullif(values: list[Any], _: Any) -> Any:
    first, second = alike(values)
    return first.nullif(second)


def _decode(values: list[Any], _: Any) -> Any:
    value, *rest = values
    default = [rest.pop()] if len(rest) % 2 else []
    searched, results = rest[::2], alike([*rest[1::2], *default])
    compared = alike([value, *searched])
    pairs = [(compared[0] == one, result) for one, result in zip(compared[1:], results, strict=False)]
    return ibis.cases(*pairs, else_=results[-1] if default else None)


def _decoded(given: list[str]) -> str | None:
    value, *rest = given
    default = [rest.pop()] if len(rest) % 2 else []
    if kinds.joined([value, *rest[::2]]) is None:
        return None
    return kinds.joined([*rest[1::2], *default])


FUNCTIONS = (
    Function(
        "coalesce",
        (_VALUE, _VALUE),
        kinds.joined,
        lambda values, _: ibis.coalesce(*alike(values)),
        "the first value that is not NULL",
        repeats=1,
        gives="as the values",
    ),
    Function(
        "iif",
        (Parameter("condition", CONDITION), Parameter("then", kinds.ANY), Parameter("otherwise", kinds.ANY)),
        lambda given: kinds.joined(given[1:]),
        _iif,
        "one value where the condition is true, the other one where it is false or unknown",
        gives="as the values",
    ),
    Function(
        "nullif",
        (_VALUE, Parameter("other", kinds.ANY)),
        lambda given: given[0] if kinds.joined(given) is not None else None,
        _nullif,
        "the value, but NULL where it equals the other",
        gives="as `value`",
    ),
    Function(
        "decode",
        (_VALUE, Parameter("search", kinds.ANY), Parameter("result", kinds.ANY)),
        _decoded,
        _decode,
        "the result behind the search that equals the value; a single one at the end is for all others, else NULL",
        repeats=1,
        gives="as the results",
    ),
)
