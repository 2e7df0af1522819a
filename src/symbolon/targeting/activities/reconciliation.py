"""Reconciliation: the profiles that rows of a file are about.

Source: Adobe Campaign Standard, "Reconciliation" (all criteria of an identification must agree; unidentified lines are
ignored or kept), and its promise to "create new marketable profiles" of unknown contacts: here that is asked for,
counted, and may depend on a consent in the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ibis
import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Meta

from symbolon import ids
from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.lake import ParquetStaging
from symbolon.later import pc
from symbolon.profiles.fields import OWN as NEVER_KEYS
from symbolon.targeting.activities._columns import batches
from symbolon.targeting.activities._matching import OWN, ROW, MatchKey, candidates, pairs, stage
from symbolon.targeting.activities._places import fresh
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import UNKNOWN, Population

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: why a row has no profile
UNKNOWN_PROFILE, AMBIGUOUS, NO_KEY = "unknown", "ambiguous", "no_key"
_SCHEME = "adobe"


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One criterion."""

    #: column of the rows
    column: str
    #: field of the profiles; empty = of the same name
    field: str = ""
    #: normalisation scheme of e-mail addresses and telephone numbers
    scheme: str = ""


class ReconciliationOptions(Options, frozen=True, kw_only=True):
    """How rows find their profiles, and what becomes of those that find none."""

    keys: Annotated[
        list[Key],
        Meta(
            description="What is compared: `column` of the rows with `field` of the profiles; all must agree. E-mail "
            "addresses and telephone numbers are normalised first, by `scheme` (default `adobe`)."
        ),
    ]
    unidentified: Annotated[
        Literal["ignore", "keep"],
        Meta(
            description="Rows without a profile: `ignore` (`result` has profiles only), or `keep` (`result` has all "
            "rows, and is not known to be people)."
        ),
    ] = "ignore"
    on_ambiguous: Annotated[
        Literal["all", "reject"],
        Meta(
            description="Rows that several profiles agree with: `all` of them count, or the row is rejected (`reject`)."
        ),
    ] = "all"
    create_profiles: Annotated[
        bool, Meta(description="Whether a profile is made for each row that has none, from its keys.")
    ] = False
    consent: Annotated[
        str, Meta(description="Condition on the row, `newsletter = 'yes'`: only where it is true a profile is made.")
    ] = ""


def apply(options: ReconciliationOptions, context: Context) -> Outcome:
    """Find the profiles, make those that are to be made, and give rows with and without one."""
    inbound = context.inputs[0]
    keys = _keys(options, context, inbound)
    rows = inbound.relation
    if "profile_id" in rows.columns and len(rows.columns) > 1:
        rows = rows.drop("profile_id")
        if inbound.dimension == UNKNOWN:
            context.warn("the rows have a column `profile_id` of their own; it is left out")
    if options.create_profiles and not options.consent.strip() and context.mode is Mode.CHECK:
        context.warn("profiles are made without looking at a consent; `consent` names the column that holds it")
    if options.consent.strip() and not options.create_profiles:
        context.fault("consent", "no profiles are made, so nothing depends on a consent", "create_profiles: true")
    if options.consent.strip() and context.mode is Mode.CHECK:
        context.condition(options.consent, rows, "consent")
    if context.mode is Mode.CHECK or not keys or len(keys) < len(options.keys):
        return _composed(options, context, rows)
    directory = fresh(context, "reconcile")
    staged, complete, count = stage(context, rows, keys, directory)
    found = pairs(context, staged, complete, keys, directory, "found")
    made = 0
    if options.create_profiles:
        made = _create(options, context, keys, staged, complete, found, rows.columns, directory)
        if made and context.mode is Mode.RUN:
            found = pairs(context, staged, complete, keys, directory, "made")
    return _given(options, context, list(rows.columns), staged, complete, found, count=count, made=made)


