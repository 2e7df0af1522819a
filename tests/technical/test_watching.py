"""Files that arrive: whole sets are imported once and in order, growing ones are left alone, wrong ones set aside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from arrivals import Clock, digest, members, write_set

from symbolon.errors import SymbolonError
from symbolon.records import ArrivalState
from symbolon.technical import Feed, HealthState, Watcher
from symbolon.technical.grouping import group
from symbolon.transports import open_transport
from symbolon.transports.local import LocalTransport

STAMP = 1486140844000


@pytest.fixture
def feed(project) -> Feed:
    return project.feeds.add(Feed(name="partner", transport="drop/", source="crm", segment="24", audience="Arrived"))


@pytest.fixture
def watcher(project, clock: Clock) -> Watcher:
    return watching(project, clock)


def watching(project, clock: Clock) -> Watcher:
    return Watcher(
        settings=project.settings,
        store=project.store,
        lake=project.lake,
        sources=project.sources,
        transports=project.transports,
        audiences=project.audiences,
        clock=clock,
    )


def states(found) -> list[tuple[str, str]]:
    return [(one.name, one.state.value) for one in found]


def test_a_set_whose_control_file_comes_first(
    project, drop: Path, feed: Feed, watcher: Watcher, tmp_path: Path
) -> None:
    """The acceptance test of split files: imported once, both parts; nothing before, nothing after."""
    control, first, second = write_set(tmp_path, STAMP, [[1, 2], [3]])
    name = f"S3_1_7_full_{STAMP}"
    shutil.copy(control, drop)
    assert states(watcher.look(feed)) == [(name, "waiting")]
    shutil.copy(first, drop)
    assert states(watcher.look(feed)) == [(name, "waiting")]
    assert watcher.look(feed) == []
    assert project.audiences.list() == []
    shutil.copy(second, drop)
    (done,) = watcher.look(feed)
    assert done.state is ArrivalState.IMPORTED
    assert members(project) == ["P001", "P002", "P003"]
    assert watcher.look(feed) == []
    assert project.audiences.show("Arrived").version == 1


def test_a_growing_file_is_never_read(project, drop: Path, feed: Feed, watcher: Watcher) -> None:
    path = drop / f"S3_1_7_full_{STAMP}.sync"
    for number in range(4):
        with path.open("a") as file:
            file.write(f"{digest(number)} 24\n")
        assert [one.state for one in watcher.look(feed)] == [ArrivalState.WAITING]
        assert project.audiences.list() == []
    (done,) = watcher.look(feed)
    assert done.state is ArrivalState.IMPORTED
    assert members(project) == ["P000", "P001", "P002", "P003"]


def test_a_part_that_grows_beside_its_control_file(project, drop: Path, feed: Feed, watcher: Watcher, tmp_path) -> None:
    control, part = write_set(tmp_path, STAMP, [[1, 2, 3]])
    shutil.copy(control, drop)
    content = part.read_bytes()
    (drop / part.name).write_bytes(content[:100])
    for _ in range(3):
        watcher.look(feed)
    assert project.audiences.list() == []
    (drop / part.name).write_bytes(content)
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED]


@pytest.mark.parametrize("ahead_s", [-86_400, 0, 86_400])
def test_a_split_set_without_control_file_waits_for_further_parts(
    project, drop: Path, feed: Feed, watcher: Watcher, clock: Clock, ahead_s: float
) -> None:
    """By our own clock, whatever the sender's says."""
    for path in write_set(drop, STAMP, [[1], [2]], info=False):
        os.utime(path, (clock.now.timestamp() + ahead_s,) * 2)
    for _ in range(3):
        watcher.look(feed)
        clock.forward(10)
    assert project.audiences.list() == []
    clock.forward(feed.wait_s - 30)
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED]
    assert members(project) == ["P001", "P002"]


def test_a_further_part_begins_the_wait_anew_and_force_ends_it(
    project, drop: Path, feed: Feed, watcher: Watcher, clock: Clock
) -> None:
    write_set(drop, STAMP, [[1], [2]], info=False)
    watcher.look(feed)
    clock.forward(59)
    write_set(drop, STAMP, [[1], [2], [3]], info=False)
    watcher.look(feed)
    clock.forward(59)
    assert watcher.look(feed)[0].state is ArrivalState.WAITING
    assert [one.state for one in watcher.look(feed, force=True)] == [ArrivalState.IMPORTED]


