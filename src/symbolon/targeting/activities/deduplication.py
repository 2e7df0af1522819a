"""Deduplication: of rows that are equal in some values, so many.

Source: Adobe Campaign Standard, "Deduplication": number of records to keep, at random, by a list of values, by a value
that is not empty, by an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ibis
from msgspec import Meta

from symbolon.targeting.activities._lots import lots
from symbolon.targeting.activities._rows import described, free, one_input, own_columns, rising, sorted_by
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Options, Outcome
from symbolon.targeting.conditions.kinds import BOOLEAN, INTEGER, NUMBER, TEXT, kind_of
from symbolon.targeting.conditions.values import text_of
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from symbolon.targeting.population import Population

Value = str | int | float | bool
#: options that belong to one method
_OF_METHOD = {"columns": "non_empty", "column": "values", "values": "values"}


class DeduplicationOptions(Options, frozen=True, kw_only=True):
    """What makes two rows duplicates, and which of them stay."""

    by: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="Rows that are equal in these columns or expressions are duplicates: `lower(email)`.",
        ),
    ]
    records: Annotated[int, Meta(ge=0, description="How many of a group of duplicates stay; 0 = all.")] = 1
    method: Annotated[
        Literal["order", "random", "non_empty", "values"],
        Meta(
            description="Which ones stay: the first by `order`; some by chance; those with most of `columns` "
            "filled in; or those whose `column` stands first in `values`."
        ),
    ] = "order"
    order: Annotated[
        str, Meta(description="Which rows come first, `modified DESC`; with other methods: among those that are alike.")
    ] = ""
    columns: Annotated[
        list[str], Meta(description="`non_empty`: columns or expressions that should have a value.")
    ] = []  # noqa: RUF012
    column: Annotated[str, Meta(description="`values`: a column or expression.")] = ""
    values: Annotated[list[Value], Meta(description="`values`: its values, the best first; all others come last.")] = []  # noqa: RUF012
    missing: Annotated[
        Literal["keep", "same", "drop"],
        Meta(
            description="Rows that lack a value of `by`: they are nobody's duplicates and stay (`keep`), a missing "
            "value equals a missing value (`same`), or they go (`drop`)."
        ),
    ] = "keep"
    complement: Annotated[bool, Meta(description="Whether a transition `complement` has the rows that go.")] = False


def apply(options: DeduplicationOptions, context: Context) -> Outcome:
    """Rank the rows of each group, and keep the first ones."""
    inbound = one_input(context)
    texts = [*options.by, options.order, *options.columns, options.column]
    table = described(context, inbound, *texts)
    by: list[Any] = [context.expression(text, table, f"by[{place}]") for place, text in enumerate(options.by)]
    keys = _keys(options, context, inbound, table)
    is_missing: Any = ibis.or_(*(value.isnull() for value in by))
    rank, kept = free("_rank", table), free("_kept", table)
    groups = by
    if options.missing == "keep" and own_columns(
        inbound
    ):  # a group each: one group of them all would be sorted at once
        groups = [*by, is_missing.ifelse(table["profile_id"], ibis.null("int64"))]
    columns = inbound.relation.columns
    if _is_lowest(options, inbound):
        there = table if options.missing != "drop" else table.filter(~is_missing)
        return {RESULT: inbound.of(_lowest(there, groups))}
    flagged = {kept: is_missing}
    if options.records:
        flagged[rank] = ibis.row_number().over(ibis.window(group_by=groups, order_by=keys))
    ranked = table.select(*columns, **flagged)
    stays: Any = ranked[rank] < options.records if options.records else ibis.literal(value=True)
    if options.missing == "keep":
        stays = stays | ranked[kept]
    elif options.missing == "drop":
        stays = stays & ~ranked[kept]
    outcome: Outcome = {RESULT: inbound.of(ranked.filter(stays).select(*columns))}
    if options.complement:
        outcome[COMPLEMENT] = inbound.of(ranked.filter(~stays).select(*columns))
    return outcome


def _is_lowest(options: DeduplicationOptions, inbound: Population) -> bool:
    """Say whether those who stay are the lowest numbers of people, and nothing else is asked for."""
    is_plain = options.method == "order" and not options.order.strip() and not options.complement
    return is_plain and options.records == 1 and inbound.dimension == PROFILE and not inbound.extra


def _lowest(people: ibis.Table, groups: list[Any]) -> ibis.Table:
    """Give the lowest number of each group: a minimum costs half of what ranking all of a group does."""
    named = {f"_group_{place}": value for place, value in enumerate(groups)}
    return people.group_by(**named).aggregate(profile_id=people["profile_id"].min()).select("profile_id")


def _keys(options: DeduplicationOptions, context: Context, inbound: Population, table: ibis.Table) -> list[ibis.Value]:
    """Give sort keys: the rows that stay come first."""
    empty = {"columns": [], "column": "", "values": []}
    for name, method in _OF_METHOD.items():
        if options.method == method and getattr(options, name) == empty[name]:
            context.fault("", f"`method: {method}` needs `{name}`", "the page of the activity has an example")
        elif options.method != method and getattr(options, name) != empty[name]:
            context.fault(name, f"`method: {options.method}` has no `{name}`", f"method: {method}")
    if options.method == "random":
        if options.order.strip():
            context.fault("order", "those who stay by chance have no order", "method: order, or leave `order` out")
        return lots(context, inbound, table)
    keys = sorted_by(context, options.order, "order", inbound, table)
    if options.method == "non_empty" and options.columns:
        return [rising(-_filled(options, context, table)), *keys]
    if options.method == "values" and options.column:
        return [rising(_place(options, context, table)), *keys]
    return keys


def _filled(options: DeduplicationOptions, context: Context, table: ibis.Table) -> Any:
    """Count the columns that have a value; an empty text is none."""
    found: Any = ibis.literal(0, "int64")
    for place, text in enumerate(options.columns):
        value: Any = context.expression(text, table, f"columns[{place}]")
        has: Any = (value.nullif("") if value.type().is_string() else value).notnull()
        found = found + has.fill_null(False).cast("int64")
    return found


def _place(options: DeduplicationOptions, context: Context, table: ibis.Table) -> Any:
    """Give the place of a value in the list; behind it for all others."""
    value: Any = context.expression(options.column, table, "column")
    kind = kind_of(value.type())
    cases = []
    for place, one in enumerate(options.values):
        given = BOOLEAN if isinstance(one, bool) else TEXT if isinstance(one, str) else NUMBER
        if given != (NUMBER if kind == INTEGER else kind):
            context.fault(
                f"values[{place}]", "this is no value of `column`: it is of another type", "values: [gold, silver]"
            )
            continue
        literal = text_of(one) if isinstance(one, str) else ibis.literal(one)
        cases.append((value == literal, ibis.literal(place, "int64")))
    last = ibis.literal(len(options.values), "int64")
    return ibis.cases(*cases, else_=last) if cases else last


ACTIVITY = Activity(
    name="deduplication",
    title="Deduplication",
    summary="Keeps one row, or a few, of those that are equal in some values.",
    category=Category.TARGETING,
    heavy=True,
    options=DeduplicationOptions,
    apply=apply,
    outputs=lambda options: [RESULT, COMPLEMENT] if options.complement else [RESULT],
    example="""\
- id: one_per_address
  type: deduplication
  from: subscribers
  by: [lower(trim(email))]
  order: modified DESC
  complement: true
""",
    notes="""\
Expressions may name the columns of the transition and, for people and IDs, the fields of profiles. Columns go on as
they came in.

| `method` | who stays |
|---|---|
| `order` | the first ones by `order`; without one, the lowest numbers |
| `random` | some by chance, others in each run |
| `non_empty` | those with most of `columns` filled in; an empty text counts as none |
| `values` | those whose `column` stands first in `values`, such as `[gold, silver]` |

Rows that are alike by the method follow `order`, then their number (rows of a file: all their columns), so the same
ones stay every time; `random` draws by the run and the activity, so a run that goes on after a crash draws the same.

Two people without an address are not the same person: rows that lack a value of `by` all stay. `missing: same` makes
them one group, `missing: drop` takes them out.
""",
)