def _given(
    options: ReconciliationOptions,
    context: Context,
    names: list[str],
    staged: ibis.Table,
    complete: ibis.Table,
    found: ibis.Table,
    *,
    count: int,
    made: int,
) -> Outcome:
    """Give the transitions, and note what came of the rows."""
    several = found.group_by(ROW).having(found.count() > 1).agg()
    identified = found if options.on_ambiguous == "all" else found.anti_join(several, ROW)
    lacking = _lacking(names, staged, complete, found, identified)
    reasons = context.engine.fetch(lacking.group_by("reason").agg(rows=lacking.count())).to_pylist()
    unidentified = {one["reason"]: one["rows"] for one in sorted(reasons, key=lambda one: str(one["reason"]))}
    first = ibis.window(group_by="profile_id", order_by=ROW)
    ranked = identified.mutate(__nth=ibis.row_number().over(first))
    once = ranked.filter(ranked["__nth"] == 0).drop("__nth")
    people = context.count(once)
    context.note(
        rows=count,
        identified=count - sum(unidentified.values()),
        unidentified=unidentified,
        ambiguous=context.count(several),
        profiles=people,
        repeated=context.count(identified) - people,
        **({"created": made} if options.create_profiles else {}),
    )
    if options.unidentified == "keep":
        joined = staged.left_join(identified, ROW)
        kept = joined.select(*[joined[name] for name in names], joined["profile_id"])
        return {RESULT: Population(kept, UNKNOWN), COMPLEMENT: Population(lacking, UNKNOWN)}
    joined = once.inner_join(staged, ROW)
    return {RESULT: Population(joined.select("profile_id", *names)), COMPLEMENT: Population(lacking, UNKNOWN)}


def _lacking(
    names: list[str], staged: ibis.Table, complete: ibis.Table, found: ibis.Table, identified: ibis.Table
) -> ibis.Table:
    """Give the rows without a profile, and why."""
    rows = staged.anti_join(identified, ROW)
    has_key, has_several = complete.select(__complete=ROW), found.select(__several=ROW).distinct()
    rows = rows.left_join(has_key, rows[ROW] == has_key["__complete"])
    rows = rows.left_join(has_several, rows[ROW] == has_several["__several"])
    reason = ibis.cases(
        (rows["__complete"].isnull(), NO_KEY), (rows["__several"].notnull(), AMBIGUOUS), else_=UNKNOWN_PROFILE
    )
    return rows.select(*[rows[name] for name in names if name != "reason"], reason=reason)


def _create(
    options: ReconciliationOptions,
    context: Context,
    keys: list[MatchKey],
    staged: ibis.Table,
    complete: ibis.Table,
    found: ibis.Table,
    names: Sequence[str],
    directory: Path,
) -> int:
    """Make a profile of each row that has none and may have one; in a plan, count them."""
    rows = staged.semi_join(complete, ROW).anti_join(found, ROW)
    if options.consent.strip():
        agreed = context.condition(options.consent, rows.select(ROW, *names), "consent")
        refused = context.count(rows) - context.count(agreed)
        context.note(without_consent=refused)
        rows = rows.semi_join(agreed, ROW)
    if len(keys) > 1:  # somebody has this key, and another one differs: nothing may be put over that profile
        rows = rows.anti_join(candidates(context, rows, keys[0]), ROW)
    rows = rows.filter(*[rows[key.value].notnull() for key in keys])  # a digest is no address to be kept
    first = ibis.window(group_by=keys[0].value, order_by=ROW)
    ranked = rows.mutate(__nth=ibis.row_number().over(first))
    fields = {key.field: ranked[key.value] for key in keys}
    once = ranked.filter(ranked["__nth"] == 0).select(**fields)
    schema = pa.schema([(key.field, key.kind) for key in keys])
    staging = ParquetStaging(directory, schema, name="people")
    invalid = 0
    for batch in batches(context, once, schema):
        valid = ids.column(np.ones(batch.num_rows, dtype=bool))
        for key in keys:
            if key.address:
                valid = pc.and_(valid, ids.valid_address(batch.column(key.field), key.address))
        good = batch.filter(valid)
        invalid += batch.num_rows - good.num_rows
        staging.write(good)
    files = staging.close()
    if invalid:
        context.note(invalid_addresses=invalid)
    if not files:
        return 0
    receipt = context.profiles.import_file(
        files[0].path,
        name=f"{context.workflow}/{context.activity}",
        key=keys[0].field,
        format="parquet",
        plan=context.mode is Mode.PLAN,
    )
    return receipt.created


