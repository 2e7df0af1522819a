"""What becomes of files that are done with: nothing unread goes, nothing is replaced, a passing fault is no end."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals import Clock, digest, members, write_set

from symbolon.records import ArrivalState
from symbolon.technical import Feed, Watcher
from symbolon.transports import TransportDenied
from symbolon.transports.local import LocalTransport

STAMP = 1486140844000
NAME = f"S3_1_7_full_{STAMP}"


@pytest.fixture
def watcher(project, clock: Clock) -> Watcher:
    return Watcher(
        settings=project.settings,
        store=project.store,
        lake=project.lake,
        sources=project.sources,
        transports=project.transports,
        audiences=project.audiences,
        clock=clock,
    )


def feed_of(project, **given: object) -> Feed:
    return project.feeds.add(
        Feed(**{"name": "f", "transport": "drop/", "source": "crm", "segment": "24", "audience": "Arrived", **given})
    )


@pytest.mark.parametrize("after", ["delete", "archive"])
def test_what_was_replaced_while_it_was_imported_stays(
    project, drop: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    feed = feed_of(project, after=after)
    control, part = write_set(drop, STAMP, [[1]])
    plain = project.audiences.import_

    def replaced(*given, **further):
        receipts = plain(*given, **further)
        part.write_text(f"{digest(2)} 24\n{digest(3)} 24\n")
        return receipts

    monkeypatch.setattr(project.audiences, "import_", replaced)
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED]
    assert (control.exists(), part.exists()) == (True, True)
    monkeypatch.setattr(project.audiences, "import_", plain)
    control.unlink()
    for _ in range(3):
        watcher.look(feed)
    assert members(project) == ["P002", "P003"]
    assert not part.exists()


def test_evidence_is_never_replaced(project, drop: Path, watcher: Watcher) -> None:
    """Two refused files of one name on one day: both are kept, each with its receipt."""
    feed = feed_of(project)
    for text in ("junk\n", "other junk\n"):
        (drop / f"{NAME}.sync").write_text(text)
        watcher.look(feed)
        assert [one.state for one in watcher.look(feed)] == [ArrivalState.REFUSED]
    kept = {str(path.relative_to(drop)): path for path in drop.rglob("*") if path.is_file()}
    first, second = (f"quarantine/2026-11-23{more}/{NAME}.sync" for more in ("", "-2"))
    assert set(kept) == {first, second, f"{first}.receipt.json", f"{second}.receipt.json"}
    assert (kept[first].read_text(), kept[second].read_text()) == ("junk\n", "other junk\n")


def test_a_passing_fault_is_tried_again(
    project, drop: Path, watcher: Watcher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = feed_of(project)
    (drop / f"{NAME}.sync").write_text("junk\n")
    watcher.look(feed)
    calls: list[str] = []

    def denied(_self: object, name: str, _target: str) -> None:
        calls.append(name)
        raise TransportDenied("no")

    with monkeypatch.context() as patched:
        patched.setattr(LocalTransport, "move", denied)
        (refused,) = watcher.look(feed)
        assert (refused.state, refused.facts["untidied"]) == (ArrivalState.REFUSED, "transport.denied")
        assert watcher.look(feed) == []
        (item,) = [item for item in project.health.items() if item.name == "feed f"]
        assert item.state == "WARN"
        clock.forward(5)
        watcher.look(feed)
        clock.forward(5)
        assert watcher.look(feed) == []
        assert len(calls) == 2
    clock.forward(15)
    watcher.look(feed)
    assert (drop / "quarantine" / "2026-11-23" / f"{NAME}.sync").exists()
    done = project.store.arrival("f", NAME)
    assert ("untidied" in done.facts, set(done.facts["moved"])) == (False, {f"{NAME}.sync"})
