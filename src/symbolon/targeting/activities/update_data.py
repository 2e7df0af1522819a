"""Update data: profiles made or changed from the rows of a transition.

Invariant: every row is in `result` or in `rejects`, and what is done depends on the rows and the profiles alone: rows
that were written before are unchanged the second time, so doing it again after a crash gives the same.

Source: Adobe Campaign Standard, "Update data": insert, update, insert or update, by key; only differing rows are
written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import ibis
import numpy as np
import pyarrow as pa
from msgspec import Meta

from symbolon import ids
from symbolon.errors import UnknownNameError
from symbolon.lake import ParquetStaging
from symbolon.profiles.cells import typed
from symbolon.profiles.fields import OWN as NEVER_SET
from symbolon.profiles.fields import is_address
from symbolon.profiles.staging import missing
from symbolon.profiles.upsert import comparable
from symbolon.profiles.vocabulary import trim
from symbolon.targeting.activities._columns import batches, described
from symbolon.targeting.activities._matching import OWN, ROW
from symbolon.targeting.activities._places import fresh
from symbolon.targeting.activity import RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import PROFILE, UNKNOWN, Population

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import WrittenFile

REJECTS = "rejects"
_NEW, _OWN_KEY = f"{OWN}new_", f"{OWN}key"
_FOUND = pa.schema([(ROW, pa.int64()), ("__reason", pa.string())])
_REASON = pa.field("reason", pa.string())


class Operation(StrEnum):
    """What becomes of the profiles."""

    INSERT = "insert"  #: profiles that are not there are made
    UPDATE = "update"  #: profiles that are there are changed
    UPSERT = "upsert"  #: both


class UpdateDataOptions(Options, frozen=True, kw_only=True):
    """Which profiles, and what is written."""

    set: Annotated[
        dict[str, str],
        Meta(
            description="What is written: field of the profile -> expression over the columns that come in. An empty "
            "value clears the field; fields that are not named stay."
        ),
    ]
    operation: Annotated[
        Operation, Meta(description="`insert` profiles that are not there, `update` those that are, or `upsert`: both.")
    ] = Operation.UPSERT
    key: Annotated[
        str,
        Meta(
            description="Field by which profiles are found; its value is in `set`, or in the column of the same name. "
            "Rows that are people need none."
        ),
    ] = "external_id"
    where: Annotated[str, Meta(description="Condition on the row; others are left alone. Empty = every row.")] = ""


def apply(options: UpdateDataOptions, context: Context) -> Outcome:
    """Stage the rows, sort out those that cannot be written, write the others."""
    inbound = context.inputs[0]
    names = list(inbound.relation.columns)
    fields = _fields(options, context, inbound)
    rows = _described(options, context, inbound) if fields else inbound.relation
    if options.where.strip():
        rows = context.condition(options.where, rows, "where")
    values = {
        _NEW + field: context.expression(text, rows, path) if path else rows[text]
        for field, (text, path) in fields.items()
    }
    if context.mode is Mode.CHECK or not fields:
        lacking = inbound.relation.select(
            *[name for name in names if name != "reason"], reason=ibis.null("string")
        ).limit(0)
        return {RESULT: inbound, REJECTS: Population(lacking, UNKNOWN)}
    directory = fresh(context, "update")
    asked = rows.select(*names, **values)
    staged, refused, reasons = _stage(options, context, asked, names, list(fields), directory)
    found = _found(options, context, staged, list(fields), directory)
    good = staged.anti_join(found, ROW)
    counted = context.engine.fetch(found.group_by("__reason").agg(rows=found.count())).to_pylist()
    reasons |= {one["__reason"]: one["rows"] for one in counted}
    written = _written(options, context, good, list(fields), directory)
    context.note(**written, rejected=dict(sorted(reasons.items())))
    told = staged.inner_join(found, ROW)
    plain = [name for name in names if name != "reason"]
    rejects = refused.select(*plain, "reason").union(told.select(*plain, reason=told["__reason"]))
    return {RESULT: inbound.of(good.select(*names)), REJECTS: Population(rejects, UNKNOWN)}


def _described(options: UpdateDataOptions, context: Context, inbound: Population) -> ibis.Table:
    """Give the rows with what expressions may name, and people with their own key, whatever the transition carries."""
    rows = described(context, inbound)
    if inbound.dimension == UNKNOWN:
        return rows
    people = context.people()
    return rows.inner_join(people.select("profile_id", **{_OWN_KEY: people[options.key]}), "profile_id")


def _fields(options: UpdateDataOptions, context: Context, inbound: Population) -> dict[str, tuple[str, str]]:
    """Give what is written: field -> expression and its path, or a column and no path for the key."""
    known = [name for name in context.profiles.schema().names if name not in NEVER_SET]
    if inbound.dimension not in (PROFILE, UNKNOWN):
        context.fault("from", "IDs of a data source are no people", "put this before `change_data_source`")
    clash = next((name for name in inbound.relation.columns if name.startswith(OWN)), None)
    if clash is not None:
        context.fault("from", f"a column is called `{clash[:64]}`; such names are our own", "rename it in `load_file`")
        return {}
    found: dict[str, tuple[str, str]] = {}
    for field, text in options.set.items():
        if field in known:
            found[field] = (text, f"set.{field}")
        elif field in NEVER_SET:
            context.fault(f"set.{field}", f"`{field}` is set by Symbolon alone", "take it out")
        else:
            error = UnknownNameError.among("profile field", field[:64], known)
            context.fault(f"set.{field}", error.summary, error.hint)
    if options.key not in known:
        error = UnknownNameError.among("profile field", options.key[:64], known)
        context.fault("key", error.summary, error.hint)
        return {}
    if not set(options.set) - {options.key} and options.operation is not Operation.INSERT:
        context.fault("set", "nothing is written but the key", "set: {city: upper(city)}")
    key = _key(options, context, inbound)
    return {**key, **found} if key or options.key in found else {}


def _key(options: UpdateDataOptions, context: Context, inbound: Population) -> dict[str, tuple[str, str]]:
    """Say where the value of the key comes from, if `set` does not say it."""
    if inbound.dimension == PROFILE:
        if options.operation is Operation.INSERT:
            context.fault("operation", "these are people who have a profile", "operation: update")
        if options.key in options.set:
            context.fault(f"set.{options.key}", "people are found by it, so it can't be changed", "choose another key")
        return {options.key: (_OWN_KEY, "")}
    if options.key in options.set:
        return {}
    if options.key in inbound.relation.columns:
        return {options.key: (options.key, "")}
    hint = f"set: {{{options.key}: ...}}, or `key` with another field"
    context.fault("key", f"no column is called `{options.key}`, and `set` does not name it", hint)
    return {}


def _stage(
    options: UpdateDataOptions,
    context: Context,
    asked: ibis.Table,
    names: list[str],
    fields: list[str],
    directory: Path,
) -> tuple[ibis.Table, ibis.Table, dict[str, int]]:
    """Stage the rows with typed values; rows whose values or key are none are refused.

    Returns:
        `__row`, the columns that came in, `__new_<field>`; the refused ones with their `reason`; how many of which.
    """
    schema = context.profiles.schema()
    given = [field for field in asked.schema().to_pyarrow() if field.name in names]
    news = [pa.field(_NEW + name, schema.field(name).type) for name in fields]
    rows_schema = pa.schema([pa.field(ROW, pa.int64()), *given, *news])
    plain = [field for field in given if field.name != "reason"]
    refused_schema = pa.schema([*plain, _REASON])
    rows = ParquetStaging(directory, rows_schema, name="rows")
    refused = ParquetStaging(directory, refused_schema, name="refused")
    reasons: dict[str, int] = {}
    number = 0
    for batch in context.engine.batches(asked):
        count = batch.num_rows
        line = ids.column(np.arange(number, number + count, dtype=np.int64))
        number += count
        bad = np.zeros(count, dtype=bool)
        values: list[pa.Array] = []
        for one in news:
            value, wrong = typed(batch.column(one.name), one.type)
            values.append(value)
            if wrong is not None:
                bad |= wrong
        keyless = missing(values[fields.index(options.key)], options.key)
        kept = [batch.column(field.name).cast(field.type) for field in given]
        for reason, mask in (("missing_key", keyless), ("invalid_value", bad & ~keyless)):
            total = int(np.count_nonzero(mask))
            if total:
                reasons[reason] = reasons.get(reason, 0) + total
                picked = ids.column(mask)
                columns = [batch.column(field.name).cast(field.type).filter(picked) for field in plain]
                told = pa.repeat(pa.scalar(reason, pa.string()), total)
                refused.write(pa.record_batch([*columns, told], schema=refused_schema))
        made = pa.record_batch([line, *kept, *values], schema=rows_schema)
        rows.write(made.filter(ids.column(~(bad | keyless))))
    engine = context.engine
    return (
        engine.scan([str(file.path) for file in rows.close()], rows_schema),
        engine.scan([str(file.path) for file in refused.close()], refused_schema),
        reasons,
    )


def _found(
    options: UpdateDataOptions, context: Context, staged: ibis.Table, fields: list[str], directory: Path
) -> ibis.Table:
    """Give the staged rows that can't be written, with the reason, computed before anything is written."""
    people = context.people()
    others = [name for name in fields if name != options.key]
    key = trim(staged[_NEW + options.key]) if is_address(options.key) else staged[_NEW + options.key]
    given = staged.select(ROW, __key=key, **{_NEW + name: staged[_NEW + name] for name in others})
    order = ibis.window(group_by="__key", order_by=ROW)
    given = given.mutate(__nth=ibis.row_number().over(order))
    there = people.select(__there=comparable(people, options.key), **{f"{OWN}old_{one}": people[one] for one in others})
    joined = given.filter(given["__nth"] == 0).inner_join(there, given["__key"] == there["__there"])
    changes = [~joined[_NEW + name].identical_to(joined[f"{OWN}old_{name}"]) for name in others]
    differs: Any = ibis.or_(*changes) if changes else ibis.literal(value=False)
    hits = joined.select(__hit=joined[ROW], __differs=differs)
    hits = hits.group_by("__hit").agg(__people=hits.count(), __changed=hits["__differs"].any())
    rows = given.left_join(hits, given[ROW] == hits["__hit"])
    reason = ibis.cases(
        (rows["__nth"] > 0, "duplicate_key"),
        (rows["__people"] > 1, "ambiguous_key"),
        *_refusal(options.operation, rows),
        else_=ibis.null("string"),
    )
    found = rows.select(ROW, __reason=reason)
    found = found.filter(found["__reason"].notnull())
    files = context.engine.write(found, directory, _FOUND, prefix="found")
    return context.engine.scan([str(file.path) for file in files], _FOUND)


