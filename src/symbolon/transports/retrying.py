"""Trying again what may pass by itself, with growing pauses.

Invariant: only faults that say `retryable` are tried again, and a fixed number of times; progress (bytes that arrived
for good) begins the count anew, so that a large file survives many breaks, but no transfer stays at one place for ever.

Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from symbolon.errors import SymbolonError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often, and after which pauses.

    Args:
        attempts: how often in all, at least 1.
        first_s: longest pause before the second attempt; it doubles each time.
        most_s: the longest pause.
        sleep: waits; tests give their own.
        chance: gives a number from 0 to 1; tests give their own.
    """

    attempts: int = 5
    first_s: float = 0.5
    most_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def run(self, work: Callable[[], T], *, progress: Callable[[], int] | None = None) -> T:
        """Do `work`, again where it may help; give its result.

        Args:
            work: what to do; called again after a retryable fault.
            progress: a number that grows as the work gets on over several attempts.

        Raises:
            SymbolonError: the last fault.
        """
        failed, reached = 0, progress() if progress else 0
        while True:
            try:
                return work()
            except SymbolonError as error:
                if not error.retryable:
                    raise
                now = progress() if progress else 0
                failed = 1 if now > reached else failed + 1
                reached = now
                if failed >= self.attempts:
                    raise
            self.sleep(self.pause(failed))

    def pause(self, failed: int) -> float:
        """Give the seconds to wait after so many attempts in a row that failed."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(failed - 1, 30))
        # never nothing: a server that has just died needs a moment
        return longest * (0.25 + 0.75 * self.chance())
