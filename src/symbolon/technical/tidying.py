"""What becomes of the files of a set that is done with: kept, removed, archived, or put into quarantine.

Invariant: a file that is not the one that was read stays where it is, with the whole set; nothing is ever replaced; it
is noted where each file goes before the first one moves, so that whoever goes on after a crash goes to the same place.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import SymbolonError
from symbolon.records import ArrivalState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from symbolon.lake import Lake
    from symbolon.records import Arrival
    from symbolon.store import Store
    from symbolon.technical.feeds import Feed
    from symbolon.transports.transport import Transport

QUARANTINE, ARCHIVE = "quarantine", "archive"
#: fact of a set whose files could not be moved or removed yet: the code of the fault
UNTIDIED = "untidied"
#: pauses before something that failed for a passing reason is tried again, in seconds
_PAUSES_S = (5, 15, 60, 300, 900)


def pause_s(tries: int) -> float:
    """Give the seconds to wait after so many tries in vain, from 1 on."""
    return _PAUSES_S[min(tries, len(_PAUSES_S)) - 1]


class Tidier:
    """Moves or removes the files of sets that are done with.

    Args:
        clock: the time, UTC.
    """

    def __init__(self, *, store: Store, lake: Lake, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._lake = lake
        self._clock = clock

    def tidy(self, feed: Feed, transport: Transport, arrival: Arrival) -> Arrival:
        """Tidy up after a set, if that was not done yet; a fault is noted, and tried again after a pause.

        Returns:
            The arrival as it is noted now; `arrival` itself if nothing happened.
        """
        facts = arrival.facts
        if "tidied" in facts or self._clock().timestamp() < _number(facts, "next_tidy"):
            return arrival
        listed = facts.get("files")
        names = [str(name) for name in listed] if isinstance(listed, list) else []
        try:
            if _is_replaced(transport, arrival, names):
                return self._noted(arrival, {"tidied": True, "replaced": True})
            moved = self._put_away(feed, transport, arrival, names)
        except SymbolonError as error:
            arrival = self._store.arrival(arrival.feed, arrival.name) or arrival  # where the files go is noted by now
            tries = int(_number(arrival.facts, "tidy_tries")) + 1
            again = self._clock().timestamp() + pause_s(tries)
            return self._noted(arrival, {UNTIDIED: error.code, "tidy_tries": tries, "next_tidy": again})
        return self._noted(arrival, {"tidied": True, "moved": moved})

    def _put_away(self, feed: Feed, transport: Transport, arrival: Arrival, names: list[str]) -> dict[str, str]:
        """Move or remove the files; give where each went."""
        refused = arrival.state is ArrivalState.REFUSED
        folder = QUARANTINE if refused else ARCHIVE if feed.after == "archive" else ""
        if not folder or not names:
            for name in names if feed.after == "delete" else ():
                transport.delete(name)
            return {}
        planned = arrival.facts.get("moved")
        moved: dict[str, str] = planned if isinstance(planned, dict) else self._free(transport, names, folder)
        if moved is not planned:
            arrival = self._noted(arrival, {"moved": moved})
        for name in names:
            self._moved(transport, name, moved[name])
        if refused:
            self._receipt(transport, arrival, _receipt_of(moved[names[0]]))
        return moved

    def _free(self, transport: Transport, names: list[str], folder: str) -> dict[str, str]:
        """Give a place for each file that nothing has yet: a folder of the day, the second one where it is taken."""
        for number in itertools.count(1):
            day = f"{folder}/{self._clock():%Y-%m-%d}{f'-{number}' if number > 1 else ''}"
            moved = {name: f"{day}/{name}" for name in names}
            taken = [*moved.values(), _receipt_of(moved[names[0]])]
            if all(transport.stat(target) is None for target in taken):
                return moved
        raise AssertionError  # pragma: no cover - numbers do not end

    def _moved(self, transport: Transport, name: str, target: str) -> None:
        here, there = transport.stat(name), transport.stat(target)
        if here is None:
            return
        if there is not None and there.fingerprint == here.fingerprint:
            transport.delete(name)  # a move that ended between its two halves
            return
        transport.move(name, target)

    def _receipt(self, transport: Transport, arrival: Arrival, name: str) -> None:
        """Put why a set was refused beside it, without any identifier."""
        with self._lake.attempt("receipt") as directory:
            path = directory / "receipt.json"
            facts = {name: value for name, value in arrival.facts.items() if name != "fingerprints"}
            told = {"feed": arrival.feed, "name": arrival.name, "state": arrival.state.value, **facts}
            path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))
            transport.put(path, name, overwrite=True)

    def _noted(self, arrival: Arrival, facts: dict[str, Any]) -> Arrival:
        passing = (UNTIDIED, "tidy_tries", "next_tidy")
        kept = {name: value for name, value in arrival.facts.items() if name not in passing}
        noted = msgspec.structs.replace(arrival, facts={**kept, **facts}, changed=self._clock())
        self._store.put_arrival(noted)
        return noted


def _is_replaced(transport: Transport, arrival: Arrival, names: list[str]) -> bool:
    """Say whether one of the files that are still there is not the one that was read."""
    listed = arrival.facts.get("fingerprints")
    prints: dict[str, object] = listed if isinstance(listed, dict) else {}
    found = ((name, transport.stat(name)) for name in names)
    return any(there is not None and there.fingerprint != prints.get(name) for name, there in found)


def _receipt_of(target: str) -> str:
    return f"{target}.receipt.json"


def _number(facts: dict[str, object], name: str) -> float:
    return float(str(facts.get(name, 0)))
