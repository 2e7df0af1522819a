"""Feeds: which files are imported as they arrive, from where, and into what.

Source: Adobe Campaign's technical workflow "Import shared audience", which runs every hour and knows its last file.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from symbolon.errors import SymbolonError
from symbolon.records import Definition, DefinitionKind
from symbolon.store import NameTaken, StoreConflict, TableState
from symbolon.technical.belonging import is_nested, may_meet
from symbolon.technical.errors import FeedInvalid

if TYPE_CHECKING:
    from datetime import datetime

    from symbolon.sharing import Sources
    from symbolon.sharing.transports import Transports
    from symbolon.store import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_KIND = DefinitionKind.FEED


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of one kind that arrive in one place."""

    name: str
    #: name of a transport with a folder below it, or a folder or URL
    transport: str
    #: name of the data source
    source: str
    #: shell pattern of file names
    pattern: str = "*"
    #: the wanted segment; empty = the only one of a file
    segment: str = ""
    all_segments: bool = False
    #: name of the audience; empty = from the source and the segment
    audience: str = ""
    #: column of the ID in a list; empty = the first that fits
    column: str = ""
    #: how many rejected records a file may have: `100` or `1%`; empty = any
    max_rejected: str = ""
    #: seconds without a new part after which a split set without `.info` is complete
    wait_s: float = 60.0
    #: seconds between two looks
    every_s: float = 5.0
    #: seconds within which something should arrive; None = nobody expects anything
    expected_every_s: float | None = None
    #: what becomes of imported files
    after: Literal["keep", "delete", "archive"] = "keep"
    enabled: bool = True


class Feeds:
    """The feeds of a project."""

    def __init__(self, *, store: Store, sources: Sources, transports: Transports) -> None:
        self._store = store
        self._sources = sources
        self._transports = transports

    def list(self) -> _Feeds:
        """Give all feeds, by name."""
        return [_read(one) for one in self._store.definitions(_KIND)]

    def show(self, name: str) -> Feed:
        """Give one feed.

        Raises:
            UnknownNameError: nothing has this name.
        """
        return _read(self._store.definition(_KIND, name))

    def add(self, feed: Feed) -> Feed:
        """Check and save a new feed.

        Raises:
            FeedInvalid: it does not hold together.
            NameTaken: there is one of this name.
        """
        self._check(feed)
        if self._store.definition_versions(_KIND, feed.name):
            raise NameTaken(f"there is a feed `{feed.name}` already", hint=f"symbolon feed edit {feed.name} --help")
        self._store.put_definition(_written(feed), base=0)
        return feed

    def edit(self, name: str, **changes: Any) -> Feed:
        """Save the next version of a feed; `changes` are its fields.

        Raises:
            UnknownNameError: nothing has this name.
            FeedInvalid: it does not hold together any more.
        """
        before = self._store.definition(_KIND, name)
        feed = msgspec.structs.replace(_read(before), **changes)
        self._check(feed)
        self._store.put_definition(_written(feed), base=before.version)
        return feed

    def delete(self, name: str) -> None:
        """Remove a feed; what arrived for it stays known.

        Raises:
            UnknownNameError: nothing has this name.
        """
        self._store.delete_definition(_KIND, name)
        self._store.delete_state(_state(name))

    def changed(self, name: str) -> datetime | None:
        """Give when a feed was added or last edited, UTC.

        Raises:
            UnknownNameError: nothing has this name.
        """
        return self._store.definition(_KIND, name).created

    def fault(self, name: str) -> dict[str, Any]:
        """Give why the last look failed: `code`, `retryable`, `since` (seconds since 1970); empty = it did not."""
        state = self._store.state(_state(name))
        return {} if state is None else dict(state.facts)

    def note_fault(self, name: str, error: SymbolonError | None, now: datetime) -> None:
        """Note that a look failed, or (None) that it did not; nothing is written where that is known."""
        before = self._store.state(_state(name))
        known = dict(before.facts) if before else {}
        if known.get("code") == (error.code if error else None):
            return
        facts: dict[str, Any] = {}
        if error is not None:
            since = known.get("since", now.timestamp())
            facts = {"code": error.code, "retryable": error.retryable, "since": since}
        after = TableState(lake_version=0, revision=before.revision + 1 if before else 1, facts=facts)
        with contextlib.suppress(StoreConflict):  # another worker found out the same
            self._store.set_state(_state(name), after, before.revision if before else None)

    def sharing_place(self, feed: Feed) -> _Feeds:
        """Give the other enabled feeds that may find the same files as this one."""
        place = self._place(feed)
        return [
            other
            for other in self.list()
            if other.name != feed.name
            and other.enabled
            and may_meet(feed.pattern, other.pattern)
            and is_nested(place, self._place(other))
        ]

    def _place(self, feed: Feed) -> str:
        """Give where a feed looks; what cannot be opened any more is taken by its text."""
        try:
            transport = self._transports.open(feed.transport)
        except SymbolonError:
            return feed.transport
        transport.close()
        return transport.place

    def _rivals(self, feed: Feed) -> _Feeds:
        """Give the feeds that would take the same files, where no number in a name tells whose they are."""
        mine = self._sources.show(feed.source).dpid
        theirs = {one.name: one.dpid for one in self._sources.list()}
        return [
            other
            for other in self.sharing_place(feed)
            if None in (mine, theirs.get(other.source)) or mine == theirs[other.source]
        ]

    def _check(self, feed: Feed) -> None:
        holds = {
            "a name is 1 to 64 letters, digits, `-`, `_` or `.`": NAME.fullmatch(feed.name),
            "one segment and all segments exclude each other": not (feed.segment and feed.all_segments),
            "all segments become an audience each: their names cannot be one": not (
                feed.all_segments and feed.audience
            ),
            "a look every 1 to 86,400 seconds": 1 <= feed.every_s <= 86_400,
            "a wait of 0 to 86,400 seconds": 0 <= feed.wait_s <= 86_400,
            "something is expected every so many seconds, more than 0": (feed.expected_every_s or 1) > 0,
            "a pattern is of file names: name a folder with the transport": feed.pattern and "/" not in feed.pattern,
        }
        faults = [fault for fault, good in holds.items() if not good]
        for ask in (lambda: self._sources.show(feed.source), lambda: self._transports.open(feed.transport).close()):
            try:
                ask()
            except SymbolonError as error:
                faults.append(f"{error.summary}" + (f" ({error.hint})" if error.hint else ""))
        if not faults and feed.enabled:
            faults += [
                f"feed `{other.name}` takes the same files: give each a folder or a `--pattern` of its own"
                for other in self._rivals(feed)
            ]
        if faults:
            raise FeedInvalid("; ".join(faults), details={"faults": faults})


_Feeds = list[Feed]


def _state(name: str) -> str:
    return f"feeds/{name}"


def _read(definition: Definition) -> Feed:
    return msgspec.json.decode(definition.body, type=Feed)


def _written(feed: Feed) -> Definition:
    return Definition(kind=_KIND, name=feed.name, body=msgspec.json.encode(feed).decode())
