"""A delivery that somebody began, before it is brought to its end: policy is asked again.

Invariant: nobody whom policy withholds by now, or who is not there any more, is sent. Where a file may have arrived, a
delivery that stands for the first one leaves them out and takes them away; where none has, nothing is owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import msgspec

from symbolon import matching, policy
from symbolon.sharing import delta
from symbolon.sharing.identifying import NO_ID
from symbolon.targeting import ShareMode

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine
    from symbolon.profiles import Profiles
    from symbolon.records import DataSource
    from symbolon.sharing.identifying import Identifier
    from symbolon.sharing.shares import Delivery, Share, Shares
    from symbolon.targeting import ExportReceipt


class Settling:
    """Asks policy again of what is written down."""

    def __init__(self, *, engine: Engine, profiles: Profiles, shares: Shares, identifier: Identifier) -> None:
        self._engine = engine
        self._profiles = profiles
        self._shares = shares
        self._identifier = identifier

    def checked(self, share: Share, source: DataSource, directory: Path) -> Share:
        """Give a share whose pending delivery, if it still has one, holds only people who may be shared now."""
        pending = share.state.pending
        if pending is None:
            return share
        schema = self._identifier.schema(source)
        rows = self._engine.scan(self._shares.rows(share).files(pending.rows), schema)
        held = self._identifier.not_to_be_shared(source, rows, directory, missing=True)
        if held is None:
            return share
        if not pending.begun:
            return self._shares.move(share, msgspec.structs.replace(share.state, pending=None))
        words = matching.words_of(rows)
        kept = self._engine.write(rows.anti_join(held, words), directory, schema, prefix="may-stay")
        bad = self._engine.write(rows.semi_join(held, words), directory, schema, prefix="withheld-since")
        files = [str(file.path) for file in bad]
        left_out, may_stay = (
            self._engine.scan(files, schema),
            self._engine.scan([str(one.path) for one in kept], schema),
        )
        receipt = self._receipt(pending, source, left_out, may_stay)
        gone = delta.standing(left_out)
        ids = self._engine.count(gone)
        removed = pending.removed
        if not pending.look.signal:  # which nothing takes away
            if removed is not None:
                before = self._engine.scan(self._shares.removed(share).files(removed), schema)
                gone = gone.union(before.select(*gone.columns))
            leaving = self._engine.write(gone, directory, schema, prefix="leaves")
            removed = self._shares.removed(share).commit(leaving, schema, mode="overwrite")
        after = msgspec.structs.replace(
            pending,
            stamp=self._shares.stamp(pending.run_id),
            rows=self._shares.rows(share).commit(kept, schema, mode="overwrite"),
            removed=removed,
            ids=pending.ids - ids,
            receipt=receipt,
            arrived={},
        )
        return self._shares.move(share, msgspec.structs.replace(share.state, pending=after))

    def _receipt(
        self, pending: Delivery, source: DataSource, left_out: ibis.Table, may_stay: ibis.Table
    ) -> ExportReceipt:
        """Give the receipt of a delivery without some rows.

        With `add`, rows of the population cannot be told from those of earlier ones unless they are new.
        """
        receipt = pending.receipt
        new = int(delta.Part.NEW)
        gone = self._engine.count(delta.standing(left_out))
        fresh = self._engine.count(left_out.filter(left_out.part == new))
        counted = left_out.filter(left_out.part == new) if pending.look.mode is ShareMode.ADD else left_out
        ids = self._engine.count(delta.standing(counted))
        people = counted.select("profile_id").distinct().anti_join(may_stay, "profile_id")
        out = policy.withheld_from_exports(self._profiles, source)
        there = self._profiles.current().select("profile_id", there=ibis.literal(value=True))
        told = people.left_join(out, "profile_id").select("profile_id", "reason")
        both = told.left_join(there, "profile_id").select("profile_id", "reason", "there")
        reason = ibis.coalesce(
            both.reason, ibis.ifelse(both.there.isnull(), ibis.literal(NO_ID), ibis.literal(policy.SHARED_ID))
        )
        grouped = both.select(reason=reason).group_by("reason").agg(count=lambda t: t.count())
        withheld, without = dict(receipt.withheld), dict(receipt.without_id)
        shared = receipt.shared
        for row in self._engine.fetch(grouped.order_by("reason")).to_pylist():
            target = without if row["reason"] == NO_ID else withheld
            target[row["reason"]] = target.get(row["reason"], 0) + int(row["count"])
            shared -= int(row["count"])
        removes = not pending.look.signal
        warning = (
            f"IDs of people who were withheld after this delivery had begun: {gone:,}; they were left out"
            f"{', and taken away' if removes else '; a signal cannot be taken away'}"
        )
        return msgspec.structs.replace(
            receipt,
            shared=shared,
            withheld=withheld,
            without_id=without,
            ids=receipt.ids - ids,
            added=receipt.added - fresh,
            kept=receipt.kept - (ids - fresh),
            removed=(receipt.removed or 0) + gone if removes else receipt.removed,
            warnings=[*receipt.warnings, warning],
        )
