"""From a population to files at another solution, and to the knowledge of what that solution has from us.

    people -> policy -> IDs -> what changed -> written down -> files -> transport -> what is shared now

Invariants: nobody whom policy withholds is in a file. What is taken away are IDs that we added. A process may be killed
anywhere: a delivery that was written down is brought to its end by the next export to the same share, under the same
names with the same content; one that was not has sent nothing.

Source: Adobe Campaign Standard, "Save audience" with "Share in Adobe Experience Cloud": only additions are shared, and
the transition holds exactly those who could be; `sync` and `replace` are ours.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from symbolon import matching, policy
from symbolon.errors import SymbolonError, TransportError, UnknownNameError
from symbolon.records import AudienceType, Run, RunState
from symbolon.sharing.changing import Change, Changes
from symbolon.sharing.delivering import Rendering, batches, render
from symbolon.sharing.errors import AudienceTypeError, DeliveryPending, ShareMismatch
from symbolon.sharing.identifying import Identifier
from symbolon.sharing.looks import look_of
from symbolon.sharing.sending import NotDelivered, Sending
from symbolon.sharing.settling import Settling
from symbolon.sharing.shares import Delivery, Share, Shares, Standing
from symbolon.targeting import ExportReceipt, ShareMode, ShareOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import ibis

    from symbolon.files.inbound import Limits
    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, DataSource
    from symbolon.settings import Settings
    from symbolon.sharing.delivering import File
    from symbolon.sharing.shares import Look
    from symbolon.sharing.sources import Sources
    from symbolon.store import Store
    from symbolon.targeting import ShareRequest
    from symbolon.transports.transport import Transport

#: what runs of exports are noted as
WORK = "audience export"
#: digits of a run's id that the store keeps
_LONGEST_RUN = 64


class Exporter:
    """Shares populations.

    Args:
        settings: of the project.
        store: where shares are kept.
        lake: where their IDs are kept.
        engine: what computes.
        profiles: the people.
        sources: whose IDs are shared.
        open_transport: gives the place that a name or a URL means.
        limits: how large a file may become.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        lake: Lake,
        engine: Engine,
        profiles: Profiles,
        sources: Sources,
        open_transport: Callable[[str], Transport],
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._lake = lake
        self._open = open_transport
        self._limits = limits
        self._shares = Shares(settings=settings, store=store, lake=lake)
        self._identifier = Identifier(engine=engine, profiles=profiles, sources=sources)
        self._changes = Changes(engine=engine, profiles=profiles, shares=self._shares, identifier=self._identifier)
        self._settling = Settling(engine=engine, profiles=profiles, shares=self._shares, identifier=self._identifier)

    def name_for(self, name: str, source: str, segment: str) -> str:
        """Give the name that an audience is shared under where nobody chose one."""
        return self._shares.name_for(name, self._store.source(source), segment)

    def identified(self, source: str, people: ibis.Table, *, directory: Path) -> tuple[ibis.Table, ibis.Table]:
        """Give people their IDs of a data source; see `symbolon.targeting.publishing.Library.identified`."""
        defined = self._store.source(source)
        policy.require_terms(defined)
        return self._identifier.identified(defined, people, directory / "identified")

    def export(
        self, audience: Audience, members: Callable[[], ibis.Table], request: ShareRequest, *, plan: bool = False
    ) -> ExportReceipt:
        """Share the members of an audience.

        Args:
            audience: which.
            members: gives its rows.
            request: what they are shared as; without a name of the shared audience it gets one.
            plan: tell what would happen; nothing is sent.

        Raises:
            AudienceTypeError: it is a File audience: nobody knows whose its rows are.
            SymbolonError: as `share`.
        """
        if audience.type is AudienceType.FILE:
            raise AudienceTypeError(
                f"audience `{audience.name}` is a File audience: its rows are not known to be people",
                hint=f"symbolon audience reconcile {audience.name} --key FIELD makes a List of it",
            )
        request = msgspec.structs.replace(request, population=f"audience {audience.name}")
        if not request.audience:
            shared_as = self.name_for(audience.name, request.source, request.segment)
            request = msgspec.structs.replace(request, audience=shared_as)
        with self._lake.attempt("export") as directory:
            rows = members()
            people = rows.filter(rows.status == int(matching.Status.MEMBER))
            return self.share(request, people, directory=directory, plan=plan).receipt

    def share(self, request: ShareRequest, people: ibis.Table, *, directory: Path, plan: bool = False) -> ShareOutcome:
        """Share people; see `symbolon.targeting.publishing.Library.share`.

        Raises:
            UnknownNameError: there is no such data source, or no such transport.
            TermsNotAccepted: the source has terms that nobody accepted.
            ExportOptionError: its IDs cannot be written in this format.
            ShareMismatch: the name is that of a share through another source, or of another segment; or another share
                has the same segment of the source at the same place.
            ShrinkRefused: too many would leave, or the population is empty, and it is not forced.
            LockHeld: another export to the same share goes on.
            DeliveryPending: one that was begun before cannot be brought to its end.
            TransportError: it could not be delivered; what was begun is brought to its end by the next export.
        """
        started = time.monotonic()
        source = self._store.source(request.source)
        policy.require_terms(source)
        request = msgspec.structs.replace(request, mode=ShareMode(request.mode))
        look = look_of(request, source)
        with nullcontext() if plan else self._shares.lock(request.audience):
            share = self._shares.check(request, source)
            self._alone(request, source)
            if plan:
                change = self._changes.of(request, source, share, people, directory, plan=True)
                return self._given(change, change.receipt, started)
            try:
                share = self._settle(share, source, directory)
            except (TransportError, UnknownNameError) as error:
                raise DeliveryPending.of(share, error) from error
            run_id = _run_id(request)
            kept = self._kept(share, run_id)
            if kept is not None:
                change = self._changes.of(request, source, share, people, directory, plan=False, done=True)
                return self._given(change, kept, started)
            self._start(run_id, request)
            try:
                with Rendering(look, directory / "files", limits=self._limits) as rendering:
                    change = self._changes.of(
                        request, source, share, people, directory, plan=False, sink=rendering.rows
                    )
                    receipt = self._publish(request, source, share, change, look, run_id, rendering, started)
            except BaseException as error:
                with suppress(SymbolonError):
                    self._store.finish_run(run_id, RunState.FAILED, getattr(error, "code", type(error).__name__))
                raise
            self._noted(run_id, receipt)
            return self._given(change, receipt, started)

    def _publish(
        self,
        request: ShareRequest,
        source: DataSource,
        share: Share,
        change: Change,
        look: Look,
        run_id: str,
        rendering: Rendering,
        started: float,
    ) -> ExportReceipt:
        """Write a delivery down, deliver it, and move what is shared."""
        receipt = change.receipt
        if receipt.unchanged:
            unchanged = msgspec.structs.replace(receipt, version=share.state.version)
            return msgspec.structs.replace(unchanged, seconds=round(time.monotonic() - started, 3))
        transport = self._open(request.to)
        try:
            share = self._shares.define(share, request, source)
            schema = change.found.schema
            rows = self._shares.rows(share).commit(change.after, schema, mode="overwrite")
            removed = None
            if change.removed:
                removed = self._shares.removed(share).commit(change.removed, schema, mode="overwrite")
            delivery = Delivery(
                run_id=run_id, stamp=0, to=request.to, look=look, rows=rows, removed=removed, ids=change.ids,
                unsure=change.unsure, receipt=receipt, population=_population(request),
            )  # fmt: skip
            if removed is not None:
                for batch in batches(self._shares.removed(share).files(removed)):
                    rendering.removed(batch)
            files, sending = rendering.close(), Sending(self._shares, transport, request.run_id)
            delivery = sending.stamped(delivery, files)
            share = self._shares.move(share, msgspec.structs.replace(share.state, pending=delivery))
            return self._deliver(share, files, sending, started)
        finally:
            transport.close()

    def _deliver(self, share: Share, files: list[File], sending: Sending, started: float) -> ExportReceipt:
        """Put the files of the delivery that is written down, then move what is shared."""
        try:
            share = sending.put(share, files)
        except NotDelivered as failed:
            # nothing has arrived, so nothing is owed: whoever comes next begins anew, perhaps elsewhere
            with suppress(SymbolonError):
                share = self._shares.read(share.name)
                self._shares.move(share, msgspec.structs.replace(share.state, pending=None))
            raise failed.__cause__ or failed from None
        delivery = share.state.pending
        assert delivery is not None  # noqa: S101 - it is what was put
        receipt = msgspec.structs.replace(
            delivery.receipt,
            version=share.state.version + 1,
            files=[file.told(delivery.arrived[file.key]) for file in files],
            seconds=round(time.monotonic() - started, 3),
        )
        arrived = msgspec.structs.replace(delivery, receipt=receipt)
        state = Standing(
            version=share.state.version + 1, rows=delivery.rows, ids=delivery.ids, unsure=delivery.unsure, last=arrived
        )
        self._shares.move(share, state)
        if share.state.rows is not None:
            self._shares.rows(share).forget_before(share.state.rows)
        return receipt

    def _alone(self, request: ShareRequest, source: DataSource) -> None:
        """Make sure that no other share remembers on its own what one segment has at one place.

        Raises:
            ShareMismatch: another share goes there, and one of the two takes IDs away that the other added.
        """
        place = cache(self._place)
        for other in self._shares.beside(request, source):
            newest = other.state.pending or other.state.last
            only_adds = newest is not None and newest.look.mode is ShareMode.ADD
            if request.mode is ShareMode.ADD and only_adds:
                continue
            if place(request.to) in {place(other.to), place(newest.to if newest else other.to)}:
                raise ShareMismatch(
                    f"segment {request.segment} has IDs of data source `{source.name}` at this place already, as "
                    f"`{other.name}`: two shares would take away each other's",
                    hint=f"share one audience that holds both, under that name: --as '{other.name}'; or choose another "
                    "segment",
                    details={"share": other.name, "segment": request.segment},
                )

    def _place(self, to: str) -> str:
        """Give where a place is; as it was written, if it cannot be opened."""
        try:
            transport = self._open(to)
        except SymbolonError:
            return to
        transport.close()
        return transport.place.rstrip("/")

    def _settle(self, share: Share, source: DataSource, directory: Path) -> Share:
        """Bring a delivery to its end that somebody began; give the share as it stands then.

        Policy is asked again: of a delivery of which nothing has arrived, nothing is owed to those who said no since.
        """
        begun = share.state.pending
        share = self._settling.checked(share, source, directory / "policy")
        pending = share.state.pending
        if begun is not None and pending is None:
            with suppress(SymbolonError):
                if not self._store.run(begun.run_id).state.is_final:
                    self._store.finish_run(begun.run_id, RunState.FAILED, policy.WITHHELD_SINCE)
            return share
        if pending is not None:
            transport = self._open(pending.to)
            removed = [] if pending.removed is None else self._shares.removed(share).files(pending.removed)
            rows = self._shares.rows(share).files(pending.rows)
            try:
                files = render(pending, rows, removed, directory / "again", limits=self._limits)
                sending = Sending(self._shares, transport, pending.run_id)
                receipt = self._deliver(share, files, sending, time.monotonic())
            finally:
                transport.close()
            self._noted(pending.run_id, receipt)
            return self._shares.read(share.name)
        last = share.state.last
        if last is not None:
            with suppress(UnknownNameError):
                if not self._store.run(last.run_id).state.is_final:  # killed when everything was done but this
                    self._noted(last.run_id, last.receipt)
        return share

    def _kept(self, share: Share, run_id: str) -> ExportReceipt | None:
        """Give the receipt of a run that was done before."""
        last = share.state.last
        if last is not None and last.run_id == run_id:
            self._noted(run_id, last.receipt)
            return last.receipt
        try:
            run = self._store.run(run_id)
        except UnknownNameError:
            return None
        if run.state is RunState.DONE and "receipt" in run.facts:
            return msgspec.convert(run.facts["receipt"], ExportReceipt)
        return None

    def _start(self, run_id: str, request: ShareRequest) -> None:
        try:
            run = self._store.run(run_id)
        except UnknownNameError:
            facts = {"workflow": request.workflow, "source": request.source, "segment": request.segment}
            run = msgspec.structs.replace(Run.begin(WORK, request.audience), id=run_id, facts=facts)
            self._store.start_run(run)
            return
        self._store.update_run(msgspec.structs.replace(run, state=RunState.RUNNING, error="", finished=None))

    def _noted(self, run_id: str, receipt: ExportReceipt) -> None:
        """Keep the receipt with its run; what was shared is never told as failed because this could not be written."""
        with suppress(SymbolonError):
            run = self._store.run(run_id)
            facts = {**run.facts, "receipt": msgspec.to_builtins(receipt)}
            self._store.update_run(msgspec.structs.replace(run, facts=facts))
            self._store.finish_run(run_id, RunState.DONE)

    def _given(self, change: Change, receipt: ExportReceipt, started: float) -> ShareOutcome:
        if not receipt.seconds:
            receipt = msgspec.structs.replace(receipt, seconds=round(time.monotonic() - started, 3))
        people = change.found.rows.select("profile_id").distinct()
        return ShareOutcome(receipt, people, change.found.complement)


def _population(request: ShareRequest) -> str:
    return request.population or (f"workflow {request.workflow}" if request.workflow else "")


def _run_id(request: ShareRequest) -> str:
    """Give the id that a run is kept under."""
    run_id = request.run_id or Run.begin(WORK).id
    if len(run_id) <= _LONGEST_RUN:
        return run_id
    return f"{run_id[: _LONGEST_RUN - 17]}-{hashlib.sha256(run_id.encode()).hexdigest()[:16]}"
