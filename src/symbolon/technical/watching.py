"""`import-shared-audiences`: file sets that arrived whole are imported, once, in order; what cannot be is set aside.

Invariant: a set is imported only when it did not change between two looks, or its control file says that it is whole;
what became of it is noted under its name and fingerprint. An incremental set is never imported before one that is older
and not finished: the older one would be too old afterwards, and its changes lost. A worker that dies anywhere leaves
what the next look brings to the same end: importing the same content again changes nothing, and files are moved after
it is noted why.
"""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon import policy
from symbolon.errors import InputError, InternalError, SecretError, SymbolonError
from symbolon.files import parse_info
from symbolon.lake import LockHeld, file_lock
from symbolon.records import Arrival, ArrivalState
from symbolon.sharing.locks import LOCK_WAIT_S
from symbolon.sharing.request import ImportRequest
from symbolon.technical.belonging import LEFT, names_its_source, of_another
from symbolon.technical.errors import ArrivalUnknown
from symbolon.technical.feeds import Feeds
from symbolon.technical.grouping import RemoteSet, group
from symbolon.technical.tidying import ARCHIVE, QUARANTINE, Tidier, pause_s

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from symbolon.lake import Lake
    from symbolon.records import DataSource, Progress, Receipt
    from symbolon.settings import Settings
    from symbolon.sharing import Audiences, Sources
    from symbolon.sharing.transports import Transports
    from symbolon.store import Store
    from symbolon.technical.feeds import Feed
    from symbolon.transports.transport import Transport

log = logging.getLogger(__name__)

#: fact of a set that waits: since when it is as it is now, by the clock of whoever looks (seconds since 1970)
SEEN = "seen"
#: folders of ours: they may hold more files than a listing does
_LEFT_OUT = (f"{QUARANTINE}/", f"{ARCHIVE}/")
#: codes that say that the set is not whole yet, not that it is wrong
_NOT_YET = frozenset({"file.incomplete"})
#: codes of a full set that nobody needs any more; what an incremental one changes is in no newer file, so it is refused
_TOO_LATE = frozenset({"import.older"})


@dataclass
class _Look:
    """One look of a feed at its place, and what it found out so far."""

    feed: Feed
    source: DataSource
    sources: list[DataSource]
    transport: Transport
    #: whether everything is tried again and taken for whole, or the name of the only set that is
    force: bool | str
    progress: Progress | None
    #: name of the first set that is not finished; empty = none so far
    unfinished: str = ""
    #: whether other feeds may find the same files; None = nobody asked yet
    shared: bool | None = None

    def forces(self, one: RemoteSet) -> bool:
        """Say whether a set is tried again before its time, and taken for whole."""
        return self.force is True or self.force == one.name


