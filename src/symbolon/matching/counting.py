"""Counting an audience: one pass over its rows, and what changed between two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import msgspec

from symbolon.matching.reconcile import MATCHED, Status, words_of

if TYPE_CHECKING:
    import pyarrow as pa


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of reconciled rows. IDs are counted once, however many profiles share them; members are profiles."""

    matched: int
    unknown: int
    ambiguous_rejected: int
    ambiguous: int
    withheld: int
    members: int


def tally(rows: ibis.Table, *, one_id_a_profile: bool) -> ibis.Table:
    """Count rows in one statement; one row out, read it with `read_tally`.

    Args:
        rows: reconciled rows.
        one_id_a_profile: whether a profile can have only one ID here (a declared key), so that members need no
            distinct count, which is the dearest part at millions of rows.
    """
    matched = rows.status.isin([int(s) for s in MATCHED])
    single = ~rows.ambiguous
    member = rows.status == int(Status.MEMBER)
    # an ID that several profiles share stands on several rows: count it by what it is
    one_id: Any = ibis.struct({name: rows[name] for name in words_of(rows)})
    members = member.sum() if one_id_a_profile else rows.profile_id.nunique(where=member)
    return rows.agg(
        matched=(matched & single).sum() + one_id.nunique(where=matched & rows.ambiguous),
        unknown=(rows.status == int(Status.UNKNOWN_ID)).sum(),
        ambiguous_rejected=(rows.status == int(Status.AMBIGUOUS_ID)).sum(),
        ambiguous=one_id.nunique(where=rows.ambiguous),
        withheld=((rows.status == int(Status.WITHHELD)) & single).sum()
        + one_id.nunique(where=(rows.status == int(Status.WITHHELD)) & rows.ambiguous),
        members=members,
    )


def read_tally(table: pa.Table) -> Tally:
    """Read the one row of `tally`; a sum over no rows is null and means none."""
    row = table.to_pylist()[0]
    return Tally(**{name: int(row[name] or 0) for name in Tally.__struct_fields__})


def members(rows: ibis.Table) -> ibis.Table:
    """Give the profiles that are members, each once: `profile_id`."""
    people = rows.filter(rows.status == int(Status.MEMBER)).select("profile_id")
    return people.distinct() if words_of(rows) else people  # rows without IDs are people already


def changes(before: ibis.Table, after: ibis.Table) -> ibis.Table:
    """Give the members that joined or left between two versions: `profile_id`, `change` (`added`, `removed`)."""
    old, new = members(before), members(after)
    added = new.anti_join(old, "profile_id").mutate(change=ibis.literal("added"))
    removed = old.anti_join(new, "profile_id").mutate(change=ibis.literal("removed"))
    return added.union(removed)


def change_counts(before: ibis.Table, after: ibis.Table) -> ibis.Table:
    """Count joined and left members in one row: `added`, `removed`.

    Who stayed is enough to know, and costs one join instead of two.
    """
    old, new = members(before), members(after)
    stayed = new.semi_join(old, "profile_id").aggregate(stayed=lambda t: t.count())
    sizes = old.aggregate(old=old.count()).cross_join(new.aggregate(new=new.count()))
    both = sizes.cross_join(stayed)
    return both.select(added=both.new - both.stayed, removed=both.old - both.stayed)
