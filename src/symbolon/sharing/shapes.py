"""What the rows of an audience look like, whatever made them, and how versions of them are put together and compared.

Shape:
    imported            d0..dW-1 [, id] [, value], position, since, profile_id, status, ambiguous    one row an ID
    List of a workflow  profile_id, status (member), ambiguous (no), x_<column> ...                  one row a member
    File of a workflow  x_<column> ...                                                               one row a line

Lines of a File have nothing to know them by but themselves, so they are compared whole, as a bag: a line that stands
there twice counts twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from symbolon import matching
from symbolon.records import AudienceType
from symbolon.sharing.errors import AudienceTypeError
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from symbolon.lake import Engine
    from symbolon.records import Audience

#: in front of the columns of the inbound transition, so that none can be taken for one of ours
EXTRA = "x_"
_OWN = ("profile_id", "status", "ambiguous")


def is_wordless(rows: ibis.Table) -> bool:
    """Say whether rows are lines of a File audience from a workflow: columns of their own, and no match keys."""
    return "profile_id" not in rows.columns and "d0" not in rows.columns


def is_lines(audience: Audience, rows: ibis.Table) -> bool:
    """Say whether rows of a version are addresses or lines, not people; an audience may have been of another type."""
    return is_wordless(rows) or (audience.type is AudienceType.FILE and audience.source_id is not None)


def extra_columns(rows: ibis.Table) -> dict[str, str]:
    """Give the columns that a workflow saved: their names as they came in -> in the lake."""
    return {name.removeprefix(EXTRA): name for name in rows.columns if name.startswith(EXTRA)}


def shown(rows: ibis.Table) -> ibis.Table:
    """Give the rows that a workflow saved as they came in: `profile_id` for a List, and the further columns."""
    kept = ["profile_id"] if "profile_id" in rows.columns else []
    return rows.select(*kept, **{name: rows[column] for name, column in extra_columns(rows).items()})


def stored(relation: ibis.Table, dimension: str) -> ibis.Table:
    """Give a population the columns that it has in the lake."""
    extra = {f"{EXTRA}{name}": relation[name] for name in relation.columns if name != "profile_id"}
    if dimension != PROFILE:
        if "profile_id" in relation.columns:
            extra[f"{EXTRA}profile_id"] = relation.profile_id
        return relation.select(**extra)
    member = ibis.literal(int(matching.Status.MEMBER), "int8")
    return relation.select("profile_id", status=member, ambiguous=ibis.literal(value=False), **extra)


def completed(before: ibis.Table, rows: ibis.Table, dimension: str) -> ibis.Table:
    """Add rows to those there are: people who are there get their new columns, lines that are there stay as they are.

    Raises:
        AudienceTypeError: a column has another type in each.
    """
    if dimension != PROFILE:
        old, new = _aligned(before, rows)
        return old.union(new.difference(old, distinct=False))
    kept = before.filter(before.status == int(matching.Status.MEMBER))
    kept = kept.select(*_OWN, *extra_columns(kept).values()).distinct(on="profile_id")
    old, new = _aligned(kept.anti_join(rows, "profile_id"), rows)
    return old.union(new)


def changed_lines(before: ibis.Table, after: ibis.Table) -> tuple[ibis.Table, ibis.Table]:
    """Give the lines that joined and those that left, of rows as `shown` gives them."""
    old, new = _aligned(_as_text(before, after), _as_text(after, before))
    return new.difference(old, distinct=False), old.difference(new, distinct=False)


def count_changes(engine: Engine, audience: Audience, before: ibis.Table, after: ibis.Table) -> tuple[int, int] | None:
    """Count who or what joined and left; None where one version has people and the other one has lines.

    Args:
        engine: what counts.
        audience: whose rows they are.
        before: the rows of a version.
        after: the rows of another.
    """
    if is_wordless(before) and is_wordless(after):
        joined, left = changed_lines(shown(before), shown(after))
    elif is_lines(audience, before) != is_lines(audience, after):
        return None
    elif is_lines(audience, after):
        words = matching.words_of(after)
        joined, left = after.anti_join(before, words), before.anti_join(after, words)
    else:
        row = engine.fetch(matching.change_counts(before, after)).to_pylist()[0]
        return int(row["added"] or 0), int(row["removed"] or 0)
    return engine.count(joined), engine.count(left)


def _aligned(before: ibis.Table, after: ibis.Table) -> tuple[ibis.Table, ibis.Table]:
    """Give both the columns of both, in one order; what one does not have is null in its rows."""
    types = {**dict(before.schema().items()), **dict(after.schema().items())}
    for name, kind in before.schema().items():
        if types[name].copy(nullable=True) != kind.copy(nullable=True):
            raise AudienceTypeError(
                f"column `{name.removeprefix(EXTRA)}` was {kind} and comes in as {types[name]}; nothing was changed",
                hint="cast it in the workflow, or replace the content",
            )
    return _with(before, types), _with(after, types)


def _with(rows: ibis.Table, types: dict[str, ibis.DataType]) -> ibis.Table:
    return rows.select(
        **{name: rows[name] if name in rows.columns else ibis.null(kind) for name, kind in types.items()}
    )


def _as_text(rows: ibis.Table, others: ibis.Table) -> ibis.Table:
    """Write the columns as text that have another type in the other rows, so that both can be compared."""
    there = dict(others.schema().items())
    differ = [
        name
        for name, kind in rows.schema().items()
        if name in there and there[name].copy(nullable=True) != kind.copy(nullable=True)
    ]
    return rows.mutate(**{name: rows[name].cast("string") for name in differ}) if differ else rows
