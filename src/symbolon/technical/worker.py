"""The worker: does what is due until it is told to stop.

Invariant: a failure of one feed, activation or run is noted and does not end the others; whatever a worker was in the
middle of when it died is gone on with by the next one.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from symbolon.errors import SymbolonError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbolon.sharing import Audiences
    from symbolon.targeting import Workflows
    from symbolon.technical.activations import Activation, Activations
    from symbolon.technical.feeds import Feed, Feeds
    from symbolon.technical.schedules import Schedules
    from symbolon.technical.watching import Watcher

log = logging.getLogger(__name__)

#: file that every living worker touches
HEARTBEAT = "worker.heartbeat"
#: seconds between two ticks
TICK_S = 1.0
#: a set that was seen for the first time is looked at again after so many seconds
_SOON_S = 1.0
_HOUSEKEEPING_S = 3600.0
_AT_ONCE = 4


class Worker:
    """Does what is due.

    Args:
        heartbeat: folder of the heartbeat file.
        monotonic: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        *,
        feeds: Feeds,
        watcher: Watcher,
        activations: Activations,
        schedules: Schedules,
        workflows: Workflows,
        audiences: Audiences,
        heartbeat: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feeds = feeds
        self._watcher = watcher
        self._activations = activations
        self._schedules = schedules
        self._workflows = workflows
        self._audiences = audiences
        self._heartbeat = heartbeat / HEARTBEAT
        self._monotonic = monotonic
        self._due: dict[str, float] = {}
        self._going: dict[str, Future[None]] = {}
        #: feeds with sets that are to be looked at again soon
        self._unripe: dict[str, Feed] = {}
        self._stopping = threading.Event()

    def serve(self, *, tick_s: float = TICK_S) -> None:
        """Do what is due until `stop` is called; what goes on then is ended first."""
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="worker") as pool:
            while not self._stopping.is_set():
                self._tick(pool)
                self._stopping.wait(tick_s)

    def once(self, *, again_s: float = _SOON_S) -> None:
        """Do everything that is due now, and wait for its end.

        A feed that sees a set for the first time looks at it again, for a set without a control file needs two looks.

        Args:
            again_s: seconds between these two looks.
        """
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="worker") as pool:
            self._tick(pool)
        if self._unripe and not self._stopping.wait(again_s):
            for feed in sorted(self._unripe.values(), key=lambda one: one.name):
                self._guarded(f"feed {feed.name}", partial(self._look, feed))

    def stop(self) -> None:
        """Let `serve` end; may be called from a signal handler."""
        self._stopping.set()

    def _tick(self, pool: ThreadPoolExecutor) -> None:
        self._heartbeat.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._heartbeat.touch(mode=0o600)
        try:
            feeds = [one for one in self._feeds.list() if one.enabled]
            activations = [one for one in self._activations.list() if one.enabled]
        except SymbolonError as error:  # the store is away: it is asked again at the next tick
            log.warning("the store failed: %s", error.code, extra={"code": error.code})
            return
        for feed in feeds:
            self._start(pool, f"feed {feed.name}", feed.every_s, partial(self._look, feed))
        for activation in activations:
            self._start(pool, f"activation {activation.name}", activation.every_s, partial(self._activate, activation))
        self._start(pool, "schedules", TICK_S, self._schedules.tick)
        self._start(pool, "runs", TICK_S, self._workflows.work_off)
        self._start(pool, "housekeeping", _HOUSEKEEPING_S, self._keep_house)

    def _start(self, pool: ThreadPoolExecutor, name: str, every_s: float, work: Callable[[], object]) -> None:
        """Begin a piece of work if it is due and does not go on still."""
        going = self._going.get(name)
        if (going is not None and not going.done()) or self._monotonic() < self._due.get(name, 0.0):
            return
        self._due[name] = self._monotonic() + every_s
        self._going[name] = pool.submit(self._guarded, name, work)

    def _guarded(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except SymbolonError as error:
            log.warning("%s failed: %s", name, error.code, extra={"work": name, "code": error.code})
        except Exception as error:  # noqa: BLE001 - one fault must not end the others
            kind = type(error).__name__
            log.error("%s broke: %s", name, kind, extra={"work": name, "type": kind})  # noqa: TRY400 - no values

    def _look(self, feed: Feed) -> None:
        self._unripe.pop(feed.name, None)
        happened = self._watcher.look(feed)
        for arrival in happened:
            log.info("arrival", extra={"feed": feed.name, "file": arrival.name, "state": arrival.state.value})
        if any(arrival.state == "waiting" and "next_try" not in arrival.facts for arrival in happened):
            self._due[f"feed {feed.name}"] = self._monotonic() + _SOON_S
            self._unripe[feed.name] = feed

    def _activate(self, activation: Activation) -> None:
        if self._activations.is_due(activation):
            receipt = self._activations.run(activation)
            log.info("activation", extra={"activation": activation.name, "shared": receipt.shared})

    def _keep_house(self) -> None:
        for name in self._audiences.expire():
            log.info("audience.expired", extra={"audience": name})
        self._workflows.forget()
        with contextlib.suppress(SymbolonError):
            self._audiences.sweep()
