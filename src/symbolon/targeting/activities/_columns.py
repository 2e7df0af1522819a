"""Columns of rows that come in: what activities call types, and people's fields beside what a transition carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from symbolon.targeting.population import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis

    from symbolon.targeting.activities._values import Type
    from symbolon.targeting.activity import Context
    from symbolon.targeting.population import Population

ARROW: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us", tz="UTC"),
}


def described(context: Context, population: Population) -> ibis.Table:
    """Give the rows of a population with everything expressions may name.

    Rows of people, and of their IDs, get the fields of their profiles; a column that the transition carries goes before
    a field of the same name. Rows of a file are what they are.
    """
    inbound = population.relation
    if population.dimension == UNKNOWN:
        return inbound
    if population.selection is not None and not population.extra:
        return population.selection.rows
    people = context.people()
    fields = [name for name in people.columns if name not in inbound.columns]
    return inbound.inner_join(people.select("profile_id", *fields), "profile_id")


def twice(names: list[str]) -> str | None:
    """Give a name that stands there twice; capitals do not make two of one, because engines do not tell them apart."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            return name
        seen.add(name.lower())
    return None


def batches(context: Context, relation: ibis.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Give rows in batches of exactly this schema."""
    for batch in context.engine.batches(relation):
        if batch.schema.equals(schema):
            yield batch
        else:
            columns = [batch.column(field.name).cast(field.type) for field in schema]
            yield pa.record_batch(columns, schema=schema)
