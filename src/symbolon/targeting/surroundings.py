"""What a workflow works with: handed down by the wiring, the same for all activities of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.store import Store
    from symbolon.targeting.delivering import Deliveries
    from symbolon.targeting.publishing import Library
    from symbolon.transports.transport import Transport


class Steps(Protocol):
    """What makes a run durable; `symbolon.runs` has one that survives a crash, and one that does not."""

    #: the run
    run_id: str

    def run(self, name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a step to its end at most once; later calls give what it gave."""
        ...

    def sleep_until(self, moment: datetime) -> None:
        """Wait for a moment, over a crash too."""
        ...

    def receive(self, topic: str, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Wait for a signal; None after the timeout."""
        ...


class Durable(Protocol):
    """What executes runs so that they survive a crash (`symbolon.runs.Runs`)."""

    def execute(self, work: str, run_id: str, argument: dict[str, Any]) -> Any:
        """Execute a piece of work in this process, and wait for its end."""
        ...

    def turn(self, queue: str, *, wait: bool) -> AbstractContextManager[bool]:
        """Hold a queue of one; gives whether it is held."""
        ...

    def resume(self, run_id: str) -> Any:
        """Adopt a piece of work whose process is dead."""
        ...

    def signal(self, run_id: str, topic: str, payload: dict[str, Any]) -> None:
        """Send a signal to a run."""
        ...

    def wake(self, run_id: str, topic: str) -> None:
        """Let it not wait any more for a signal or a moment."""
        ...

    def cancel(self, run_id: str) -> None:
        """Let it not go on at its next step."""
        ...

    def status(self, run_id: str) -> Any:
        """Give where it stands; None if it was never begun."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of a project that workflows use."""

    settings: Settings
    store: Store
    lake: Lake
    engine: Engine
    profiles: Profiles
    library: Library
    #: gives what sends messages
    open_deliveries: Callable[[], Deliveries]
    open_transport: Callable[[str], Transport]
    #: whether a transport of this name is defined; a folder is none
    is_transport: Callable[[str], bool]