def test_pauses_between_tries_grow_and_nothing_is_fetched_while_terms_wait(
    project, drop: Path, feed: Feed, watcher: Watcher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.store.update_source(msgspec.structs.replace(project.sources.show("crm"), terms="only for us"))
    write_set(drop, STAMP, [[1]], info=False)
    watcher.look(feed)
    monkeypatch.setattr(LocalTransport, "fetch", None)
    pauses = []
    for _ in range(6):
        (waits,) = watcher.look(feed)
        pauses.append(waits.facts["next_try"] - clock.now.timestamp())
        clock.forward(pauses[-1])
    assert pauses == [5, 15, 60, 300, 900, 900]


def test_a_set_that_lies_is_set_aside_and_the_old_version_stays(
    project, drop: Path, feed: Feed, watcher: Watcher
) -> None:
    write_set(drop, STAMP, [[1, 2]])
    watcher.look(feed)
    control, part = write_set(drop, STAMP + 1000, [[2, 3]])
    part.write_bytes(part.read_bytes().replace(b"2", b"7", 1))  # the same size, another content: its md5 is wrong
    (refused,) = watcher.look(feed)
    assert refused.state is ArrivalState.REFUSED
    assert members(project) == ["P001", "P002"]
    folder = drop / "quarantine" / "2026-11-23"
    assert {path.name for path in folder.iterdir()} == {part.name, control.name, f"{part.name}.receipt.json"}
    told = json.loads((folder / f"{part.name}.receipt.json").read_text())
    assert told["error"]["code"] == "file.info_mismatch"
    assert digest(2) not in json.dumps(told)
    assert watcher.look(feed) == []
    assert not part.exists()


def test_replay_after_the_cause_was_mended(project, drop: Path, feed: Feed, watcher: Watcher) -> None:
    (path,) = write_set(drop, STAMP, [[1, 2]], info=False)
    wrong = project.feeds.edit("partner", segment="99")
    watcher.look(wrong)
    (refused,) = watcher.look(wrong)
    assert (refused.state, refused.facts["error"]["code"]) == (ArrivalState.REFUSED, "import.segment_unknown")
    mended = project.feeds.edit("partner", segment="24")
    done = watcher.replay(mended, refused.name)
    assert done.state is ArrivalState.IMPORTED
    assert members(project) == ["P001", "P002"]
    assert path.exists()
    with pytest.raises(SymbolonError) as caught:
        watcher.replay(mended, refused.name)
    assert caught.value.code == "feed.arrival"


def test_replay_forces_no_other_set(project, drop: Path, feed: Feed, watcher: Watcher) -> None:
    write_set(drop, STAMP, [[1]], info=False)
    wrong = project.feeds.edit("partner", segment="99")
    watcher.look(wrong)
    (refused,) = watcher.look(wrong)
    (growing,) = write_set(drop, STAMP + 1000, [[2]], info=False)
    mended = project.feeds.edit("partner", segment="24")
    assert watcher.replay(mended, refused.name).state is ArrivalState.IMPORTED
    arrival = project.store.arrival("partner", growing.stem)
    assert (arrival.state, members(project)) == (ArrivalState.WAITING, ["P001"])


def test_sets_are_imported_in_the_order_of_their_names(project, drop: Path, feed: Feed, watcher: Watcher) -> None:
    write_set(drop, STAMP + 2000, [[5]], mode="iter")
    write_set(drop, STAMP, [[1, 2]])
    write_set(drop, STAMP + 1000, [[3]], mode="iter")
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED] * 3
    assert members(project) == ["P001", "P002", "P003", "P005"]
    write_set(drop, STAMP - 1000, [[9]])
    (late,) = watcher.look(feed)
    assert (late.state, late.facts["error"]["code"]) == (ArrivalState.SKIPPED, "import.older")
    assert members(project) == ["P001", "P002", "P003", "P005"]


def test_an_incremental_set_waits_for_an_older_one_that_is_not_whole(
    project, drop: Path, feed: Feed, watcher: Watcher, clock: Clock, tmp_path: Path
) -> None:
    write_set(drop, STAMP, [[1, 2]])
    control, first, second = write_set(tmp_path, STAMP + 1000, [[3], [4]], mode="iter")
    shutil.copy(control, drop)
    write_set(drop, STAMP + 2000, [[5]], mode="iter")
    held = [("waiting", "no part has come yet"), ("waiting", f"an older set is not finished: {control.stem}")]
    assert [(one.state.value, one.facts["why"]) for one in watcher.look(feed)][1:] == held
    shutil.copy(first, drop)
    watcher.look(feed)
    assert watcher.look(feed, force=True) == []
    assert members(project) == ["P001", "P002"]
    shutil.copy(second, drop)
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED] * 2
    assert members(project) == ["P001", "P002", "P003", "P004", "P005"]


def test_a_full_set_waits_for_none_and_an_incremental_one_too_late_is_told(
    project, drop: Path, feed: Feed, watcher: Watcher, tmp_path: Path
) -> None:
    control, part = write_set(tmp_path, STAMP, [[1]], mode="iter")
    shutil.copy(control, drop)
    write_set(drop, STAMP + 1000, [[2]])
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.WAITING, ArrivalState.IMPORTED]
    shutil.copy(part, drop)
    (late,) = watcher.look(feed)
    assert (late.state, late.facts["error"]["code"]) == (ArrivalState.REFUSED, "import.older")
    assert list((drop / "quarantine").rglob(f"{part.name}.receipt.json"))
    assert members(project) == ["P002"]
    (item,) = [item for item in project.health.items() if item.name == "feed partner"]
    assert (item.state, "import.older" in item.detail) == (HealthState.WARN, True)


