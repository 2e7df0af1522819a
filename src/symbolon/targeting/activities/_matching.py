"""Rows and the profiles that all their keys agree on, as relations.

Shapes:
    staged  __row, the columns that came in, and for each key i its value __ki; of an address also __ki_d0 .. __ki_d3
    pairs   __row, profile_id       a profile that every key of the row agrees on

Invariant: a key without a value agrees with nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.columns import flags, nulled
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.profiles.cells import typed
from symbolon.profiles.vocabulary import trim
from symbolon.targeting.activity import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import ibis

    from symbolon.targeting.activity import Context

#: names of our own columns; no column of a file begins like that
OWN = "__"
ROW = f"{OWN}row"
ALGORITHM = "sha256"
PAIRS = pa.schema([(ROW, pa.int64()), ("profile_id", pa.int64())])


@dataclass(frozen=True, slots=True)
class MatchKey:
    """One column that is compared with one field."""

    place: int
    column: str
    field: str
    scheme: str
    #: of the field
    kind: pa.DataType

    @property
    def address(self) -> str:
        """`email` or `phone`; empty for every other field."""
        found = ids.field_for(self.field)
        return found if found in ("email", "phone") else ""

    @property
    def value(self) -> str:
        """The staged column with its value: normalised, trimmed or typed."""
        return f"{OWN}k{self.place}"

    @property
    def words(self) -> list[str]:
        """The staged columns with its digest, for an address."""
        return [f"{self.value}_d{n}" for n in range(ids.word_count(ALGORITHM))] if self.address else []

    def fields(self) -> list[pa.Field]:
        """Give the staged columns."""
        return [pa.field(self.value, self.kind), *[pa.field(name, pa.int64()) for name in self.words]]

    def columns(self, cells: pa.Array, region: str) -> tuple[list[pa.Array], Any]:
        """Give the staged columns of some cells, and which of them have a value to be compared."""
        if not self.address:
            values = typed(cells, self.kind)[0]
            if pa.types.is_string(self.kind):
                values = pc.utf8_trim(values, " ")
                values = nulled(values, flags(pc.greater(pc.binary_length(values), 0)))
            return [values], flags(values.is_valid())
        texts = typed(cells, pa.string())[0]
        normal, words, there = ids.normal_digests(texts, self.scheme, self.address, region, ALGORITHM)
        return [normal, *[ids.column(word) for word in words]], there


def stage(
    context: Context, relation: ibis.Table, keys: Sequence[MatchKey], directory: Path
) -> tuple[ibis.Table, ibis.Table, int]:
    """Stage rows with their keys.

    Returns:
        `staged`; `__row` of those in which every key has a value; and how many rows there are.
    """
    given = relation.schema().to_pyarrow()
    schema = pa.schema([pa.field(ROW, pa.int64()), *given, *[one for key in keys for one in key.fields()]])
    complete = pa.schema([(ROW, pa.int64())])
    rows = ParquetStaging(directory, schema, name="incoming")
    whole = ParquetStaging(directory, complete, name="complete")
    region = context.settings.region
    for batch in context.engine.batches(relation):
        number = ids.column(np.arange(rows.rows, rows.rows + batch.num_rows, dtype=np.int64))
        columns = [number, *[batch.column(field.name).cast(field.type) for field in given]]
        there = np.ones(batch.num_rows, dtype=bool)
        for key in keys:
            made, has = key.columns(batch.column(key.column), region)
            columns += made
            there &= has
        rows.write(pa.record_batch(columns, schema=schema))
        whole.write(pa.record_batch([number.filter(ids.column(there))], schema=complete))
    staged = context.engine.scan([str(file.path) for file in rows.close()], schema)
    return staged, context.engine.scan([str(file.path) for file in whole.close()], complete), rows.rows


def pairs(
    context: Context, staged: ibis.Table, complete: ibis.Table, keys: Sequence[MatchKey], directory: Path, name: str
) -> ibis.Table:
    """Give the profiles on which all keys of a row agree, computed."""
    rows = staged.semi_join(complete, ROW)
    found = candidates(context, rows, keys[0])
    for key in keys[1:]:
        found = found.inner_join(candidates(context, rows, key), [ROW, "profile_id"])
    found = found.select(ROW, "profile_id").distinct()
    files = context.engine.write(found, directory, PAIRS, prefix=name)
    return context.engine.scan([str(file.path) for file in files], PAIRS)


def candidates(context: Context, rows: ibis.Table, key: MatchKey) -> ibis.Table:
    """Give the profiles that agree with one key of each row."""
    if key.address:
        index = context.profiles.index(
            key.field, key.scheme, context.settings.region, ALGORITHM, keep=context.mode is Mode.RUN
        ).relation
        words = [f"d{n}" for n in range(len(key.words))]
        given = rows.select(ROW, **dict(zip(words, (rows[name] for name in key.words), strict=True)))
        return given.inner_join(index.select("profile_id", *words), words).select(ROW, "profile_id")
    people = context.people()
    value: Any = people[key.field]
    value = trim(value) if pa.types.is_string(key.kind) else value
    there = people.select("profile_id", __value=value)
    given = rows.filter(rows[key.value].notnull()).select(ROW, __given=rows[key.value])
    return given.inner_join(there, given["__given"] == there["__value"]).select(ROW, "profile_id")
