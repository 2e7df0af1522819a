"""A fresh project for each test: making one is cheap."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbolon


@pytest.fixture
def project(tmp_path: Path):
    with symbolon.init(tmp_path / "project") as opened:
        yield opened


@pytest.fixture
def put(project, tmp_path: Path):
    """Import text as a file."""

    def importing(text: str | bytes, name: str = "people.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return project.profiles.import_file(path, **options)

    return importing
