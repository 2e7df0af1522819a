"""A small project, made once a test session and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import workflow_shop

import symbolon


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workflow_shop.make(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(shop_folder: Path, tmp_path: Path):
    shutil.copytree(shop_folder, tmp_path / "shop")
    with symbolon.open(tmp_path / "shop") as opened:
        yield opened
