"""Servers and masters that die or hang, and a worker that sees other paths: a clear word, and nothing published."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest
from cluster_imports import assert_equal
from spark_activity import Application
from spark_cluster import Cluster, can_hide

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cluster_data import Deliveries
    from cluster_imports import Imported
    from cluster_project import ClusterProject, Result
    from cluster_report import Report

pytestmark = pytest.mark.cluster

#: the longest silence, and what the command may need to end; a bound for a busy machine, not a measure
BOUND_S = 240
ENGINE_FAILED = 6


def test_the_connect_server_is_killed(
    cluster: Cluster,
    deliveries: Deliveries,
    expected: Imported,
    report: Report,
    project_of: Callable[[str], ClusterProject],
) -> None:
    with cluster.connect_server() as url:
        project = project_of(url)
        with project.start(*project.import_of("first", deliveries)) as command:
            Application(cluster.connect_ui).wait_for_task(command.runs)
            cluster.stop_connect()
            began = time.monotonic()
            done = command.result()
    assert _error(done, report, "Connect server killed", time.monotonic() - began) == "engine.lost"
    _nothing_published(project)
    cluster.start()
    with cluster.connect_server() as url:
        again = project.must(*project.import_of("first", deliveries), engine=url)
    found = project.versions()["hashed/1"]
    assert_equal(report, "Connect, server killed, run again", found, expected.versions["hashed/1"], again.seconds)


def test_the_connect_server_hangs(
    cluster: Cluster,
    deliveries: Deliveries,
    expected: Imported,
    report: Report,
    project_of: Callable[[str], ClusterProject],
) -> None:
    with cluster.connect_server() as url:
        project = project_of(url)
        with project.start(*project.import_of("first", deliveries)) as command:
            Application(cluster.connect_ui).wait_for_task(command.runs)
            assert cluster.connect is not None
            cluster.connect.signal(signal.SIGSTOP)
            began = time.monotonic()
            done = command.result()
        assert _error(done, report, "Connect server stopped", time.monotonic() - began) == "engine.lost"
        _nothing_published(project)
        began = time.monotonic()
        done = project.run(*project.import_of("first", deliveries))  # it hangs from the first question on
        assert _error(done, report, "Connect server still stopped", time.monotonic() - began) == "engine.unreachable"
        _nothing_published(project)
    by_duckdb = project.must(*project.import_of("first", deliveries), engine="duckdb")
    found = project.versions()["hashed/1"]
    assert_equal(
        report, "DuckDB, after the Connect server hung", found, expected.versions["hashed/1"], by_duckdb.seconds
    )


@pytest.mark.parametrize("hidden", ["lake", "lake/tmp"])
def test_a_worker_sees_other_paths(
    hidden: str,
    cluster: Cluster,
    deliveries: Deliveries,
    expected: Imported,
    report: Report,
    project_of: Callable[[str], ClusterProject],
) -> None:
    if not can_hide():
        pytest.skip("only root may give a process mounts of its own, on Linux")
    project = project_of(cluster.url)
    good = project.run("doctor", "--json")
    assert good.code == 0, good.out
    cluster.kill_worker(next(iter(cluster.workers)))
    blind = cluster.add_worker(hidden=project.folder / hidden)
    try:
        cluster.start()
        report.say(f"{blind.name} has an empty folder of its own at {hidden}: what it writes there nobody else sees")
        told = project.run("doctor", "--json")
        failed = [check for check in json.loads(told.out)["checks"] if check["state"] == "FAIL"]
        report.say(f"doctor: exit code {told.code}; {', '.join(check['detail'] for check in failed)}")
        assert told.code == ENGINE_FAILED
        assert [check["name"] for check in failed] == ["engine"]
        cluster.start()
        done = project.run(*project.import_of("first", deliveries))
        if done.code:  # Spark may also be lucky: a task that cannot read is tried on the other worker
            assert _error(done, report, "import with such a worker", done.seconds) == "engine.paths"
            _nothing_published(project)
        else:
            found = project.versions()["hashed/1"]
            assert_equal(
                report, f"Standalone, a worker without {hidden}", found, expected.versions["hashed/1"], done.seconds
            )
    finally:
        cluster.kill_worker(blind.name)


def test_the_master_goes_and_then_everything(
    deliveries: Deliveries,
    expected: Imported,
    report: Report,
    project_of: Callable[[str], ClusterProject],
    tmp_path: Path,
) -> None:
    with Cluster(tmp_path / "spark") as cluster:
        project = project_of(cluster.url)
        page = Application(project.ui)
        assert cluster.master is not None
        with project.start(*project.import_of("first", deliveries)) as command:
            page.wait_for_task(command.runs)
            cluster.master.kill()
            done = command.result()
        assert done.code == 0, done.err
        report.say(f"the only master killed: the import under way went on, {done.seconds:.1f} s")
        found = project.versions()["hashed/1"]
        assert_equal(report, "Standalone, master killed", found, expected.versions["hashed/1"], done.seconds)
        done = project.run(*project.import_of("later", deliveries))
        assert _error(done, report, "no master any more", done.seconds) == "engine.unreachable"
        for name in list(cluster.workers):
            cluster.kill_worker(name)
        cluster.start()
        with project.start(*project.import_of("later", deliveries)) as command:
            page.wait_for_task(command.runs)
            cluster.master.kill()
            for name in list(cluster.workers):
                cluster.kill_worker(name)
            began = time.monotonic()
            done = command.result()
        assert _error(done, report, "master and workers killed", time.monotonic() - began) == "engine.lost"
        assert list(project.versions()) == ["hashed/1"]
        assert project.left_behind() == []


def _error(done: Result, report: Report, what: str, seconds: float) -> str:
    """Give the code of the error that a command ended with; it has to be clear, in time, and without a traceback."""
    assert done.code == ENGINE_FAILED, (done.code, done.out, done.err)
    error = json.loads(done.err)["error"]
    report.say(f"{what}: after {seconds:.1f} s exit code {done.code}, {error['code']}: {error['summary']}")
    assert done.out == ""
    assert error["hint"]
    assert seconds < BOUND_S
    return str(error["code"])


def _nothing_published(project: ClusterProject) -> None:
    assert project.versions() == {}
    assert project.left_behind() == []