def _keys(options: ReconciliationOptions, context: Context, inbound: Population) -> list[MatchKey]:
    schema = context.profiles.schema()
    known = [name for name in schema.names if name not in NEVER_KEYS]
    columns = [name for name in inbound.relation.columns if name != "profile_id"]
    if inbound.dimension != UNKNOWN:
        context.fault("from", "these are people already", "reconcile rows of a file")
    if not options.keys:
        context.fault("keys", "a reconciliation needs at least one key", "keys: [{column: email}]")
    clash = next((name for name in columns if name.startswith(OWN)), None)
    if clash is not None:
        context.fault("from", f"a column is called `{clash[:64]}`; such names are our own", "rename it in `load_file`")
        return []
    keys: list[MatchKey] = []
    for place, one in enumerate(options.keys):
        path, field = f"keys[{place}]", one.field or one.column
        if one.column not in columns:
            _unknown(context, f"{path}.column", "column", one.column, columns)
        if field not in known:
            _unknown(context, f"{path}.{'field' if one.field else 'column'}", "profile field", field, known)
        elif field in [key.field for key in keys]:
            context.fault(path, f"`{field}` is compared twice", "take one out")
        elif one.column in columns:
            key = MatchKey(len(keys), one.column, field, one.scheme or _SCHEME, schema.field(field).type)
            if _has_scheme(context, key, one.scheme, f"{path}.scheme"):
                keys.append(key)
    return keys


def _has_scheme(context: Context, key: MatchKey, given: str, path: str) -> bool:
    if given and not key.address:
        context.fault(path, f"`{key.field}` is compared as it is; only addresses have a scheme", "take it out")
        return False
    try:
        ids.rule(key.scheme, key.address or "text")
    except SymbolonError as error:
        context.fault(path, error.summary, error.hint)
        return False
    return True


def _unknown(context: Context, path: str, noun: str, got: str, known: list[str]) -> None:
    error = UnknownNameError.among(noun, got[:64], known)
    context.fault(path, error.summary, error.hint)


def _composed(options: ReconciliationOptions, context: Context, rows: ibis.Table) -> Outcome:
    """Give transitions of the right shape without rows."""
    del context
    names = [name for name in rows.columns if name != "profile_id"]
    number: dict[str, Any] = {"profile_id": ibis.null("int64")}
    reason: dict[str, Any] = {"reason": ibis.null("string")}
    lacking = rows.select(*[name for name in names if name != "reason"], **reason).limit(0)
    if options.unidentified == "keep":
        result = Population(rows.select(*names, **number).limit(0), UNKNOWN)
    else:
        result = Population(rows.select(**number, **{name: rows[name] for name in names}).limit(0))
    return {RESULT: result, COMPLEMENT: Population(lacking, UNKNOWN)}


ACTIVITY = Activity(
    name="reconciliation",
    title="Reconciliation",
    summary="Finds the profiles that rows of a file are about, and may make those that are missing.",
    category=Category.TARGETING,
    options=ReconciliationOptions,
    apply=apply,
    outputs=lambda _options: [RESULT, COMPLEMENT],
    effect=True,
    example="""\
- id: known_people
  type: reconciliation
  from: orders
  keys:
    - {column: email}
    - {column: surname, field: last_name}
  on_ambiguous: reject
""",
    notes="""\
All keys must agree with one and the same profile. E-mail addresses and telephone numbers are normalised and compared by
the kept digests, so a file that holds SHA-256 digests of them is reconciled too. Other text is compared without the
spaces around it, and with its capitals; numbers and dates by their value.

`result` has each profile once, with the columns of the first row that is about it. `complement` has the rows without a
profile, with the `reason`: `unknown`, `ambiguous` (several profiles, with `on_ambiguous: reject`) or `no_key` (a key
has no value, or none that can be compared). With `unidentified: keep` the rows stay: `result` then has every row, with
a `profile_id` where one was found, and is not known to be people, so it is saved as a File audience.

With `create_profiles: true` rows with the reason `unknown` become profiles that have nothing but their normalised keys.
Only valid addresses do, only rows for which `consent` is true, and with several keys only where nobody has the first
one. The counts stand in the history, and a plan tells how many it would be. Who was found twice is found again, not
made again, when a run goes on after a crash.
""",
)
