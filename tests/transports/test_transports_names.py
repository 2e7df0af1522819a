"""Names and pauses against plain oracles; and the transport that misbehaves as told."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolon.errors import EngineError
from symbolon.testing import FaultyTransport
from symbolon.transports import (
    NameRefused,
    RemoteMissing,
    Retrying,
    TransportDenied,
    TransportUnreachable,
    checked,
    open_transport,
)

if TYPE_CHECKING:
    from pathlib import Path

PIECES = st.sampled_from(["a", "b.csv", "..", ".", "", "\\", "\n", "é", "..a", "a..", " ", "%2e%2e", "\ud800", "\x85"])


@given(st.lists(PIECES, max_size=6).map("/".join) | st.text(max_size=20))
def test_a_checked_name_stays_below_the_root(name: str) -> None:
    try:
        assert checked(name) == name
    except NameRefused:
        return
    assert posixpath.normpath(posixpath.join("/root/r", name)) == "/root/r/" + name
    assert all(ord(one) >= 32 and one != "\\" and not 0x7F <= ord(one) <= 0x9F for one in name)
    name.encode()


@given(st.integers(1, 60), st.floats(0, 1), st.floats(0.01, 5), st.floats(5, 100))
def test_pauses_grow_and_have_an_end(failed: int, chance: float, first_s: float, most_s: float) -> None:
    retrying = Retrying(first_s=first_s, most_s=most_s, chance=lambda: chance)
    assert 0 < retrying.pause(failed) <= most_s
    assert retrying.pause(failed) <= retrying.pause(failed + 1)


def test_only_what_may_pass_is_tried_again() -> None:
    pauses: list[float] = []
    retrying = Retrying(attempts=4, first_s=1, most_s=3, sleep=pauses.append, chance=lambda: 1.0)
    left = [TransportUnreachable("a"), TransportUnreachable("b"), TransportUnreachable("c")]

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    assert retrying.run(work) == "done"
    assert pauses == [1, 2, 3]
    left += [TransportUnreachable("x") for _ in range(4)]
    with pytest.raises(TransportUnreachable):
        retrying.run(work)
    assert len(pauses) == 6
    for final in (TransportDenied("no"), EngineError("no"), ValueError("no")):
        left[:] = [final]  # type: ignore[list-item]
        with pytest.raises(type(final)):
            retrying.run(work)
    assert len(pauses) == 6


def test_progress_begins_the_count_anew() -> None:
    reached = [0]

    def work() -> int:
        if reached[0] < 50:
            reached[0] += 1
            raise TransportUnreachable("x")
        return reached[0]

    retrying = Retrying(attempts=2, sleep=lambda _: None)
    assert retrying.run(work, progress=lambda: reached[0]) == 50
    reached[0] = 0
    with pytest.raises(TransportUnreachable):
        retrying.run(work)


@pytest.fixture
def faulty(tmp_path: Path) -> Any:
    for number in range(3):
        (tmp_path / "root").mkdir(exist_ok=True)
        (tmp_path / "root" / f"{number}.sync").write_bytes(b"x" * number)
    return FaultyTransport(open_transport("root", base=tmp_path))


def test_a_faulty_transport_breaks_as_told(faulty: Any, tmp_path: Path) -> None:
    faulty.faults.broken["fetch"] = 2
    for _ in range(2):
        with pytest.raises(TransportUnreachable):
            faulty.fetch("1.sync", tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert faulty.fetch("1.sync", tmp_path / "x").size_bytes == 1
    faulty.faults.lost_answers = 1
    with pytest.raises(TransportUnreachable):
        faulty.put(tmp_path / "x", "new")
    assert faulty.stat("new").size_bytes == 1
    assert [probe.passed for probe in faulty.check()] == [True] * 4


def test_a_faulty_transport_lies_as_told(faulty: Any, tmp_path: Path) -> None:
    faulty.faults.growing["2.sync"] = 5
    faulty.faults.is_disordered = True
    first, second = faulty.list(pattern="2*"), faulty.list(pattern="2*")
    assert [one.size_bytes for one in first + second] == [7, 12]
    assert first[0].fingerprint != second[0].fingerprint
    assert [one.name for one in faulty.list()] == ["2.sync", "1.sync", "0.sync"]
    faulty.faults.size_lie = -1
    assert [one.size_bytes for one in faulty.list(pattern="[01]*")] == [0, 0]
    faulty.faults.vanishing.add("1.sync")
    with pytest.raises(RemoteMissing):
        faulty.fetch("1.sync", tmp_path / "x")
    assert faulty.stat("1.sync") is None
