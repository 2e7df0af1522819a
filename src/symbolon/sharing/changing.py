"""What an export would change on the other side, worked out before anything leaves; and whether that is a mistake.

Invariant: what it gives is staged in a directory; nothing that counts is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbolon import matching, policy
from symbolon.files.inbound import item_of
from symbolon.sharing import delta
from symbolon.sharing.errors import ShrinkRefused
from symbolon.targeting import ExportReceipt, ShareMode
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from symbolon.lake import Engine, WrittenFile
    from symbolon.profiles import Profiles
    from symbolon.records import DataSource
    from symbolon.sharing.identifying import Found, Identifier
    from symbolon.sharing.shares import Share, Shares
    from symbolon.targeting import ShareRequest


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery would change, staged."""

    found: Found
    receipt: ExportReceipt
    #: rows that are shared after it
    after: list[WrittenFile]
    #: IDs that leave
    removed: list[WrittenFile]
    #: distinct IDs that are shared after it
    ids: int
    #: those of them that stay unsure
    unsure: int = 0


class Changes:
    """Works out changes."""

    def __init__(self, *, engine: Engine, profiles: Profiles, shares: Shares, identifier: Identifier) -> None:
        self._engine = engine
        self._profiles = profiles
        self._shares = shares
        self._identifier = identifier

    def of(
        self,
        request: ShareRequest,
        source: DataSource,
        share: Share,
        people: ibis.Table,
        directory: Path,
        *,
        plan: bool,
        done: bool = False,
        sink: Callable[[pa.RecordBatch], None] | None = None,
    ) -> Change:
        """Work out who is shared, and what that changes; nothing that counts is written."""
        version, ids_before = _expected(share)
        before = None
        if version is not None:
            table = self._shares.rows(share)
            before = self._engine.scan(table.files(version), self._identifier.schema(source))
        # whoever can be added has to be able to leave again: that line is the longer one
        item = item_of(request.segment, removes=True) if request.format == "inbound" else None
        found = self._identifier.find(
            source, people, directory / "share", before=before, item=item, keep=not plan, sink=sink
        )
        removed: list[WrittenFile] = []
        after, total, unsure = found.files, found.ids, 0
        if before is not None and request.mode is ShareMode.ADD:
            left = delta.staying(before, found.rows)
            # nobody leaves, but whoever said no since; a signal cannot be taken away
            held = None
            if request.options.get("signal") != "yes":
                held = self._identifier.not_to_be_shared(source, before, directory / "share", keep=not plan)
            if held is not None:
                words = matching.words_of(before)
                left = left.anti_join(held, words)
                said_no = delta.standing(before).semi_join(held, words)
                removed = self._engine.write(said_no, directory / "share", found.schema, prefix="gone")
            more = self._engine.write(left, directory / "share", found.schema, prefix="staying")
            after = [*found.files, *more]
            total = ids_before + found.new - sum(file.rows for file in removed)
            if share.state.unsure:  # some of the new ones are among those before
                unsure = self._engine.count(delta.unsure(left))
                total = found.ids + self._engine.count(delta.standing(left))
        elif before is not None:
            removed = self._engine.write(
                delta.gone(before, found.rows), directory / "share", found.schema, prefix="gone"
            )
        leaving = sum(file.rows for file in removed)
        told: int | None = leaving
        if before is None and request.mode is not ShareMode.ADD:
            told = None
        people = leaving
        if before is not None and leaving and "key_version" in found.schema.names:
            # after a change of the key every text leaves, and comes again as another
            people = self._engine.count(delta.leaving(before, found.rows))
        warnings = [] if done else self._warnings(request, source, share, found, before, people, ids_before, plan=plan)
        receipt = ExportReceipt(
            audience=request.audience,
            source=source.name,
            segment=request.segment,
            to=request.to,
            mode=request.mode.value,
            format=request.format,
            version=share.state.version + (2 if share.state.pending else 1),
            population=found.population,
            shared=found.people,
            withheld=found.withheld,
            without_id=found.without_id,
            ids=found.ids,
            added=found.new,
            removed=told,
            kept=found.ids - found.new,
            warnings=warnings,
            unchanged=_unchanged(request, before, found, leaving),
        )
        return Change(found, receipt, after, removed, total, unsure)

    def _warnings(
        self,
        request: ShareRequest,
        source: DataSource,
        share: Share,
        found: Found,
        before: ibis.Table | None,
        leaving: int,
        ids_before: int,
        *,
        plan: bool,
    ) -> list[str]:
        """Tell what a person should know, and refuse what looks like a mistake; a plan tells that too.

        Raises:
            ShrinkRefused: too many would leave, or the population is empty.
        """
        warnings = _unsure(request, share)
        refused = ""
        if not found.population:
            refused = "the population is empty"
        elif request.mode is not ShareMode.ADD and ids_before and leaving / ids_before > request.max_shrink:
            refused = (
                f"{leaving:,} of {counted(ids_before, 'ID')} would leave `{request.audience}`, more than the "
                f"{request.max_shrink:.0%} that may"
            )
        if refused and not request.force:
            if not plan:
                raise ShrinkRefused(f"{refused}; nothing was sent", details={"leaving": leaving, "before": ids_before})
            warnings.append(f"this would be refused: {refused}")
        if before is None and request.mode is not ShareMode.ADD:
            warnings.append(
                "nothing is known of what was shared before: who of it should leave cannot be told, and nobody does"
            )
        newest = share.state.pending or share.state.last
        now = request.population or (f"workflow {request.workflow}" if request.workflow else "")
        if newest is not None and newest.population and now and newest.population != now:
            away = "" if request.mode is ShareMode.ADD else ", and whoever is only in that one leaves"
            warnings.append(
                f"`{request.audience}` held the people of {newest.population} before: those of {now} take their "
                f"place{away}; to share both, make one audience of them, or choose another segment"
            )
        if share.to and share.to != request.to:
            warnings.append(
                f"`{request.audience}` was shared to another place before, and only what changed since goes to this "
                "one; to share with somebody else as well, give it a name of its own"
            )
        if before is not None and request.options.get("signal") == "yes":
            out = policy.withheld_from_exports(self._profiles, source)
            stay = self._engine.count(delta.standing(before).semi_join(out, "profile_id"))
            if stay:
                warnings.append(
                    f"IDs shared before of people whom policy withholds now: {stay:,}; a signal cannot be taken away"
                )
        return warnings


def _unsure(request: ShareRequest, share: Share) -> list[str]:
    if not share.state.unsure:
        return []
    what = "whoever is still wanted is added again, whoever is not is taken away"
    if request.mode is ShareMode.ADD:
        what = "whoever is still wanted is added again, nobody is taken away; `sync` does both"
    return [
        f"a delivery was given up: of {counted(share.state.unsure, 'ID')} it is not known whether they arrived; {what}"
    ]


def _unchanged(request: ShareRequest, before: ibis.Table | None, found: Found, leaving: int) -> bool:
    sends = found.ids if request.mode is ShareMode.REPLACE else found.new
    return before is not None and not sends and not leaving


def _expected(share: Share) -> tuple[int | None, int]:
    """Give the lake version and the number of IDs of what is shared, once what is under way has arrived."""
    pending = share.state.pending
    return (share.state.rows, share.state.ids) if pending is None else (pending.rows, pending.ids)
