"""One cluster for all tests of this folder; what a test killed is brought back before the next."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster_data import Deliveries, make_deliveries
from cluster_imports import Imported, import_everything
from cluster_project import ClusterProject
from cluster_report import Report
from spark_cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: people, and hashes of a delivery
ROWS = 200_000
REPORT = "SYMBOLON_CLUSTER_REPORT"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", help=f"file for the table and the log; also {REPORT}")


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    found = Report()
    yield found
    print(f"\n{found.table()}")
    file = request.config.getoption("--report") or os.environ.get(REPORT)
    if file:
        found.write(Path(file))


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SYMBOLON_") and name != REPORT]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory, report: Report) -> Iterator[Cluster]:
    began = time.monotonic()
    with Cluster(tmp_path_factory.mktemp("spark")) as cluster:
        report.say(f"a master and 2 workers of 1 core and 1 GB, up in {time.monotonic() - began:.0f} s")
        yield cluster


@pytest.fixture
def cluster(whole_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A master and two workers that nobody uses."""
    whole_cluster.start()
    failed = request.session.testsfailed
    yield whole_cluster
    whole_cluster.stop_connect()
    if request.session.testsfailed > failed:
        print(whole_cluster.tails())


@pytest.fixture(scope="session")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    return make_deliveries(tmp_path_factory.mktemp("deliveries"), ROWS)


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory, deliveries: Deliveries, report: Report) -> Imported:
    """What DuckDB makes of it."""
    project = ClusterProject(tmp_path_factory.mktemp("expected") / "project")
    imported = import_everything(project, deliveries, report, "DuckDB")
    for name, version in sorted(imported.versions.items()):
        receipt, seconds = version.receipt, imported.seconds[name]
        report.compare(f"DuckDB, {name}", seconds, receipt["matched"], receipt["members"], version.differing(version))
    return imported


@pytest.fixture
def project_of(tmp_path: Path, deliveries: Deliveries) -> Callable[[str], ClusterProject]:
    """Make a project of an engine, with the people in it."""

    def made(engine: str) -> ClusterProject:
        project = ClusterProject(tmp_path / "project", engine)
        project.must("profiles", "import", deliveries.people, engine="duckdb")
        return project

    return made
