"""Stores on a server: `database` is an empty database of one test (see `tests/postgres.py`)."""

from __future__ import annotations

import os

import pytest

from postgres import database, server

__all__ = ["database", "server"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person's own database or project."""
    for name in [
        name for name in os.environ if name.startswith("PG") or name in ("SYMBOLON_STORE", "SYMBOLON_PROJECT")
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSFILE", os.devnull)
