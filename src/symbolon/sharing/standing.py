"""Shared audiences as people look after them: where each stands, and a delivery that can never end, given up.

Invariant: giving a delivery up forgets nothing. Every ID that the other side may have from us stays known, so that it
can be taken away; those of which nobody knows whether they arrived are marked, and the next delivery settles them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import RunState
from symbolon.sharing import delta
from symbolon.sharing.delivering import first_name
from symbolon.sharing.errors import NothingPending
from symbolon.sharing.shares import Shares, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.lake import Engine, Lake
    from symbolon.settings import Settings
    from symbolon.sharing.shares import Delivery, Share
    from symbolon.store import Store


class PendingDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was begun, and of which nobody knows whether it arrived."""

    run_id: str
    begun: datetime
    to: str
    mode: str
    #: IDs that it adds, and takes away; None = that cannot be told
    added: int
    removed: int | None
    #: what its file is called, or the first of them would be
    file: str


class ShareStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shared audience stands."""

    name: str
    source: str
    segment: str
    to: str
    #: deliveries that arrived
    version: int
    #: distinct IDs that the other side has from us, or may have
    ids: int
    #: those of them of which that is not known
    unsure: int = 0
    pending: PendingDelivery | None = None


_All = list[ShareStanding]


class ShareLedger:
    """The shared audiences of a project."""

    def __init__(self, *, settings: Settings, store: Store, lake: Lake, engine: Engine) -> None:
        self._store = store
        self._lake = lake
        self._engine = engine
        self._shares = Shares(settings=settings, store=store, lake=lake)

    def list(self) -> _All:
        """Give all of them, by name."""
        sources = {one.id: one.name for one in self._store.sources()}
        return [_told(self._shares.read(name), sources) for name in self._shares.names()]

    def show(self, name: str) -> ShareStanding:
        """Give one.

        Raises:
            UnknownNameError: nothing is shared under this name.
        """
        known = {one.name: one for one in self.list()}
        if name not in known:
            raise UnknownNameError.among("shared audience", name, known)
        return known[name]

    def discard(self, name: str) -> ShareStanding:
        """Give up the delivery that waits to be brought to its end; give where the share stands then.

        What the delivery adds or takes away becomes unsure: the next one adds of it who is still wanted again and, with
        `sync` or `replace`, takes the others away. Nothing is sent.

        Raises:
            UnknownNameError: nothing is shared under this name.
            NothingPending: no delivery waits.
            LockHeld: an export to the same share goes on.
        """
        self.show(name)
        with self._shares.lock(name):
            share = self._shares.read(name)
            pending = share.state.pending
            if pending is None:
                raise NothingPending(f"no delivery of `{name}` waits to be brought to its end")
            state = self._given_up(share, pending)
            self._shares.move(share, state)
            with suppress(SymbolonError):  # it says nothing that the share does not
                self._store.finish_run(pending.run_id, RunState.STOPPED)
            table = self._shares.rows(share)
            if state.rows is not None:
                table.forget_before(state.rows)
        return self.show(name)

    def _given_up(self, share: Share, pending: Delivery) -> Standing:
        table = self._shares.rows(share)
        schema = table.schema(pending.rows)
        after = self._engine.scan(table.files(pending.rows), schema)
        before = None if share.state.rows is None else self._engine.scan(table.files(share.state.rows), schema)
        with self._lake.attempt("discard") as directory:
            rows = delta.given_up(before, after).select(*schema.names)
            files = self._engine.write(rows, directory / "rows", schema)
            written = self._engine.scan([str(file.path) for file in files], schema)
            ids, unsure = (self._engine.count(some) for some in (delta.standing(written), delta.unsure(written)))
            version = table.commit(files, schema, mode="overwrite")
        return msgspec.structs.replace(share.state, rows=version, ids=ids, unsure=unsure, pending=None)


def _told(share: Share, sources: Mapping[int, str]) -> ShareStanding:
    state, pending = share.state, share.state.pending
    return ShareStanding(
        name=share.name,
        source=sources.get(share.source_id, ""),
        segment=share.segment,
        to=share.to,
        version=state.version,
        ids=state.ids,
        unsure=state.unsure,
        pending=None
        if pending is None
        else PendingDelivery(
            run_id=pending.run_id,
            begun=datetime.fromtimestamp(pending.stamp, UTC),
            to=pending.to,
            mode=pending.look.mode.value,
            added=pending.receipt.added,
            removed=pending.receipt.removed,
            file=first_name(pending),
        ),
    )
