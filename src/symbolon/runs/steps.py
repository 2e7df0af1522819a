"""The steps of a run: done at most once to their end, or, without durability, just done."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from dbos import DBOS

from symbolon.errors import SymbolonError
from symbolon.runs.encoding import checked, failed, is_failed, raised
from symbolon.runs.errors import RunStopped

if TYPE_CHECKING:
    from collections.abc import Callable

#: how long one look for a signal takes where no timeout is given
_LOOK_S = 3600.0
#: the topic under which a run waits for a moment; no activity can have this name
CLOCK = "-clock"
#: what is sent to a run that is to wait no more
WAKE = {"-wake": True}


class Steps(Protocol):
    """What a piece of work does its steps with. The order of its calls must be the same each time it is executed."""

    #: the run
    run_id: str

    def run(self, name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a step to its end at most once: what it gave is kept, and given again after a crash.

        A step in which the process dies is begun again, so it must be able to stand that.

        Args:
            name: of the step, for people.
            step: gives a small mapping of JSON values: references and counts, never rows.
        """
        ...

    def sleep_until(self, moment: datetime) -> None:
        """Wait for a moment, over a crash too."""
        ...

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a signal; None after the timeout."""
        ...


class DurableSteps:
    """Steps that survive a crash; used inside of a run that `Runs` executes."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def run(self, name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a step."""
        inside: list[BaseException] = []

        def kept() -> dict[str, Any]:
            try:
                return checked(name, step())
            except SymbolonError as error:
                inside.append(error)
                return failed(error)

        result: dict[str, Any] = DBOS.run_step({"name": name, "retries_allowed": False}, kept)
        if inside:
            raise inside[0]
        if is_failed(result):
            raise raised(result)
        return result

    def sleep_until(self, moment: datetime) -> None:
        """Wait for a moment; what is left of it after a crash is counted from the first time."""
        began = self.run("clock", lambda: {"left": (moment - datetime.now(UTC)).total_seconds()})
        if began["left"] > 0:
            _woken(DBOS.recv(CLOCK, began["left"]))

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a signal."""
        if timeout_s is not None:
            return _woken(DBOS.recv(topic, timeout_s))
        while True:
            found = _woken(DBOS.recv(topic, _LOOK_S))
            if found is not None:
                return found


def _woken(found: Any) -> dict[str, Any] | None:
    if found == WAKE:
        raise RunStopped("the run was cancelled while it waited")
    return found  # type: ignore[no-any-return]


class InlineSteps:
    """Steps without durability: for plans and tests. Signals are handed over beforehand."""

    def __init__(self, run_id: str = "", signals: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.run_id = run_id
        self._signals = {topic: list(given) for topic, given in (signals or {}).items()}

    def run(self, name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a step."""
        return checked(name, step())

    def sleep_until(self, moment: datetime) -> None:
        """Wait for a moment."""
        time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Give the next signal that was handed over; None if there is none."""
        del timeout_s
        given = self._signals.get(topic)
        return given.pop(0) if given else None
