"""Change data source: from people to their IDs of a data source, as they stand on the wire.

Source: Adobe Campaign Classic, "Change dimension", where the other dimension is a visitor or a declared ID.
"""

from __future__ import annotations

from typing import Annotated

import ibis
import pyarrow as pa
from msgspec import Meta

from symbolon.columns import empty_table
from symbolon.records import Kind
from symbolon.targeting.activities._sources import source_of
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import DECLARED, PROFILE, UNKNOWN, VISITOR, Population

_LACKING = pa.schema([("profile_id", pa.int64()), ("reason", pa.string())])


class ChangeDataSourceOptions(Options, frozen=True, kw_only=True):
    """Which IDs."""

    source: Annotated[str, Meta(description="Name of the data source.")]


def apply(options: ChangeDataSourceOptions, context: Context) -> Outcome:
    """Give the IDs, and those who have none."""
    inbound = context.inputs[0]
    source = source_of(context, options.source)
    dimension = VISITOR if source is not None and source.kind is Kind.VISITOR else DECLARED
    if inbound.dimension == UNKNOWN:
        context.fault("from", "these rows are not known to be people", "put a `reconciliation` in between")
    if context.mode is Mode.CHECK or inbound.dimension == UNKNOWN:
        return _composed(context, inbound, dimension, options.source)
    people = inbound.relation
    if inbound.dimension != PROFILE:  # IDs of another source: whose they are is what goes on
        people = people.select("profile_id").distinct()
    have, lack = context.library.identified(options.source, people, directory=context.directory)
    context.note(source=options.source, without_id=context.count(lack))
    return {RESULT: Population(have, dimension, options.source), COMPLEMENT: Population(lack)}


def _composed(context: Context, inbound: Population, dimension: str, source: str) -> Outcome:
    """Give transitions of the right shape without rows."""
    relation = inbound.relation
    carried = {name: relation[name] for name in inbound.extra} if inbound.dimension == PROFILE else {}
    number = relation["profile_id"] if "profile_id" in relation.columns else ibis.null("int64")
    rows = relation.select(profile_id=number, id=ibis.null("string"), **carried).limit(0)
    nobody = context.engine.relation(empty_table(_LACKING))
    return {RESULT: Population(rows, dimension, source), COMPLEMENT: Population(nobody)}


ACTIVITY = Activity(
    name="change_data_source",
    title="Change data source",
    summary="Gives the IDs that people have in a data source, and those who have none.",
    category=Category.DATA,
    options=ChangeDataSourceOptions,
    apply=apply,
    outputs=lambda _options: [RESULT, COMPLEMENT],
    kept=True,
    example="""\
- id: browsers
  type: change_data_source
  from: subscribers
  source: web
""",
    notes="""\
`result` has one row an ID: `profile_id`, `id` as it stands on the wire (hashed or encrypted where the data source says
so), and the columns that came along. A person may have several browsers, or none. `complement` has those without a
usable ID, and those whom policy withholds, with the `reason`.

To share people through a data source use `save_audience` with `mode: share`: it finds the IDs by itself, and remembers
who was shared.
""",
)
