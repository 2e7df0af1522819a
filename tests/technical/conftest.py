"""A project with a hundred people, and a place where files arrive."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from arrivals import Clock

import symbolon
from symbolon.records import DataSource, Protection


@pytest.fixture(scope="session")
def arrivals_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arrivals")
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email"])
        writer.writerows([f"P{number:03d}", f"p{number}@example.com"] for number in range(100))
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(folder / "people.csv")
        project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256, dpid=7))
    (folder / "project" / "drop").mkdir()
    return folder / "project"


@pytest.fixture
def project(arrivals_folder: Path, tmp_path: Path):
    shutil.copytree(arrivals_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as opened:
        yield opened


@pytest.fixture
def drop(project) -> Path:
    return project.settings.project / "drop"


@pytest.fixture
def clock() -> Clock:
    return Clock()
