"""Drawing lots: numbers that look random, are the same for the same seed on every engine, and need no row before them.

A lot of a person is a cubic polynomial of his number over the field of 2**31 - 1, its coefficients drawn by the seed:
any four people's lots are independent (Wegman and Carter, 1981). It costs an engine a few whole-number operations, a
digest twenty times as much. Other rows have no number: their lot is a digest of what engines write alike.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import ibis

from symbolon.profiles.vocabulary import md5
from symbolon.targeting.activities._rows import apart, rising
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from symbolon.targeting.activity import Context
    from symbolon.targeting.population import Population

_PRIME = 2**31 - 1


def lots(context: Context, population: Population, table: ibis.Table, use: str = "") -> list[ibis.Value]:
    """Give sort keys that bring rows into an order by chance; equal lots are told apart.

    Args:
        context: has the seed.
        population: what the rows are.
        table: the rows.
        use: tells several draws of one activity from each other.
    """
    seed = hashlib.sha256(f"{context.seed}/{use}".encode()).digest()
    if population.dimension == PROFILE:
        lot = _of_number(table["profile_id"], seed)
    else:
        names = population.relation.columns
        salt: Any = ibis.literal(seed.hex()[:16])
        lot = md5(salt.concat(*(_written(table[name]) for name in names)))
    return [rising(lot), *apart(population, table)]


def _of_number(number: Any, seed: bytes) -> Any:
    first, *others, last = (int.from_bytes(seed[place : place + 5], "big") % _PRIME for place in range(0, 25, 5))
    low, high = (number & _PRIME).cast("int64"), (number >> 31).cast("int64") % _PRIME
    value: Any = ibis.literal(first or 1, "int64")
    for coefficient in others:
        value = (value * low + ibis.literal(coefficient, "int64")) % _PRIME
    return (value + high * ibis.literal(last or 1, "int64")) % _PRIME


def _written(value: Any) -> Any:
    """Write a value as text; one that engines write each in its way is left out, and told apart by the sort keys."""
    kind = value.type()
    if kind.is_boolean():
        value = value.ifelse("t", "f")
    elif kind.is_integer() or kind.is_date():
        value = value.cast("string")
    elif not kind.is_string():
        value = ibis.literal("")
    # a missing value is not an empty one
    return value.fill_null("~").concat("|")