class Watcher:
    """Looks after feeds.

    Args:
        clock: the time, UTC.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        lake: Lake,
        sources: Sources,
        transports: Transports,
        audiences: Audiences,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._sources = sources
        self._transports = transports
        self._audiences = audiences
        self._feeds = Feeds(store=store, sources=sources, transports=transports)
        self._tidier = Tidier(store=store, lake=lake, clock=clock)
        self._clock = clock

    def look(self, feed: Feed, *, force: bool = False, progress: Progress | None = None) -> list[Arrival]:
        """Look once: import what is whole, and give every set that something happened with.

        Args:
            feed: where to look.
            force: try again what waits for its next try, and take what is there for whole.
            progress: told what goes on.

        Raises:
            TransportError: the place cannot be listed.
        """
        try:
            with self._held(feed, wait_s=0), self._opened(feed) as transport:
                happened = self._pass(feed, transport, force=force, progress=progress)
        except LockHeld:
            return []  # another worker looks after it
        except SymbolonError as error:
            with suppress(SymbolonError):  # the store itself may be away
                self._feeds.note_fault(feed.name, error, self._clock())
            raise
        self._feeds.note_fault(feed.name, None, self._clock())
        return happened

    def replay(self, feed: Feed, name: str, *, progress: Progress | None = None) -> Arrival:
        """Import a set again that was refused, from quarantine. Others are looked at as ever, and not forced.

        Raises:
            ArrivalUnknown: there is no such set, or its files are gone.
            LockHeld: a worker looks after the feed for longer than this one waits.
        """
        with self._held(feed, wait_s=LOCK_WAIT_S), self._opened(feed) as transport:
            before = self._store.arrival(feed.name, name)
            if before is None or before.state is not ArrivalState.REFUSED:
                raise ArrivalUnknown(
                    f"no refused set `{name}` is known of feed `{feed.name}`",
                    hint=f"symbolon feed arrivals {feed.name}",
                )
            moved = before.facts.get("moved")
            names: dict[str, str] = moved if isinstance(moved, dict) else {}
            for original, there in names.items():
                if transport.stat(there) is not None:
                    transport.move(there, original)
            self._note(before, ArrivalState.WAITING, {"replayed": True}, fingerprint="")
            for arrival in self._pass(feed, transport, force=name, progress=progress):
                if arrival.name == name:
                    return arrival
        raise ArrivalUnknown(f"the files of set `{name}` are not there any more", hint="ask the sender for them again")

    def _held(self, feed: Feed, *, wait_s: float) -> AbstractContextManager[None]:
        slug = hashlib.sha256(feed.name.encode()).hexdigest()[:16]
        lock = self._settings.locks_dir / f"feed-{slug}.lock"
        return file_lock(lock, wait_s=wait_s, holder=f"a look at feed `{feed.name}`")

    def _opened(self, feed: Feed) -> AbstractContextManager[Transport]:
        return closing(self._transports.open(feed.transport))

    def _pass(self, feed: Feed, transport: Transport, *, force: bool | str, progress: Progress | None) -> list[Arrival]:
        source = self._sources.show(feed.source)
        listed = transport.list(pattern=feed.pattern, without=_LEFT_OUT)
        if feed.pattern != "*":  # control files belong to the sets whatever the pattern says
            known = {file.name for file in listed}
            listed += [file for file in transport.list(pattern="*.info", without=_LEFT_OUT) if file.name not in known]
        look = _Look(feed, source, self._sources.list(), transport, force, progress)
        happened = []
        for one in group(listed, source.timestamp, _LEFT_OUT):
            before = self._store.arrival(feed.name, one.name)
            after = self._arrived(look, one, before)
            if after is not before:
                happened.append(after)
            if after.state is ArrivalState.WAITING and one.timestamp_ms is not None:
                look.unfinished = look.unfinished or one.name
        return happened

    def _arrived(self, look: _Look, one: RemoteSet, before: Arrival | None) -> Arrival:
        """Do what is to be done with one set; gives `before` itself where that is nothing."""
        known = before is not None and before.fingerprint == one.fingerprint
        if (
            before is not None
            and before.state is not ArrivalState.WAITING
            and LEFT not in before.facts
            and (
                known or _is_rest_of(one, before) or not one.parts  # or a control file that outlived its parts
            )
        ):
            return self._tidier.tidy(look.feed, look.transport, before)
        first = Arrival(feed=look.feed.name, name=one.name, fingerprint=one.fingerprint)
        facts = before.facts if before is not None and known else {}
        facts = {**facts, SEEN: facts.get(SEEN, self._clock().timestamp())}
        arrival = msgspec.structs.replace(before or first, fingerprint=one.fingerprint, facts=facts)
        left = self._is_left(look, one)
        if left:
            return self._told(before, arrival, ArrivalState.SKIPPED, {"why": left, LEFT: True})
        pauses = self._clock().timestamp() < float(str(arrival.facts.get("next_try", 0)))
        if before is not None and known and pauses and not look.forces(one):
            return before
        why = self._is_unfinished(look, one, arrival, seen_before=known or look.forces(one))
        if why:
            return self._told(before, arrival, ArrivalState.WAITING, {"why": why, **_kept(arrival)})
        return self._import(look, one, arrival)

    def _told(self, before: Arrival | None, arrival: Arrival, state: ArrivalState, facts: dict[str, Any]) -> Arrival:
        """Note why nothing is done with a set, unless that is known; gives `before` itself then."""
        same = before is not None and before.fingerprint == arrival.fingerprint and before.state is state
        if same and before is not None and before.facts.get("why") == facts["why"]:
            return before
        return self._note(arrival, state, facts)

    def _is_left(self, look: _Look, one: RemoteSet) -> str:
        """Say why a set is none of this feed's; empty = it is."""
        if one.is_inbound:
            return "it is an inbound file (ftp_dpm_), meant for the other side: left alone"
        another = of_another(one, look.source, look.sources)
        if another:
            return f"its name says that it is of {another}: left alone"
        if look.shared is None and not names_its_source(one, look.source):
            look.shared = bool(self._feeds.sharing_place(look.feed))
        if look.shared and not names_its_source(one, look.source):
            return "several feeds look here, and its name does not say of which data source it is: left alone"
        return ""

    def _is_unfinished(self, look: _Look, one: RemoteSet, arrival: Arrival, *, seen_before: bool) -> str:
        """Say why a set is not to be imported yet; empty = it is."""
        if not one.parts:
            return "no part has come yet"
        if look.unfinished and one.is_incremental and one.timestamp_ms is not None:
            return f"an older set is not finished: {look.unfinished}"
        return self._is_whole(look, one, arrival, seen_before=seen_before)

    def _is_whole(self, look: _Look, one: RemoteSet, arrival: Arrival, *, seen_before: bool) -> str:
        """Say why a set is not whole yet; empty = it is."""
        if one.info is not None:
            sizes = self._described(look.transport, one)
            if sizes is not None:
                return "" if one.is_described_by(sizes) else "parts that the control file lists are missing or growing"
        if not seen_before:
            return "it is seen for the first time, and may still grow"
        if one.is_split and one.info is None and not look.forces(one):
            seen_for = self._clock().timestamp() - float(str(arrival.facts.get(SEEN, 0)))
            if seen_for < look.feed.wait_s:
                return "further parts may be on their way"
        return ""

    def _described(self, transport: Transport, one: RemoteSet) -> dict[str, int | None] | None:
        """Give name and size of each part that the control file lists; None if it cannot be read (yet)."""
        assert one.info is not None  # noqa: S101 - asked before
        with self._lake.attempt("info") as directory:
            try:
                transport.fetch(one.info.name, directory / "info", expected=one.info)
                info = parse_info((directory / "info").read_bytes(), where=one.info.name)
            except SymbolonError:
                return None
            return {part.name: part.size_bytes for part in info.parts}

    def _import(self, look: _Look, one: RemoteSet, arrival: Arrival) -> Arrival:
        feed, transport = look.feed, look.transport
        started = time.monotonic()
        arrival = self._note(arrival, ArrivalState.WAITING, {"why": "it is being imported", **_kept(arrival)})
        try:
            policy.require_terms(look.source)  # before anything is fetched
            with self._lake.attempt("feed") as directory:
                paths = [self._fetched(transport, file, directory) for file in one.files]
                receipts = self._audiences.import_(self._request(feed, paths), look.progress)
        except SymbolonError as error:
            return self._failed(feed, transport, one, arrival, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one set must not end the look at the others
            log.error("arrival.broken", extra={"feed": feed.name, "type": type(error).__name__})  # noqa: TRY400
            told = InternalError(f"{type(error).__name__} while it was imported")
            return self._failed(feed, transport, one, arrival, told)
        facts: dict[str, Any] = {
            "files": [file.name for file in one.files],
            "fingerprints": {file.name: file.fingerprint for file in one.files},
            "receipts": [_short(receipt) for receipt in receipts],
            "seconds": round(time.monotonic() - started, 3),
        }
        unchanged = all(receipt.unchanged for receipt in receipts)
        state = ArrivalState.SKIPPED if unchanged else ArrivalState.IMPORTED
        done = self._note(arrival, state, {**facts, "why": "the same content was imported before" if unchanged else ""})
        return self._tidier.tidy(feed, transport, done)

    def _fetched(self, transport: Transport, file: Any, directory: Path) -> Path:
        target = directory / str(file.name).rpartition("/")[2]
        transport.fetch(file.name, target, expected=file)
        return target

    def _request(self, feed: Feed, paths: list[Path]) -> ImportRequest:
        return ImportRequest(
            paths=paths,
            label=paths[0].name,
            source=feed.source,
            name=feed.audience,
            segment=feed.segment,
            all_segments=feed.all_segments,
            column=feed.column or None,
            max_rejected=feed.max_rejected or None,
            wait_s=0,
        )

    def _failed(
        self, feed: Feed, transport: Transport, one: RemoteSet, arrival: Arrival, error: SymbolonError
    ) -> Arrival:
        """Note why a set was not imported: it waits, or it is refused."""
        facts: dict[str, Any] = {
            "files": [file.name for file in one.files],
            "fingerprints": {file.name: file.fingerprint for file in one.files},
            "error": {"code": error.code, "summary": error.summary, "hint": error.hint},
        }
        if error.code in _TOO_LATE and not one.is_incremental:
            return self._tidier.tidy(feed, transport, self._note(arrival, ArrivalState.SKIPPED, facts))
        if isinstance(error, (InputError, SecretError)) and error.code not in _NOT_YET:
            return self._tidier.tidy(feed, transport, self._note(arrival, ArrivalState.REFUSED, facts))
        tries = int(str(arrival.facts.get("tries", 0))) + 1
        facts |= {**_kept(arrival), "tries": tries, "next_try": self._clock().timestamp() + pause_s(tries)}
        return self._note(arrival, ArrivalState.WAITING, facts)

    def _note(
        self, arrival: Arrival, state: ArrivalState, facts: dict[str, Any], *, fingerprint: str | None = None
    ) -> Arrival:
        kept = arrival.fingerprint if fingerprint is None else fingerprint
        noted = msgspec.structs.replace(arrival, state=state, facts=facts, fingerprint=kept, changed=self._clock())
        self._store.put_arrival(noted)
        return noted


def _kept(arrival: Arrival) -> dict[str, Any]:
    """Give what is known of a set that waits, whatever it waits for."""
    return {name: arrival.facts[name] for name in (SEEN, "tries", "next_try") if name in arrival.facts}


def _is_rest_of(one: RemoteSet, before: Arrival) -> bool:
    """Say whether these are files of a set that is done with, whose others were moved before a worker died."""
    named = before.facts.get("files")
    names = set(named) if isinstance(named, list) else set()
    listed = before.facts.get("fingerprints")
    prints = listed if isinstance(listed, dict) else {}
    rest = {file.name: file.fingerprint for file in one.files}
    return "tidied" not in before.facts and rest.keys() < names and all(prints.get(n) == p for n, p in rest.items())


def _short(receipt: Receipt) -> dict[str, Any]:
    names = ("audience", "version", "lines", "received", "accepted", "matched", "unmatched", "members", "added")
    values = {name: getattr(receipt, name) for name in (*names, "removed", "rejected", "unchanged", "warnings")}
    return {**values, "seconds": receipt.seconds}