def test_a_passing_fault_is_tried_again_later_and_nothing_is_set_aside(
    project, drop: Path, feed: Feed, watcher: Watcher, clock: Clock
) -> None:
    project.store.update_source(msgspec.structs.replace(project.sources.show("crm"), terms="only for us"))
    write_set(drop, STAMP, [[1]])
    (waits,) = watcher.look(feed)
    assert (waits.state, waits.facts["error"]["code"]) == (ArrivalState.WAITING, "policy.terms")
    assert watcher.look(feed) == []
    project.sources.accept("crm", by="somebody")
    assert watcher.look(feed) == []
    clock.forward(60)
    assert [one.state for one in watcher.look(feed)] == [ArrivalState.IMPORTED]


@pytest.mark.parametrize("after", ["keep", "delete", "archive"])
def test_what_becomes_of_imported_files(project, drop: Path, feed: Feed, watcher: Watcher, after: str) -> None:
    feed = project.feeds.edit("partner", after=after)
    paths = write_set(drop, STAMP, [[1], [2]])
    watcher.look(feed)
    names = {path.name for path in paths}
    assert {path.name for path in drop.iterdir() if path.is_file()} == (names if after == "keep" else set())
    archived = {path.name for path in (drop / "archive").rglob("*") if path.is_file()}
    assert archived == (names if after == "archive" else set())
    assert watcher.look(feed) == []


def test_the_same_content_under_another_name_is_skipped(project, drop: Path, feed: Feed, watcher: Watcher) -> None:
    write_set(drop, STAMP, [[1, 2]])
    watcher.look(feed)
    project.store.put_arrival(project.store.arrival("partner", f"S3_1_7_full_{STAMP}").__class__(
        feed="partner", name=f"S3_1_7_full_{STAMP}", state=ArrivalState.WAITING
    ))  # fmt: skip
    (again,) = watcher.look(feed)
    assert again.state is ArrivalState.SKIPPED
    assert project.audiences.show("Arrived").version == 1


def test_a_fault_of_ours_in_one_set_does_not_stop_the_others(
    project, drop: Path, feed: Feed, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(drop, STAMP, [[1]])
    write_set(drop, STAMP + 1000, [[2]])
    plain = project.audiences.import_

    def broken(request, *further):
        if str(STAMP) in request.label:
            raise ZeroDivisionError
        return plain(request, *further)

    monkeypatch.setattr(project.audiences, "import_", broken)
    waits, done = watcher.look(feed)
    assert (waits.state, waits.facts["error"]["code"]) == (ArrivalState.WAITING, "internal")
    assert (done.state, members(project)) == (ArrivalState.IMPORTED, ["P002"])


def test_one_worker_at_a_time_looks_after_a_feed(project, drop: Path, feed: Feed, clock: Clock) -> None:
    write_set(drop, STAMP, [[1]])
    inner: list = []

    class Nested(Watcher):
        def _pass(self, *args, **kwargs):
            inner.append(watching(project, clock).look(feed))
            return super()._pass(*args, **kwargs)

    first = Nested(
        settings=project.settings,
        store=project.store,
        lake=project.lake,
        sources=project.sources,
        transports=project.transports,
        audiences=project.audiences,
        clock=clock,
    )
    assert [one.state for one in first.look(feed)] == [ArrivalState.IMPORTED]
    assert inner == [[]]


def test_a_place_that_cannot_be_listed_is_an_error_with_a_mend(
    project, feed: Feed, watcher: Watcher, drop: Path
) -> None:
    drop.rmdir()
    with pytest.raises(SymbolonError) as caught:
        watcher.look(feed)
    assert caught.value.exit_code == 5
    assert caught.value.hint


def test_sets_are_told_apart(tmp_path: Path) -> None:
    write_set(tmp_path, STAMP, [[1], [2]])
    (tmp_path / "list.csv").write_text("id\n")
    (tmp_path / "sub").mkdir()
    write_set(tmp_path / "sub", STAMP, [[1]])
    (tmp_path / "quarantine").mkdir()
    write_set(tmp_path / "quarantine", STAMP, [[1]])
    transport = open_transport(str(tmp_path), base=tmp_path)
    found = group(transport.list(), "milliseconds", ("quarantine/", "archive/"))
    assert [(one.name, len(one.parts), one.info is not None, one.is_split) for one in found] == [
        ("list.csv", 1, False, False),
        (f"S3_1_7_full_{STAMP}", 2, True, True),
        (f"sub/S3_1_7_full_{STAMP}", 1, True, False),
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "a b"}, "a name is"),
        ({"segment": "1", "all_segments": True}, "exclude"),
        ({"every_s": 0}, "every 1 to"),
        ({"pattern": "a/b"}, "without folders"),
        ({"source": "crn"}, "crm"),
        ({"transport": "nowhere"}, "nowhere"),
    ],
)
def test_a_feed_that_does_not_hold_together(project, changes: dict, fault: str) -> None:
    with pytest.raises(SymbolonError) as caught:
        project.feeds.add(Feed(**{"name": "f", "transport": "drop/", "source": "crm", **changes}))
    assert caught.value.code == "feed.invalid"
    assert fault in caught.value.summary or "folder" in caught.value.summary
