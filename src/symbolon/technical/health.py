"""How the technical workflows are doing: what arrived, what waits, what was refused, and whether a worker lives."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from symbolon.records import ArrivalState
from symbolon.technical.belonging import LEFT
from symbolon.technical.tidying import UNTIDIED
from symbolon.technical.worker import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from symbolon.records import Arrival
    from symbolon.store import Store
    from symbolon.technical.activations import Activation, Activations
    from symbolon.technical.feeds import Feed, Feeds

#: a worker that was not heard of for so long is taken to be gone, in seconds
WORKER_GONE_S = 60.0
#: a set that waits for longer is worth a warning, in seconds
_LONG_WAIT_S = 3600.0


class HealthState(StrEnum):
    """How grave it is."""

    PASS = "PASS"  # noqa: S105 - no password
    WARN = "WARN"
    FAIL = "FAIL"


class HealthItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    state: HealthState
    detail: str
    #: how to mend it; empty where it passed
    mend: str = ""


class Health:
    """Looks at feeds, activations and workers; changes nothing.

    Args:
        heartbeat: folder of the heartbeat file.
        clock: the time, UTC.
    """

    def __init__(
        self,
        *,
        store: Store,
        feeds: Feeds,
        activations: Activations,
        heartbeat: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._feeds = feeds
        self._activations = activations
        self._heartbeat = heartbeat / HEARTBEAT
        self._clock = clock

    def items(self) -> list[HealthItem]:
        """Give everything that was looked at; nothing where nothing is set up."""
        feeds, activations = self._feeds.list(), self._activations.list()
        if not feeds and not activations:
            return []
        return [self._worker(), *map(self._feed, feeds), *map(self._activation, activations)]

    def heartbeat_age_s(self) -> float | None:
        """Give the seconds since a worker was last heard of; None = never."""
        try:
            return max(0.0, self._clock().timestamp() - self._heartbeat.stat().st_mtime)
        except FileNotFoundError:
            return None

    def last_arrival(self, feed: Feed) -> Arrival | None:
        """Give the last set of a feed that was imported, or was there before."""
        good = (ArrivalState.IMPORTED, ArrivalState.SKIPPED)
        arrivals = [
            one
            for one in self._store.arrivals(feed.name)
            if one.state in good and one.changed and LEFT not in one.facts
        ]
        return max(arrivals, key=lambda one: one.changed or datetime.min.replace(tzinfo=UTC), default=None)

    def _worker(self) -> HealthItem:
        age = self.heartbeat_age_s()
        if age is not None and age <= WORKER_GONE_S:
            return HealthItem(name="worker", state=HealthState.PASS, detail="a worker lives")
        told = "no worker was ever started" if age is None else f"no worker was heard of for {_ago(age)}"
        return HealthItem(
            name="worker", state=HealthState.FAIL, detail=told, mend="start one: symbolon worker, or symbolon serve"
        )

    def _feed(self, feed: Feed) -> HealthItem:
        return next(self._found(feed))

    def _found(self, feed: Feed) -> Iterator[HealthItem]:
        """Give what is to be told of a feed, the gravest first; that it passes is the last."""
        name = f"feed {feed.name}"
        if not feed.enabled:
            yield HealthItem(
                name=name, state=HealthState.WARN, detail="is off", mend=f"symbolon feed edit {feed.name} --enable"
            )
        fault = self._feeds.fault(feed.name)
        if fault:
            lasts = self._clock().timestamp() - float(fault["since"])
            passing = fault["retryable"] and lasts <= _LONG_WAIT_S
            yield HealthItem(
                name=name,
                state=HealthState.WARN if passing else HealthState.FAIL,
                detail=f"the look fails with {fault['code']} for {_ago(max(0.0, lasts))}",
                mend=f"symbolon feed run {feed.name}",
            )
        last = self.last_arrival(feed)
        age = None if last is None or last.changed is None else (self._clock() - last.changed).total_seconds()
        since = "nothing arrived yet" if age is None else f"last arrival {_ago(age)} ago"
        late = self._late(feed, age)
        if late is not None and feed.expected_every_s is not None:
            yield HealthItem(
                name=name,
                state=late,
                detail=f"{since}; something is expected every {_ago(feed.expected_every_s)}",
                mend=f"ask the sender, and look: symbolon transport test {feed.transport}",
            )
        untidied = sorted(
            {str(one.facts[UNTIDIED]) for one in self._store.arrivals(feed.name) if UNTIDIED in one.facts}
        )
        refused = self._store.arrivals(feed.name, state=ArrivalState.REFUSED)
        waiting = self._store.arrivals(feed.name, state=ArrivalState.WAITING)
        if refused:
            codes = sorted({str(_code(one)) for one in refused})
            yield HealthItem(
                name=name,
                state=HealthState.WARN,
                detail=f"{since}; {len(refused)} refused: {', '.join(codes)}",
                mend=f"symbolon feed arrivals {feed.name}",
            )
        if untidied:
            yield HealthItem(
                name=name,
                state=HealthState.WARN,
                detail=f"{since}; files could not be moved or removed: {', '.join(untidied)}",
                mend=f"symbolon transport test {feed.transport}",
            )
        failing = sorted({str(_code(one)) for one in waiting if int(str(one.facts.get("tries", 0))) > 1})
        if failing:
            yield HealthItem(
                name=name,
                state=HealthState.WARN,
                detail=f"{since}; tried again and again: {', '.join(failing)}",
                mend=f"symbolon feed arrivals {feed.name}",
            )
        stuck = [one for one in waiting if one.first_seen and self._waits(one) > _LONG_WAIT_S]
        if stuck:
            yield HealthItem(
                name=name,
                state=HealthState.WARN,
                detail=f"{since}; {len(stuck)} wait for longer than {_ago(_LONG_WAIT_S)}",
                mend=f"symbolon feed arrivals {feed.name}",
            )
        yield HealthItem(name=name, state=HealthState.PASS, detail=f"{since}; {len(waiting)} waiting")

    def _late(self, feed: Feed, age: float | None) -> HealthState | None:
        """Say how grave it is that nothing arrived for so long; None = nothing is expected yet.

        A feed that nothing ever arrived for waits from the moment when it was added or edited.
        """
        if feed.expected_every_s is None:
            return None
        changed = self._feeds.changed(feed.name)
        if age is None and changed is not None:
            age = (self._clock() - changed).total_seconds()
        if age is None or age > 2 * feed.expected_every_s:
            return HealthState.FAIL
        return HealthState.WARN if age > feed.expected_every_s else None

    def _waits(self, arrival: Arrival) -> float:
        return (self._clock() - arrival.first_seen).total_seconds() if arrival.first_seen else 0.0

    def _activation(self, activation: Activation) -> HealthItem:
        last = self._activations.last(activation.name)
        name = f"activation {activation.name}"
        if activation.audience not in {one.name for one in self._store.audiences()}:
            return HealthItem(
                name=name,
                state=HealthState.FAIL,
                detail=f"there is no audience `{activation.audience}`",
                mend=f"make it again, or: symbolon activation delete {activation.name}",
            )
        if last.get("error"):
            return HealthItem(
                name=name,
                state=HealthState.FAIL,
                detail=f"failed with {last['error']}",
                mend=f"symbolon activation run {activation.name}",
            )
        if not last:
            return HealthItem(name=name, state=HealthState.PASS, detail="was not due yet")
        age = self._clock().timestamp() - float(last["at"])
        return HealthItem(name=name, state=HealthState.PASS, detail=f"{last.get('shared', 0):,} shared {_ago(age)} ago")


def _code(arrival: Arrival) -> object:
    error = arrival.facts.get("error")
    return error.get("code", "?") if isinstance(error, dict) else "?"


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
