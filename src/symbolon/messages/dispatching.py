"""Deliveries: prepared once, sent message by message, gone on with after a crash.

    <place>/ready     profile_id, token, address, v0..vN     whom a message goes to; gone when the delivery has ended
    <place>/log       profile_id, outcome                    what became of everybody; stays as long as the run
    <place>/ready/_journal                                   what is not in the log yet (`journal.py`)

Invariant: a profile is in the log at most once, and no message is sent of one that is. The rows of `ready` are decided
on once, so that who goes on sends what was confirmed; but whoever opted out since then gets nothing.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from symbolon.errors import InternalError, SymbolonError, UnknownNameError
from symbolon.lake import ParquetStaging
from symbolon.messages.choosing import LOG, NO_ADDRESS, Chooser, rows_of
from symbolon.messages.journal import Journal
from symbolon.messages.message import Composer, ascii_address
from symbolon.messages.senders import address_fault
from symbolon.messages.templates import names_of
from symbolon.messages.writing import Unwritten, Writer, faults_of
from symbolon.policy import withheld_from_messages
from symbolon.records import Channel
from symbolon.targeting import (
    DEFERRED,
    REFUSED,
    SENT,
    UNCERTAIN,
    DeliveryFault,
    DeliveryOutcome,
    DeliveryReceipt,
    DeliveryRequest,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from symbolon.lake import Engine, Lake, LakeTable, WrittenFile
    from symbolon.messages.outlet import Outlet
    from symbolon.messages.senders import Sender, Senders
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings

    _Faults = list[DeliveryFault]
_REFUSALS = (REFUSED, DEFERRED)
#: messages between two commits of the log
BATCH = 2_000
#: what a telephone shows as the sender of an SMS
_LONGEST_ORIGIN = 16


class Dispatcher:
    """Sends messages; see `symbolon.targeting.Deliveries` for what each method gives."""

    def __init__(self, *, lake: Lake, engine: Engine, profiles: Profiles, senders: Senders, settings: Settings) -> None:
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._senders = senders
        self._region = settings.region

    def faults(self, request: DeliveryRequest, columns: Collection[str]) -> _Faults:
        """Find everything that is wrong with a request."""
        faults = self._sender_faults(request)
        for option, fault in faults_of(request, self._known(request, columns)):
            faults.append(
                DeliveryFault(path=option, message=fault.message, hint=fault.hint, line=fault.line, column=fault.column)
            )
        return faults

    def prepare(self, request: DeliveryRequest, people: ibis.Table, *, directory: Path) -> DeliveryOutcome:
        """Decide who gets a message, once."""
        started = time.monotonic()
        sender = self._senders.show(request.sender)
        if request.place:
            ready, log = self._tables(request)
            if log.exists:  # it is the second of both: what was decided is whole
                return self._outcome(request, sender, people, started)
        writer = Writer(request, self._known(request, people.columns))
        chooser = Chooser(engine=self._engine, profiles=self._profiles, region=self._region)
        chosen = chooser.choose(request, people, writer, Path(mkdtemp(prefix="delivery-", dir=directory)))
        if request.place:
            ready.commit(chosen.ready, chosen.schema, mode="overwrite")
            log.commit(chosen.left_out, LOG, mode="overwrite")
            return self._outcome(request, sender, people, started)
        left_out = self._engine.scan(_paths(chosen.left_out), LOG)
        could = self._engine.scan(_paths(chosen.ready), chosen.schema).select("profile_id")
        receipt = self._receipt(sender, request, people, left_out, sum(file.rows for file in chosen.ready), started)
        return DeliveryOutcome(receipt, could, left_out.select("profile_id", reason=left_out.outcome))

    def send(self, request: DeliveryRequest, people: ibis.Table, *, directory: Path) -> DeliveryOutcome:
        """Send what was prepared, from where it stands."""
        started = time.monotonic()
        sender = self._senders.show(request.sender)
        ready, _ = self._tables(request)
        if ready.exists:
            sending = _Sending(self, request, sender, Path(mkdtemp(prefix="sending-", dir=directory)))
            try:
                with closing(self._senders.open(request.sender, request.run_id)) as outlet:
                    sending.go(outlet)
            except SymbolonError as error:
                receipt = self._outcome(request, sender, people, started).receipt
                error.details |= {"sent": receipt.sent, "ready": receipt.ready}
                raise
        outcome = self._outcome(request, sender, people, started)
        ready.delete()  # the addresses are not needed any more
        return outcome

    def _tables(self, request: DeliveryRequest) -> tuple[LakeTable, LakeTable]:
        return self._lake.table(f"{request.place}/ready"), self._lake.table(f"{request.place}/log")

    def _left(self, request: DeliveryRequest) -> ibis.Table | None:
        """Give the rows of `ready` that are not in the log; None when the delivery has ended."""
        ready, log = self._tables(request)
        if not ready.exists:
            return None
        rows = self._engine.scan(ready.files(), ready.schema())
        return rows.anti_join(self._engine.scan(log.files(), LOG), "profile_id")

    def _outcome(self, request: DeliveryRequest, sender: Sender, people: ibis.Table, started: float) -> DeliveryOutcome:
        _, table = self._tables(request)
        log = self._engine.scan(table.files(), LOG)
        left = self._left(request)
        waiting = 0 if left is None else self._engine.count(left)
        others = log.filter(log.outcome != SENT)
        return DeliveryOutcome(
            self._receipt(sender, request, people, log, waiting, started),
            log.filter(log.outcome == SENT).select("profile_id"),
            others.select("profile_id", reason=others.outcome),
        )

    def _receipt(
        self,
        sender: Sender,
        request: DeliveryRequest,
        people: ibis.Table,
        log: ibis.Table,
        ready: int,
        started: float,
    ) -> DeliveryReceipt:
        counted = self._engine.fetch(log.group_by("outcome").aggregate(rows=log.count()))
        counts = {row["outcome"]: int(row["rows"]) for row in counted.to_pylist()}
        receipt = DeliveryReceipt(
            channel=request.channel.value,
            sender=sender.name,
            population=self._engine.count(people),
            ready=ready,
            sent=counts.pop(SENT, 0),
            uncertain=counts.pop(UNCERTAIN, 0),
            refused={name: counts.pop(name) for name in _REFUSALS if name in counts},
            withheld=dict(sorted(counts.items())),
            seconds=round(time.monotonic() - started, 3),
        )
        if receipt.faults():
            raise InternalError(f"a delivery does not balance: {'; '.join(receipt.faults())}")
        return receipt

    def _known(self, request: DeliveryRequest, columns: Collection[str]) -> set[str]:
        """Give what templates may name."""
        return {*self._profiles.current().columns, *columns, *request.parameters} - {"profile_id"}

    def _sender_faults(self, request: DeliveryRequest) -> _Faults:
        try:
            sender = self._senders.show(request.sender)
        except UnknownNameError as error:
            hint = error.hint or "symbolon sender add --help; without a sender messages go to the sandbox"
            return [DeliveryFault(path="sender", message=error.summary, hint=hint)]
        faults: _Faults = []
        origin = request.from_address or sender.from_address
        if request.channel is Channel.SMS:
            if sender.kind != "folder":
                faults.append(
                    DeliveryFault(
                        path="sender", message="only a folder takes SMS", hint="leave `sender` out, or name a folder"
                    )
                )
            if not request.from_address.isprintable() or len(request.from_address) > _LONGEST_ORIGIN:
                hint = "from_address: Harbour"
                faults.append(DeliveryFault(path="from_address", message="a sender of SMS has 16 signs", hint=hint))
            return faults
        hint = "from_address: news@example.com"
        if not origin:
            faults.append(DeliveryFault(path="from_address", message="nobody is named whom it is from", hint=hint))
        for path, address in (("from_address", origin), ("reply_to", request.reply_to)):
            if address and address_fault(address):
                faults.append(DeliveryFault(path=path, message=address_fault(address), hint=hint))
        if not request.from_name.isprintable() or len(request.from_name) > 200:
            faults.append(
                DeliveryFault(path="from_name", message="a name is one line of at most 200 signs", hint="from_name: X")
            )
        return faults


class _Sending:
    """One process on its way through what is ready.

    Args:
        directory: of its own, for files on their way to the log.
    """

    def __init__(self, dispatcher: Dispatcher, request: DeliveryRequest, sender: Sender, directory: Path) -> None:
        self._of = dispatcher
        self._engine = dispatcher._engine  # noqa: SLF001 - the two are one, cut by how long they live
        self._request = request
        self._directory = directory
        self._ready, self._log = dispatcher._tables(request)  # noqa: SLF001
        self._writer = Writer(request, dispatcher._known(request, self._given(request)))  # noqa: SLF001
        self._composer = Composer(
            request.channel,
            _origin(request, sender),
            request.from_name or sender.from_name,
            ascii_address(request.reply_to) or "",
        )
        self._commits = 0

    def go(self, outlet: Outlet) -> None:
        """Send to all who are left."""
        with Journal(self._ready.path / "_journal", lasting=outlet.is_outward) as journal:
            self._settle(journal, outlet)
            self._withhold()
            journal.restart(self._log.version)
            left = self._of._left(self._request)  # noqa: SLF001
            assert left is not None  # noqa: S101 - there is something to send
            for batch in self._engine.batches(left.order_by("profile_id"), BATCH):
                try:
                    for profile, token, address, values in rows_of(batch, self._writer, self._request):
                        self._one(journal, outlet, profile, token, address, values)
                finally:
                    self._fold(journal)

    def _given(self, request: DeliveryRequest) -> set[str]:
        """Name what templates may name though it is no field of a profile: what was decided on was checked then."""
        return set().union(*(names_of(source) for source in (request.text, request.subject, request.html)))

    def _one(
        self, journal: Journal, outlet: Outlet, profile: int, token: str, address: str, values: dict[str, object]
    ) -> None:
        texts = self._writer.write(values)
        if isinstance(texts, Unwritten):
            journal.end(profile, texts.reason)
            return
        message = self._composer.compose(token, address, texts, datetime.now(UTC))
        outlet.ready(message)
        journal.begin(profile, token)
        try:
            outcome = outlet.send(message)
        except SymbolonError:
            journal.take_back(profile)
            raise
        journal.end(profile, outcome)

    def _settle(self, journal: Journal, outlet: Outlet) -> None:
        """Bring into the log what a process left that died."""
        outcomes, flying = journal.read(self._log.version)
        if flying is not None:
            outcome = outlet.settle(flying[1])
            if outcome is not None:
                outcomes[flying[0]] = outcome
        self._noted(outcomes)

    def _withhold(self) -> None:
        """Note those who must not get it any more: they opted out, or are gone, since it was decided."""
        left = self._of._left(self._request)  # noqa: SLF001
        assert left is not None  # noqa: S101 - there is something to send
        people = self._of._profiles.current()  # noqa: SLF001
        now = people.select(
            "profile_id", there=ibis.literal(value=True), why=withheld_from_messages(people, self._request.channel)
        )
        joined = left.select("profile_id").left_join(now, "profile_id")
        outcome = ibis.cases((joined.there.isnull(), NO_ADDRESS), else_=joined.why)
        gone = joined.select("profile_id", outcome=outcome)
        files = self._engine.write(gone.filter(gone.outcome.notnull()), self._directory / "gone", LOG)
        if files:
            self._log.commit(files, LOG, mode="append")

    def _fold(self, journal: Journal) -> None:
        """Bring the journal into the log, and begin it anew."""
        outcomes, flying = journal.read(self._log.version)
        if flying is not None:
            return  # the process is being stopped: whoever comes next settles it
        self._noted(outcomes)
        journal.restart(self._log.version)

    def _noted(self, outcomes: dict[int, str]) -> None:
        if not outcomes:
            return
        self._commits += 1
        staging = ParquetStaging(self._directory, LOG, name=f"log-{self._commits}")
        staging.write(
            pa.record_batch(
                [pa.array(list(outcomes), pa.int64()), pa.array(list(outcomes.values()), pa.string())], schema=LOG
            )
        )
        self._log.commit(staging.close(), LOG, mode="append")


def _origin(request: DeliveryRequest, sender: Sender) -> str:
    """Give whom messages are from."""
    if request.channel is Channel.SMS:
        return request.from_address
    origin = request.from_address or sender.from_address
    return ascii_address(origin) or origin


def _paths(files: list[WrittenFile]) -> list[str]:
    return [str(file.path) for file in files]
