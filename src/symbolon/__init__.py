"""Symbolon: an open, self-hosted audience exchange.

>>> import symbolon
>>> project = symbolon.init("shop")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.app import Project

__version__ = "0.1.0"
__all__ = ["__version__", "init", "open"]


def open(path: str | Path | None = None) -> Project:  # noqa: A001 - symbolon.open reads as it should
    """Open the project in `path`; see `symbolon.app.Project.open`."""
    from symbolon.app import Project  # noqa: PLC0415 - importing symbolon costs nothing

    return Project.open(path)


def init(path: str | Path | None = None) -> Project:
    """Make a project in `path`, or complete it; see `symbolon.app.Project.init`."""
    from symbolon.app import Project  # noqa: PLC0415

    return Project.init(path)
