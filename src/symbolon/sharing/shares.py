"""Shared audiences of others, as we know them: whom they have from us, and a delivery that is under way.

Invariants: what counts as shared is one record of the store that is moved by compare-and-set. A delivery is written
down whole before its first file leaves, so whoever comes next can bring it to its end: the same content, under the same
names. Only then the record moves.
"""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.lake import file_lock
from symbolon.records import Definition, DefinitionKind, Encoding
from symbolon.sharing.errors import ShareMismatch
from symbolon.sharing.locks import LOCK_WAIT_S
from symbolon.store import StoreConflict, TableState
from symbolon.targeting import ExportReceipt, ShareMode  # noqa: TC001 - msgspec reads them at run time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.lake import Lake, LakeTable
    from symbolon.records import DataSource
    from symbolon.settings import Settings
    from symbolon.store import Store
    from symbolon.targeting import ShareRequest

_KIND = DefinitionKind.SHARE
#: the state that gives every delivery of a project a second of its own
_STAMPS = "shares/stamps"
#: the moment in front of a run's id
_MOMENT = re.compile(r"\d{8}T\d{6}")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a delivery look like."""

    #: `inbound`, `csv` or `parquet`
    format: str
    segment: str
    mode: ShareMode
    #: what names begin with where the format has no grammar for them
    stem: str
    dpid: int = 0
    #: data source that owns the trait, if it is another
    owner: int | None = None
    #: of the match keys
    algorithm: str
    encoding: Encoding = Encoding.HEX
    gzip: bool = False
    #: `ic=` instead of `d_sid=`
    signal: bool = False
    #: below a folder `date=YYYY-MM-DD/`
    by_day: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, whole: what it brings, where to, and what is shared after it."""

    run_id: str
    #: seconds since 1970, in the names of its files; unique in the project
    stamp: int
    to: str
    look: Look
    #: lake version of the rows that are shared after it
    rows: int
    #: lake version of the IDs that leave; None = nobody does
    removed: int | None = None
    #: distinct IDs that are shared after it
    ids: int = 0
    #: those of them that an earlier delivery, given up, may have added or taken away, and this one does not name
    unsure: int = 0
    receipt: ExportReceipt
    #: whose people these are: `audience NAME` or `workflow NAME`; empty = not known
    population: str = ""
    #: whether a file of it, or of the delivery that it stands for, may have arrived
    begun: bool = False
    #: files that arrived: `sync.1`, the mode and the number of the part, and the name that it got
    arrived: dict[str, str] = {}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a share stands."""

    #: deliveries that arrived
    version: int = 0
    #: lake version of the rows that are shared; None = nothing is known
    rows: int | None = None
    #: distinct IDs in them
    ids: int = 0
    #: those of them of which nobody knows whether the other side has them: a delivery that names them was given up
    unsure: int = 0
    #: the delivery that arrived last
    last: Delivery | None = None
    #: the one that may have arrived, wholly or in part
    pending: Delivery | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    source_id: int
    segment: str
    to: str
    format: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One shared audience."""

    name: str
    #: names its tables and its state; 0 = nothing is kept of it yet
    number: int = 0
    to: str = ""
    source_id: int = 0
    segment: str = ""
    state: Standing = Standing()
    #: revision of the state; None = there is none
    revision: int | None = None


