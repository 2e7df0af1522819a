"""Reconcile as relations: which profile an incoming ID is, and why none.

Everything here is a function from Ibis relations to Ibis relations; nothing is executed. The same definitions run on
every engine.

Shapes (one row each):
    incoming  position, d0..dW-1, *carried             an ID of the file, in match key words; position is unique
    index     profile_id, d0..dW-1 [, last_seen]       a profile that holds the key (a visitor ID: a link, with its age)
    rows      d0..dW-1, *carried, position, profile_id, status, ambiguous
                                                       an accepted ID with its profile, or the reason why it has none

Invariant: every accepted ID is in `rows` at least once, and more than once only when several profiles share it and the
source says that all of them become members.

Source of the behaviour: design of the hard cases ("Two profiles with one declared key", "Two profiles on one visitor
ID"); Adobe Campaign Standard leaves both open.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Sequence


class Status(IntEnum):
    """What an accepted ID is for its audience."""

    MEMBER = 0
    UNKNOWN_ID = 1
    AMBIGUOUS_ID = 2
    WITHHELD = 3


#: the statuses of an ID that has a profile
MATCHED = (Status.MEMBER, Status.WITHHELD)


def words_of(relation: ibis.Table) -> list[str]:
    """Name the match key columns of a relation, in order."""
    return sorted(
        (name for name in relation.columns if name[0] == "d" and name[1:].isdigit()), key=lambda n: int(n[1:])
    )


def repeated(incoming: ibis.Table) -> ibis.Table:
    """Give the first words that stand on more than one incoming row: a superset of the repeated IDs, cheap to find."""
    return incoming.group_by("d0").having(incoming.count() > 1).agg()


def duplicates(incoming: ibis.Table, suspects: ibis.Table) -> ibis.Table:
    """Give the rows whose ID stands on an earlier row, with all their columns.

    Args:
        incoming: the file's IDs.
        suspects: first words worth a look (`repeated`).
    """
    some = incoming.semi_join(suspects, "d0")
    order = ibis.window(group_by=words_of(incoming), order_by="position")
    return some.mutate(nth=ibis.row_number().over(order)).filter(lambda t: t.nth > 0).drop("nth")


def without(incoming: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Give the incoming rows that are not among `rows`, by position."""
    return incoming.anti_join(rows.select("position"), "position")


def ambiguous_positions(incoming: ibis.Table, index: ibis.Table, shared: ibis.Table) -> ibis.Table:
    """Give the positions of the IDs that several profiles hold.

    Args:
        incoming: distinct IDs.
        index: the kept index.
        shared: first words that several profiles may hold (a superset), so that only those are looked at.
    """
    words = words_of(incoming)
    some = incoming.semi_join(shared, "d0").select("position", *words)
    pairs = some.inner_join(index.select("profile_id", *words), words)
    return pairs.group_by("position").having(pairs.profile_id.nunique() > 1).agg()


def reconciled(
    incoming: ibis.Table,
    index: ibis.Table,
    *,
    withheld: ibis.Table | None = None,
    ambiguous: ibis.Table | None = None,
    rule: str = "all",
) -> ibis.Table:
    """Give every accepted ID its profile or the reason why none.

    Args:
        incoming: distinct IDs.
        index: the kept index.
        withheld: `profile_id` of those whom policy keeps out; None = nobody.
        ambiguous: `position` of the IDs that several profiles hold; None = there are none.
        rule: what becomes of those: `all`, `reject`, `latest` (visitor links: the latest wins), or `one` (a row an ID,
            for lists of addresses: the profile with the lowest number stands for all).
    """
    words = words_of(incoming)
    lookup = index.select("profile_id", *words)
    if ambiguous is None:
        rows = _joined(incoming, lookup, words).mutate(ambiguous=ibis.literal(value=False))
    else:
        plain = _joined(incoming.anti_join(ambiguous, "position"), lookup, words)
        plain = plain.mutate(ambiguous=ibis.literal(value=False))
        several = _several(incoming.semi_join(ambiguous, "position"), index, words, rule)
        rows = plain.union(several.mutate(ambiguous=ibis.literal(value=True)).select(plain.columns))
    return _withhold(rows, withheld)


def _joined(incoming: ibis.Table, lookup: ibis.Table, words: Sequence[str]) -> ibis.Table:
    """Join each ID with at most one profile."""
    joined = incoming.left_join(lookup, list(words))
    rows = joined.select(*incoming.columns, joined.profile_id)
    status = ibis.ifelse(rows.profile_id.isnull(), int(Status.UNKNOWN_ID), int(Status.MEMBER)).cast("int8")
    return rows.mutate(status=status)


def _several(incoming: ibis.Table, index: ibis.Table, words: Sequence[str], rule: str) -> ibis.Table:
    """Resolve IDs that several profiles hold, by the source's rule."""
    if rule == "reject":
        return incoming.mutate(profile_id=ibis.null("int64"), status=ibis.literal(int(Status.AMBIGUOUS_ID), "int8"))
    pairs = incoming.inner_join(index, list(words))
    if rule == "latest":
        latest = ibis.window(group_by="position", order_by=[ibis.desc("last_seen"), ibis.asc("profile_id")])
        pairs = pairs.select(*incoming.columns, pairs.profile_id, pairs.last_seen)
        pairs = pairs.mutate(nth=ibis.row_number().over(latest)).filter(lambda t: t.nth == 0)
    elif rule == "one":
        lowest = pairs.group_by("position").agg(profile_id=pairs.profile_id.min())
        pairs = incoming.inner_join(lowest, "position")
    rows = pairs.select(*incoming.columns, pairs.profile_id).distinct()
    return rows.mutate(status=ibis.literal(int(Status.MEMBER), "int8"))


def _withhold(rows: ibis.Table, withheld: ibis.Table | None) -> ibis.Table:
    """Turn the status of members whom policy keeps out."""
    if withheld is None:
        return rows
    flag = withheld.select(withheld_id=withheld.profile_id).distinct()
    joined = rows.left_join(flag, rows.profile_id == flag.withheld_id)
    status = ibis.ifelse(joined.withheld_id.isnull(), joined.status, int(Status.WITHHELD)).cast("int8")
    return joined.mutate(status=status).select(*rows.columns)


def applied(previous: ibis.Table, named: ibis.Table, added: ibis.Table) -> ibis.Table:
    """Apply an incremental file: what it names is taken out of the previous rows, what it adds is put in.

    Args:
        previous: rows of the version before.
        named: match key words of every ID the file names, added or removed.
        added: reconciled rows of the IDs it adds.
    """
    words = words_of(previous)
    kept = previous.anti_join(named.select(*words), words)
    return kept.union(added.select(*kept.columns))


def unresolved(rows: ibis.Table) -> ibis.Table:
    """Give the distinct IDs of an audience back as incoming rows, to be matched again."""
    return rows.drop("profile_id", "status", "ambiguous").distinct()
