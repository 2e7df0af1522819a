"""Whose files are whose: a feed leaves alone what is of another data source, or meant for the other side."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals import digest, members, write_set

from symbolon.errors import SymbolonError
from symbolon.records import ArrivalState, DataSource, Protection
from symbolon.technical import Feed
from symbolon.technical.belonging import is_nested, may_meet

STAMP = 1486140844000


def feed_of(name: str, **given: object) -> Feed:
    return Feed(**{"name": name, "transport": "drop/", "source": "crm", "segment": "24", "audience": name, **given})


@pytest.fixture
def other(project) -> DataSource:
    return project.sources.add(DataSource(name="other", key="email", protection=Protection.SHA256, dpid=8))


def test_two_feeds_in_one_place_take_their_own_files(project, drop: Path, other: DataSource) -> None:
    one = project.feeds.add(feed_of("one"))
    two = project.feeds.add(feed_of("two", source="other"))
    write_set(drop, STAMP, [[1]])
    theirs = drop / f"S3_1_8_full_{STAMP}.sync"
    theirs.write_text(f"{digest(2)} 24\n")
    unnamed = drop / "list.csv"
    unnamed.write_text(f"id\n{digest(3)}\n")
    for _ in range(2):
        project.watcher.look(one)
        project.watcher.look(two)
    assert (members(project, "one"), members(project, "two")) == (["P001"], ["P002"])
    assert theirs.exists()
    assert unnamed.exists()
    told = {arrival.name: arrival.facts.get("why", "") for arrival in project.store.arrivals("one")}
    assert "`other`" in told[theirs.stem]
    assert "several feeds" in told["list.csv"]
    assert project.watcher.look(one) == []


def test_what_was_left_alone_is_taken_once_it_is_ours(project, drop: Path) -> None:
    feed = project.feeds.add(feed_of("one", after="archive"))
    path = drop / f"S3_1_9_full_{STAMP}.sync"
    path.write_text(f"{digest(2)} 24\n")
    for _ in range(3):
        project.watcher.look(feed)
    (left,) = project.store.arrivals("one")
    assert (left.state, "data source 9" in left.facts["why"], path.exists()) == (ArrivalState.SKIPPED, True, True)
    assert project.health.last_arrival(feed) is None
    project.sources.edit("crm", {"dpid": 9})
    (done,) = project.watcher.look(feed)
    assert (done.state, path.exists()) == (ArrivalState.IMPORTED, False)


def test_another_source_may_be_named_by_its_name(project, drop: Path, other: DataSource) -> None:
    feed = project.feeds.add(feed_of("one"))
    (drop / f"S3_1_other_full_{STAMP}.sync").write_text(f"{digest(2)} 24\n")
    (left,) = project.watcher.look(feed)
    assert (left.state, "`other`" in left.facts["why"]) == (ArrivalState.SKIPPED, True)


@pytest.mark.parametrize("name", ["ftp_dpm_7_1486140844.sync", "ftp_dpm_7_1486140844.overwrite.2.gz"])
def test_inbound_files_are_left_alone(project, drop: Path, name: str) -> None:
    feed = project.feeds.add(feed_of("one"))
    (drop / name).write_text("x")
    (left,) = project.watcher.look(feed, force=True)
    assert (left.state, "ftp_dpm_" in left.facts["why"]) == (ArrivalState.SKIPPED, True)
    assert (drop / name).exists()
    assert project.watcher.look(feed, force=True) == []


def test_feeds_that_would_take_the_same_files_are_refused(project, drop: Path, other: DataSource) -> None:
    (drop / "sub").mkdir()
    project.feeds.add(feed_of("one"))
    for wrong in (feed_of("two"), feed_of("two", transport="./drop/sub"), feed_of("two", pattern="*.sync")):
        with pytest.raises(SymbolonError) as caught:
            project.feeds.add(wrong)
        assert (caught.value.code, "feed `one`" in caught.value.summary) == ("feed.invalid", True)
    project.feeds.edit("one", pattern="a_*")
    project.feeds.add(feed_of("two", pattern="b_*"))
    with pytest.raises(SymbolonError):
        project.feeds.edit("one", pattern="b_x*")
    project.feeds.edit("two", enabled=False)
    project.feeds.edit("one", pattern="b_x*")


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("*", "*", True),
        ("a*", "b*", False),
        ("*.sync", "*.csv", False),
        ("a*", "*.csv", True),
        ("a.csv", "*.csv", True),
        ("a.csv", "*.sync", False),
        ("a.csv", "b.csv", False),
        ("a[0-9]b", "a?c", False),
    ],
)
def test_patterns_that_may_meet(one: str, two: str, meet: bool) -> None:
    assert (may_meet(one, two), may_meet(two, one)) == (meet, meet)


def test_places_that_are_nested() -> None:
    assert is_nested("file:///a", "file:///a/b/")
    assert is_nested("file:///a/", "file:///a")
    assert not is_nested("file:///a", "file:///ab")