class Shares:
    """The shares of a project."""

    def __init__(self, *, settings: Settings, store: Store, lake: Lake) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake

    def name_for(self, name: str, source: DataSource, segment: str) -> str:
        """Give the name that a population is shared under where nobody chose one.

        It is that of the share of the same source and segment, for both name one audience of the other side; else the
        name of the audience, if no other share has it.
        """
        known = {one.name: msgspec.json.decode(one.body, type=_Body) for one in self._store.definitions(_KIND)}
        same = [share for share, body in known.items() if (body.source_id, body.segment) == (source.id, segment)]
        if same:
            return name if name in same else same[0]
        return name if name not in known else f"{name} ({source.name} {segment})"

    def names(self) -> list[str]:
        """Give the names of all shares, sorted."""
        return sorted(one.name for one in self._store.definitions(_KIND))

    def read(self, name: str) -> Share:
        """Give a share; one that nothing is known of has number 0."""
        found = self._store.definition_versions(_KIND, name)
        if not found:
            return Share(name=name)
        body = msgspec.json.decode(found[0].body, type=_Body)
        record = self._store.state(_state(body.number))
        state = Standing() if record is None else msgspec.convert(record.facts, Standing)
        return Share(name=name, number=body.number, to=body.to, source_id=body.source_id, segment=body.segment,
                     state=state, revision=None if record is None else record.revision)  # fmt: skip

    def check(self, request: ShareRequest, source: DataSource) -> Share:
        """Give the share of a request.

        Raises:
            ShareMismatch: it has IDs of another source, or another segment.
        """
        found = self._store.definition_versions(_KIND, request.audience)
        if found:
            body = msgspec.json.decode(found[0].body, type=_Body)
            if (body.source_id, body.segment) != (source.id, request.segment):
                raise ShareMismatch(
                    f"`{request.audience}` is shared through another data source or as another segment",
                    details={"share": request.audience, "segment": body.segment},
                )
        return self.read(request.audience)

    def beside(self, request: ShareRequest, source: DataSource) -> list[Share]:
        """Give the other shares of the same source and segment of which something is known, wherever they go."""
        found = []
        for one in self._store.definitions(_KIND):
            body = msgspec.json.decode(one.body, type=_Body)
            if one.name != request.audience and (body.source_id, body.segment) == (source.id, request.segment):
                share = self.read(one.name)
                if share.state.rows is not None or share.state.pending is not None:
                    found.append(share)
        return found

    def define(self, share: Share, request: ShareRequest, source: DataSource) -> Share:
        """Keep what a share is, new or changed."""
        found = self._store.definition_versions(_KIND, share.name)
        number = share.number or self._store.next_ids("share", 1)
        body = _Body(number=number, source_id=source.id, segment=request.segment, to=request.to, format=request.format)
        text = msgspec.json.encode(body).decode()
        if not found or found[0].body != text:
            definition = Definition(kind=_KIND, name=share.name, body=text)
            self._store.put_definition(definition, base=found[0].version if found else 0)
        return msgspec.structs.replace(share, number=number, to=request.to)

    def move(self, share: Share, state: Standing) -> Share:
        """Replace the state of a share.

        Raises:
            StoreConflict: somebody else moved it.
        """
        facts: Any = msgspec.to_builtins(state)
        revision = (share.revision or 0) + 1
        record = TableState(lake_version=-1 if state.rows is None else state.rows, revision=revision, facts=facts)
        self._store.set_state(_state(share.number), record, expected=share.revision)
        return msgspec.structs.replace(share, state=state, revision=revision)

    def rows(self, share: Share) -> LakeTable:
        """Give the table of the IDs that the other side has from us."""
        return self._lake.table(f"shares/{share.number}/rows")

    def removed(self, share: Share) -> LakeTable:
        """Give the table of the IDs that a delivery takes away."""
        return self._lake.table(f"shares/{share.number}/removed")

    def stamp(self, run_id: str) -> int:
        """Give a delivery a second of its own: that of its run, or the next that no other delivery had."""
        moment = _MOMENT.match(run_id)
        wanted = time.time()
        if moment:
            wanted = datetime.strptime(moment[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
        while True:
            record = self._store.state(_STAMPS)
            last = 0 if record is None else int(record.facts["last"])
            given = max(int(wanted), last + 1)
            after = TableState(
                lake_version=-1, revision=1 if record is None else record.revision + 1, facts={"last": given}
            )
            try:
                self._store.set_state(_STAMPS, after, expected=None if record is None else record.revision)
            except StoreConflict:
                continue  # another delivery was quicker
            return given

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a share against other processes.

        Raises:
            LockHeld: somebody else holds it for longer than this call waits.
        """
        slug = hashlib.sha256(name.encode()).hexdigest()[:16]
        path = self._settings.locks_dir / f"share-{slug}.lock"
        with file_lock(path, wait_s=LOCK_WAIT_S, holder=f"an export to shared audience `{name}`"):
            yield


def under_way(store: Store) -> dict[str, str]:
    """Give the places of deliveries that somebody began, by the name of their share."""
    found = {}
    for one in store.definitions(_KIND):
        record = store.state(_state(msgspec.json.decode(one.body, type=_Body).number))
        pending = None if record is None else msgspec.convert(record.facts, Standing).pending
        if pending is not None:
            found[one.name] = pending.to
    return found


def _state(number: int) -> str:
    return f"shares/{number}"
