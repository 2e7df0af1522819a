"""The project of `mail_shop`, made once a session and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mail_shop import make

import symbolon
from symbolon.transports import Retrying


@pytest.fixture(scope="session")
def mail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("mailshop"))


@pytest.fixture
def folder(mail_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(mail_folder, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def project(folder: Path):
    with symbolon.open(folder) as opened:
        opened.senders._retrying = Retrying(attempts=3, first_s=0.01, most_s=0.02)
        yield opened
