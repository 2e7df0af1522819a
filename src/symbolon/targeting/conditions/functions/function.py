"""What a function of conditions is: its parameters, what it gives, how it is written in Ibis, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as types

from symbolon.targeting.conditions import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

#: the kind of a parameter that is a condition
CONDITION = "condition"


@dataclass(frozen=True)
class Parameter:
    """One thing that a function asks for."""

    name: str
    #: kinds that fit, such as `date|moment`
    kind: str
    #: largest number, either way, that may be written here
    most: int | None = None


@dataclass(frozen=True)
class Function:
    """A function of conditions."""

    name: str
    parameters: tuple[Parameter, ...]
    #: kind of what it gives; or what finds it from the kinds of the arguments, None if they do not go together
    result: str | Callable[[list[str]], str | None]
    #: from Ibis values and the moment of the run to an Ibis value
    compiled: Callable[[list[Any], datetime], Any]
    #: one line for people
    words: str
    #: how many parameters at the end may be left out
    optional: int = 0
    #: how many parameters at the end may come again and again
    repeats: int = 0
    #: what it gives, for people, where `result` is found from the arguments
    gives: str = ""
    #: how often the longest of its arguments stands in what it is written as: once for each time, engines compute it
    mentions: int = 1

    @property
    def signature(self) -> str:
        """Give the function as it is called: `round(value [, digits])`."""
        names = [parameter.name for parameter in self.parameters]
        shown = ""
        for place, name in enumerate(names):
            optional = place >= len(names) - self.optional
            comma = ", " if place else ""
            shown += f" [{comma}{name}]".replace(" [,", " [,") if optional else comma + name
        return f"{self.name}({shown}{', ...' if self.repeats else ''})"

    def parameter(self, place: int) -> Parameter | None:
        """Give the parameter that an argument is for; None if there is none."""
        count = len(self.parameters)
        if place < count:
            return self.parameters[place]
        return self.parameters[count - self.repeats + (place - count) % self.repeats] if self.repeats else None

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        least = len(self.parameters) - self.optional
        return count >= least and (bool(self.repeats) or count <= len(self.parameters))


def number(value: Any) -> Any:
    """Give a number as the 64 bits floating that all arithmetic is done with."""
    return value.cast("float64") if not value.type().is_float64() else value


def real(value: float) -> Any:
    """Give a floating number as a literal: as Ibis writes it, DuckDB would take it for a decimal, which overflows."""
    return ibis.literal(repr(value)).cast("float64")


def nothing(kind: str) -> Any:
    """Give NULL of a kind."""
    return ibis.null().cast(kinds.type_of(kind))


def alike(values: Sequence[Any]) -> list[Any]:
    """Give values in one type: days as moments where one is a moment, whole numbers as numbers where one is not."""
    known = [value.type() for value in values if not value.type().is_null()]
    target: types.DataType | None = None
    if any(one.is_timestamp() for one in known):
        target = kinds.UTC
    elif any(one.is_floating() for one in known):
        target = types.float64
    elif known and all(one.is_integer() for one in known):
        target = types.int64
    elif known:
        target = known[0]
    if target is None:
        return [value.cast("string") for value in values]
    return [value if value.type() == target else value.cast(target) for value in values]


def whole(value: Any, low: int, high: int) -> Any:
    """Give a whole number of 64 bits within bounds; what is beyond them is brought to them."""
    bounded = ibis.ifelse(value < low, low, ibis.ifelse(value > high, high, value))
    return bounded.cast("int64")