def _refusal(operation: Operation, rows: ibis.Table) -> list[tuple[Any, str]]:
    if operation is Operation.INSERT:  # what is there already, and the same, was made by this run before
        return [(rows["__people"].notnull() & rows["__changed"], "exists")]
    if operation is Operation.UPDATE:
        return [(rows["__people"].isnull(), "unknown_profile")]
    return []


def _written(
    options: UpdateDataOptions, context: Context, good: ibis.Table, fields: list[str], directory: Path
) -> dict[str, int]:
    """Write the rows into the profiles, or find out what would become of them."""
    schema = context.profiles.schema()
    wanted = pa.schema([schema.field(name) for name in fields])
    relation = good.order_by(ROW).select(**{name: good[_NEW + name] for name in fields})
    staging = ParquetStaging(directory, wanted, name="profiles")
    for batch in batches(context, relation, wanted):
        staging.write(batch)
    files: list[WrittenFile] = staging.close()
    if not files:
        return {"created": 0, "updated": 0, "unchanged": 0}
    receipt = context.profiles.import_file(
        files[0].path,
        name=f"{context.workflow}/{context.activity}",
        key=options.key,
        format="parquet",
        plan=context.mode is Mode.PLAN,
    )
    if receipt.rejected:  # the profiles changed in between
        context.warn(f"{sum(receipt.rejected.values()):,} rows were refused by the profiles, which changed meanwhile")
    return {"created": receipt.created, "updated": receipt.updated, "unchanged": receipt.unchanged}


ACTIVITY = Activity(
    name="update_data",
    title="Update data",
    summary="Makes or changes profiles from the rows that come in.",
    category=Category.DATA,
    options=UpdateDataOptions,
    apply=apply,
    outputs=lambda _options: [RESULT, REJECTS],
    effect=True,
    example="""\
- id: into_profiles
  type: update_data
  from: orders
  operation: upsert
  key: email
  set:
    email: lower(email)
    city: city
""",
    notes="""\
Rows of a file find their profile by `key`. Rows that are people change the profiles they are; expressions may then use
the fields of the profile beside the columns of the transition. Only profiles that differ are written, and only the
fields that `set` names. Several rows with one key: the first counts.

`result` has the rows that are written, or are there already, the same. `rejects` has all others with a `reason`:
`missing_key`, `invalid_value` (a value that the field cannot hold), `duplicate_key`, `ambiguous_key` (several profiles
have it), `exists` (`insert`: a profile is there, and is another) and `unknown_profile` (`update`: there is none). The
history counts profiles created, updated and unchanged; a plan tells the same counts and writes nothing.

Profiles are not deleted by workflows: that is a matter of privacy, and leaves a proof.
""",
)
