"""A real cluster and a Connect server give the rows that DuckDB gives; so they do when a worker dies in the middle."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from cluster_imports import VERSIONS, assert_equal, import_everything
from cluster_project import ClusterProject
from spark_activity import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cluster_data import Deliveries
    from cluster_imports import Imported
    from cluster_report import Report
    from spark_cluster import Cluster

pytestmark = pytest.mark.cluster

WAYS = ("Standalone", "Connect")


@contextlib.contextmanager
def _engine(way: str, cluster: Cluster, report: Report) -> Iterator[str]:
    if way == "Standalone":
        yield cluster.url
        return
    with cluster.connect_server() as url:
        report.say("a Connect server is up")
        yield url


@pytest.mark.parametrize("way", WAYS)
def test_the_same_rows(
    way: str, cluster: Cluster, deliveries: Deliveries, expected: Imported, report: Report, tmp_path: Path
) -> None:
    with _engine(way, cluster, report) as engine:
        found = import_everything(ClusterProject(tmp_path / "project", engine), deliveries, report, way)
    for name in VERSIONS.values():
        assert_equal(report, f"{way}, {name}", found.versions[name], expected.versions[name], found.seconds[name])
    assert found.versions.keys() == expected.versions.keys()
    assert found.people == expected.people


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_dies_in_the_middle(
    way: str,
    cluster: Cluster,
    deliveries: Deliveries,
    expected: Imported,
    report: Report,
    project_of: Callable[[str], ClusterProject],
) -> None:
    with _engine(way, cluster, report) as engine:
        project = project_of(engine)
        page = Application(project.ui if way == "Standalone" else cluster.connect_ui)
        lost = 0
        with project.start(*project.import_of("first", deliveries)) as command:
            kill = page.kill_worker_in_the_middle(cluster, command.runs)
            report.say(f"{way}: {kill.worker} killed with {kill.tasks} task in flight on executor {kill.executor}")
            while command.runs():
                lost = max(lost, page.failed_tasks())
            done = command.result()
        lost = max(lost, page.failed_tasks())
    assert done.code == 0, done.err
    assert lost >= kill.tasks
    report.say(f"{way}: {lost} lost task run again on the other worker; imported in {done.seconds:.1f} s")
    found = project.versions()
    assert list(found) == ["hashed/1"]
    assert_equal(report, f"{way}, a worker killed", found["hashed/1"], expected.versions["hashed/1"], done.seconds)
    assert project.left_behind() == []
