# ruff: noqa: S310 - addresses of our own
"""The worker does what is due; health, metrics and schedules tell and keep the time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arrivals import Clock, members, write_set

import symbolon
from symbolon.errors import SymbolonError
from symbolon.records import ArrivalState, DataSource, Definition, DefinitionKind, RunState
from symbolon.technical import Activation, Activations, Feed, Health, HealthState, Schedules
from symbolon.technical.metrics import registry_of
from symbolon.technical.page import Page

STAMP = 1486140844000
WEEKLY = """\
name: weekly
activities:
  - {id: when, type: scheduler, repeat: daily, time: '06:00'}
  - {id: all, type: query, from: when}
  - {id: save, type: save_audience, from: all, audience: Everybody}
"""


@pytest.fixture
def feed(project) -> Feed:
    return project.feeds.add(
        Feed(name="partner", transport="drop/", source="crm", segment="24", audience="Arrived", expected_every_s=3600)
    )


def health_of(project, clock) -> Health:
    return Health(
        store=project.store,
        feeds=project.feeds,
        activations=project.activations,
        heartbeat=project.settings.locks_dir,
        clock=clock,
    )


def activations_of(project, clock) -> Activations:
    return Activations(
        store=project.store,
        audiences=project.audiences,
        profiles=project.profiles,
        export=project.audiences.export,
        clock=clock,
    )


def test_once_does_everything_that_is_due(project, drop: Path, feed: Feed) -> None:
    write_set(drop, STAMP, [[1, 2]])
    project.workflows.submit(project.workflows.read(WEEKLY))
    project.audiences.queries.create("Old", "email IS NOT NULL", expires=datetime(2020, 1, 1, tzinfo=UTC))
    project.worker().once()
    assert members(project) == ["P001", "P002"]
    assert project.workflows.runs()[0].state is RunState.DONE
    assert project.audiences.show("Everybody").members == 100
    assert "Old" not in [one.name for one in project.audiences.list()]


def test_once_looks_twice_where_no_control_file_is(project, drop: Path, feed: Feed) -> None:
    write_set(drop, STAMP, [[1, 2]], info=False)
    project.worker().once(again_s=0)
    assert members(project) == ["P001", "P002"]


def test_a_failure_tells_what_failed_and_why(project, drop: Path, feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    drop.rmdir()
    project.worker().once()
    assert "feed partner failed: transport.root" in caplog.messages


def test_a_broken_feed_does_not_end_the_others(project, drop: Path, feed: Feed) -> None:
    gone = project.settings.project / "gone"
    gone.mkdir()
    project.feeds.add(Feed(name="another", transport="gone/", source="crm", segment="24"))
    gone.rmdir()
    write_set(drop, STAMP, [[1]])
    project.worker().once()
    assert members(project) == ["P001"]


def test_a_worker_ends_when_it_is_told_to(project, drop: Path, feed: Feed) -> None:
    """A process of its own: it imports what is dropped, and ends with SIGTERM."""
    command = [sys.executable, "-m", "symbolon.cli", "--project", str(project.settings.project), "worker"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ}) as worker:
        assert worker.stderr is not None
        assert "works" in worker.stderr.readline()
        write_set(drop, STAMP, [[3]])
        while not project.store.arrivals("partner", state=ArrivalState.IMPORTED):
            assert worker.poll() is None
            threading.Event().wait(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    assert members(project) == ["P003"]


def test_health_follows_the_clock(project, drop: Path, feed: Feed, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    health = health_of(project, clock)
    found = {item.name: item.state for item in health.items()}
    assert found == {"worker": HealthState.FAIL, "feed partner": HealthState.PASS}
    write_set(drop, STAMP, [[1]])
    project.worker().once()
    assert {item.name: item.state for item in health.items()} == {
        "worker": HealthState.PASS,
        "feed partner": HealthState.PASS,
    }
    clock.forward(5000)
    assert {item.name: item.state for item in health.items()} == {
        "worker": HealthState.FAIL,
        "feed partner": HealthState.WARN,
    }
    clock.forward(5000)
    (item,) = [item for item in health.items() if item.name == "feed partner"]
    assert item.state is HealthState.FAIL
    assert item.mend
    project.feeds.edit("partner", expected_every_s=None)
    (drop / f"S3_1_7_full_{STAMP + 1}.sync").write_text("garbage\n")
    for _ in range(2):
        project.watcher.look(project.feeds.show("partner"))
    (item,) = [item for item in health.items() if item.name == "feed partner"]
    assert (item.state, "import.segment_unknown" in item.detail) == (HealthState.WARN, True)


def test_a_new_feed_is_not_late(project, drop: Path, feed: Feed, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    health = health_of(project, clock)
    states = []
    for seconds in (10, 3600, 3600):
        clock.forward(seconds)
        states += [item.state for item in health.items() if item.name == "feed partner"]
    assert states == [HealthState.PASS, HealthState.WARN, HealthState.FAIL]


def test_a_place_that_is_gone_is_no_health(project, drop: Path, feed: Feed) -> None:
    drop.rmdir()
    project.worker().once()
    (item,) = [item for item in project.health.items() if item.name == "feed partner"]
    assert (item.state, "transport.root" in item.detail, bool(item.mend)) == (HealthState.FAIL, True, True)
    drop.mkdir()
    project.worker().once()
    (item,) = [item for item in project.health.items() if item.name == "feed partner"]
    assert item.state is HealthState.PASS


def test_an_activation_whose_audience_is_gone_is_no_health(project, clock: Clock, tmp_path: Path) -> None:
    project.audiences.queries.create("Some", "external_id < 'P010'")
    activations = activations_of(project, clock)
    one = activations.add(Activation(name="out", audience="Some", source="crm", segment="24", to=str(tmp_path / "out")))
    activations.run(one)
    project.audiences.delete("Some")
    (item,) = [item for item in project.health.items() if item.name == "activation out"]
    assert (item.state, "`Some`" in item.detail) == (HealthState.FAIL, True)
    clock.forward(61)
    assert activations.is_due(one)
    with pytest.raises(SymbolonError):
        activations.run(one)
    assert activations.last("out")["error"] == "name.unknown"


def test_health_and_metrics_over_http(project, drop: Path, feed: Feed) -> None:
    page = Page(
        registry_of(store=project.store, feeds=project.feeds, health=project.health),
        project.health.items,
        host="127.0.0.1",
        port=0,
    )
    page.start()
    base = f"http://127.0.0.1:{page.port}"
    try:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{base}/health")
        assert caught.value.code == 503
        write_set(drop, STAMP, [[1]])
        project.worker().once()
        with urllib.request.urlopen(f"{base}/health") as answer:
            told = json.load(answer)
        assert told["ok"] is True
        assert {item["name"] for item in told["items"]} == {"worker", "feed partner"}
        with urllib.request.urlopen(f"{base}/metrics") as answer:
            text = answer.read().decode()
        assert 'symbolon_arrivals{feed="partner",state="imported"} 1.0' in text
        assert {line.split()[3] for line in text.splitlines() if line.startswith("# TYPE symbolon")} == {"gauge"}
        assert 'symbolon_audience_members{audience="Arrived"} 1.0' in text
        assert "@" not in text
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{base}/else")
        assert caught.value.code == 404
        documented = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text()
        names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE symbolon")}
        assert [name for name in names if name not in documented] == []
    finally:
        page.close()


def test_a_schedule_runs_once_at_each_of_its_times(project, clock: Clock) -> None:
    project.workflows.save(project.workflows.read(WEEKLY))
    one, other = (Schedules(store=project.store, workflows=project.workflows, clock=clock) for _ in range(2))
    assert one.upcoming("weekly", 2) == [datetime(2026, 11, 24, 6, tzinfo=UTC), datetime(2026, 11, 25, 6, tzinfo=UTC)]
    assert one.tick() == []
    clock.forward(timedelta(hours=19).total_seconds())
    assert one.tick() == []
    clock.forward(timedelta(hours=1).total_seconds())
    begun = [*one.tick(), *other.tick()]
    assert len(begun) == 1
    clock.forward(timedelta(days=3).total_seconds())  # what was missed is caught up with once
    assert len([*other.tick(), *one.tick()]) == 1
    assert {run.state for run in project.workflows.runs()} == {RunState.QUEUED}


def test_a_time_outlives_the_worker_that_claimed_it(project, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a workflow that cannot be read does not stop the others."""
    project.store.put_definition(Definition(kind=DefinitionKind.WORKFLOW, name="a-broken", body="no workflow"), base=0)
    project.workflows.save(project.workflows.read(WEEKLY))
    schedules = Schedules(store=project.store, workflows=project.workflows, clock=clock)
    schedules.tick()
    clock.forward(timedelta(hours=24).total_seconds())

    class Killed(BaseException):
        pass

    def killed(*_given: object) -> None:
        monkeypatch.setattr(project.store, "set_state", killed)  # nothing is written after a death
        raise Killed

    with monkeypatch.context() as patched:
        plain = project.store.set_state
        patched.setattr(project.workflows, "submit", killed)
        with pytest.raises(Killed):
            schedules.tick()
        monkeypatch.setattr(project.store, "set_state", plain)
    assert schedules.tick() == []
    clock.forward(61)
    assert len(schedules.tick()) == 1
    clock.forward(61)
    assert schedules.tick() == []


