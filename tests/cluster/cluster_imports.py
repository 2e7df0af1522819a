"""Imports by the command line, and what must be equal between two engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_data import Deliveries
    from cluster_project import ClusterProject, Version
    from cluster_report import Report

#: what a delivery becomes
VERSIONS = {"first": "hashed/1", "later": "hashed/2", "sealed": "sealed/1"}


@dataclass(frozen=True)
class Imported:
    """What an engine made of people and deliveries."""

    people: str
    versions: dict[str, Version]
    seconds: dict[str, float]


def import_everything(project: ClusterProject, deliveries: Deliveries, report: Report, engine: str) -> Imported:
    """Import people and three deliveries with the project's engine."""
    done = project.must("profiles", "import", deliveries.people)
    report.say(f"{engine}: people imported in {done.seconds:.1f} s")
    seconds = {}
    for delivery, version in VERSIONS.items():
        seconds[version] = project.must(*project.import_of(delivery, deliveries)).seconds
        report.say(f"{engine}: {delivery} delivery imported in {seconds[version]:.1f} s")
    return Imported(project.people(), project.versions(), seconds)


def assert_equal(report: Report, what: str, found: Version, wanted: Version, seconds: float) -> None:
    """Note how two versions compare, and fail where they differ."""
    differing = found.differing(wanted)
    report.compare(what, seconds, found.receipt["matched"], found.receipt["members"], differing)
    assert found.receipt == wanted.receipt
    assert differing == (0, 0)
    assert found.members == wanted.members
