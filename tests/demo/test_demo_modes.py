"""What the demo makes, and a new project, is for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

import symbolon
from symbolon.demo import make_demo


def test_folders_are_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        symbolon.init(tmp_path / "shop").close()
        make_demo(tmp_path / "demo", profiles=10)
    finally:
        os.umask(before)
    for folder in (tmp_path / "shop", *(path for path in (tmp_path / "shop").iterdir() if path.is_dir())):
        assert folder.stat().st_mode & 0o077 == 0, folder
    for name in ("inbox", "people"):
        assert (tmp_path / "demo" / name).stat().st_mode & 0o077 == 0, name
