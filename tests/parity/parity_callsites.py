"""Where the code asks an engine for rows: found in the source, so that a new place cannot be forgotten."""

from __future__ import annotations

import ast
from pathlib import Path

import symbolon

PACKAGE = Path(symbolon.__file__).parent
ASKING = {"write", "fetch", "count", "batches"}
#: rooms that are engines, or test them
_NOT = ("testing", "lake/duckdb", "lake/spark")


def call_sites() -> dict[tuple[str, int], tuple[str, int]]:
    """Give every call of an engine that asks for rows: file and first line -> last line and what is called."""
    found: dict[tuple[str, int], tuple[str, int]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).as_posix()
        if inside.startswith(_NOT):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
                owner = node.func.value
                name = getattr(owner, "attr", getattr(owner, "id", ""))
                if name.strip("_") == "engine":
                    found[str(path), node.lineno] = (node.func.attr, node.end_lineno or node.lineno)
    return found


def unreached(reached: set[tuple[str, int]]) -> list[str]:
    """Name the places that were never asked from."""
    return [
        f"{Path(file).relative_to(PACKAGE)}:{line} ({what})"
        for (file, line), (what, last) in call_sites().items()
        if not any(place == file and line <= number <= last for place, number in reached)
    ]
