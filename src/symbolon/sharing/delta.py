"""What the other side has from us, and what changes: relations in, relations out. The same definitions on every engine.

Shapes (one row each):
    owned   d0..dW-1, profile_id                               an ID of somebody who may be shared
    rows    d0..dW-1 [, id, key_version], profile_id, part     an ID of somebody who is shared; `id` as on the wire,
                                                               where the match key is not the ID itself

Invariant: of all rows of an ID exactly one has a `part` that is not `REPEATED`; that one stands for the ID.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from symbolon import ids, matching

if TYPE_CHECKING:
    from symbolon.targeting import ShareMode


class Part(IntEnum):
    """What a row is for the delivery that wrote it."""

    UNSURE = -1  #: stands for the ID; a delivery that was given up may have added it or taken it away, nobody knows
    REPEATED = 0  #: another profile with the same ID stands for it
    KEPT = 1  #: the other side has the ID from us already
    NEW = 2


def schema(algorithm: str, *, texts: bool, keys: bool) -> pa.Schema:
    """Give the columns of `rows`.

    Args:
        algorithm: of the match key.
        texts: whether the ID on the wire is another than the match key.
        keys: whether it is encrypted: another key makes another ID.
    """
    return pa.schema(
        [
            *[(f"d{index}", pa.int64()) for index in range(ids.word_count(algorithm))],
            *([("id", pa.string())] if texts else []),
            *([("key_version", pa.int32())] if keys else []),
            ("profile_id", pa.int64()),
            ("part", pa.int8()),
        ]
    )


def match_of(rows: ibis.Table) -> list[str]:
    """Name the columns that tell one ID from another."""
    return [*matching.words_of(rows), *(["key_version"] if "key_version" in rows.columns else [])]


def repeated(owned: ibis.Table) -> ibis.Table:
    """Give the rows for which the profile with the lowest number stands.

    Args:
        owned: IDs, at least all that several profiles have.
    """
    words = matching.words_of(owned)
    keepers = owned.group_by(words).agg(keeper=owned.profile_id.min())
    return owned.inner_join(keepers, words).filter(lambda t: t.profile_id > t.keeper).select(*words, "profile_id")


def parted(
    owned: ibis.Table, repeats: ibis.Table | None, before: ibis.Table | None, key_version: int | None
) -> ibis.Table:
    """Give `rows`: each ID with what it is for a delivery; `id` is null where it has to be made.

    Args:
        owned: the IDs of those who may be shared.
        repeats: see `repeated`; None = every ID stands once.
        before: `rows` of the delivery before; None = there was none.
        key_version: of the key that encrypts; None = nothing is encrypted.
    """
    words = matching.words_of(owned)
    if key_version is not None:
        owned = owned.mutate(key_version=ibis.literal(key_version, "int32"))
    if before is None:
        base = owned.mutate(part=ibis.literal(int(Part.NEW), "int8"))
    else:
        match = match_of(owned)
        texts = ["id"] if "id" in before.columns else []
        stands = standing(before)
        there = stands.select(*match, *texts, known=stands.part != int(Part.UNSURE))
        joined = owned.left_join(there, match)
        wide = joined.select(*owned.columns, *(joined[name] for name in texts), known=joined.known)
        # what nobody knows to be there is sent again, with the text that it had
        known = ibis.coalesce(wide.known, ibis.literal(value=False))
        base = wide.mutate(part=ibis.ifelse(known, int(Part.KEPT), int(Part.NEW)).cast("int8"))
        base = base.drop("known")
    if repeats is None:
        return base
    flags = repeats.select(*words, "profile_id", again=ibis.literal(value=True))
    both = base.left_join(flags, [*words, "profile_id"])
    marked = both.select(*base.columns, again=both.again)
    part = ibis.ifelse(marked.again.isnull(), marked.part, int(Part.REPEATED)).cast("int8")
    return marked.mutate(part=part).drop("again")


def standing(rows: ibis.Table) -> ibis.Table:
    """Give one row an ID."""
    return rows.filter(rows.part != int(Part.REPEATED))


def unsure(rows: ibis.Table) -> ibis.Table:
    """Give one row an ID of which nobody knows whether the other side has it."""
    return rows.filter(rows.part == int(Part.UNSURE))


def given_up(before: ibis.Table | None, pending: ibis.Table) -> ibis.Table:
    """Give the rows that stand when a delivery is given up, of which any part may have arrived.

    Every ID that the other side may have from us is there. What the delivery adds or takes away is unsure; the next one
    that sends it adds what is still wanted again, and takes the rest away, and both mean nothing where they are true.

    Args:
        before: rows before the delivery; None = nothing was known.
        pending: rows after it.
    """
    part = ibis.ifelse(pending.part == int(Part.NEW), int(Part.UNSURE), pending.part).cast("int8")
    rows = pending.mutate(part=part)
    if before is None:
        return rows
    match = match_of(pending)
    leaving = before.anti_join(pending.select(*match), match)
    part = ibis.ifelse(leaving.part == int(Part.REPEATED), int(Part.REPEATED), int(Part.UNSURE)).cast("int8")
    return rows.union(leaving.mutate(part=part).select(*rows.columns))


def gone(before: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Give the IDs that the other side has from us, and nobody of `rows` has any more."""
    match = match_of(rows)
    return standing(before).anti_join(rows.select(*match), match)


def leaving(before: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Give the match keys that nobody of `rows` has any more, once each: another key makes another text of the same."""
    words = matching.words_of(rows)
    return standing(before).anti_join(rows.select(*words), words).select(*words).distinct()


def staying(before: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Give the rows that stay beside `rows` where nobody leaves."""
    match = match_of(rows)
    left = before.anti_join(rows.select(*match), match)
    return left.mutate(part=ibis.ifelse(left.part == int(Part.NEW), int(Part.KEPT), left.part).cast("int8"))


def counts(rows: ibis.Table, *, one_id_a_profile: bool) -> ibis.Table:
    """Count rows in one statement: `people`, `ids`, `new`."""
    people = rows.count() if one_id_a_profile else rows.profile_id.nunique()
    stands, new = rows.part > int(Part.REPEATED), rows.part == int(Part.NEW)
    return rows.aggregate(people=people, ids=stands.cast("int64").sum(), new=new.cast("int64").sum())


def least_sent(mode: ShareMode) -> Part:
    """Say from which part on rows are sent."""
    return Part.KEPT if mode == "replace" else Part.NEW
