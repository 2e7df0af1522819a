"""A small project with people in it, made once a test session and copied for each test."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from sharing_oracle import PEOPLE, Person

import symbolon


def write_profiles(path: Path, people: list[Person]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email", "mobile_phone", "do_not_share"])
        for person in people:
            writer.writerow([person.external_id, person.email, person.phone, str(person.do_not_share).lower()])
    return path


def write_links(path: Path, people: list[Person]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["visitor_id", "external_id", "last_seen"])
        for person in people:
            for visitor in person.visitors:
                writer.writerow([visitor, person.external_id, "2026-01-01T00:00:00Z"])
    return path


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(write_profiles(folder / "profiles.csv", PEOPLE))
        project.profiles.link_file(write_links(folder / "links.csv", PEOPLE))
    return folder / "project"


@pytest.fixture
def project(people_folder: Path, tmp_path: Path):
    shutil.copytree(people_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as opened:
        yield opened