def test_an_activation_shares_when_its_audience_changed(project, clock: Clock, tmp_path: Path) -> None:
    project.audiences.queries.create("Some", "external_id < 'P010'")
    activations = activations_of(project, clock)
    one = activations.add(
        Activation(name="out", audience="Some", source="crm", segment="24", to=str(tmp_path / "out"), every_s=60)
    )
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    assert activations.is_due(one)
    assert activations.run(one).shared == 10
    assert not activations.is_due(one)
    clock.forward(61)
    assert not activations.is_due(one)
    project.audiences.edit("Some", rule="external_id < 'P008'")
    assert activations.is_due(one)
    receipt = activations.run(one)
    assert (receipt.shared, receipt.removed) == (8, 2)
    project.audiences.edit("Some", rule="external_id < 'P001'")
    clock.forward(61)
    with pytest.raises(SymbolonError) as caught:
        activations.run(one)
    assert caught.value.code == "policy.shrink"
    assert activations.last("out")["error"] == "policy.shrink"
    assert symbolon.__version__


def test_an_opt_out_reaches_the_other_side(project, clock: Clock, tmp_path: Path) -> None:
    """Whatever the type of the audience: who may not be shared any more leaves it at the next look."""
    path = tmp_path / "list.csv"
    path.write_text("external_id\nP001\nP002\nP003\n")
    project.sources.add(DataSource(name="number", key="external_id"))
    project.audiences.import_file(path, source="number", column="external_id", name="Some")
    activations = activations_of(project, clock)
    one = activations.add(Activation(name="out", audience="Some", source="crm", segment="24", to=str(tmp_path / "out")))
    assert activations.run(one).shared == 3
    opted_out = tmp_path / "opted.csv"
    opted_out.write_text("external_id,do_not_share\nP002,true\n")
    project.profiles.import_file(opted_out)
    clock.forward(61)
    assert activations.is_due(one)
    receipt = activations.run(one)
    assert (receipt.shared, receipt.removed) == (2, 1)
