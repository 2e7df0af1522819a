"""Saves rows as audiences, as a workflow would."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from symbolon.records import Receipt
from symbolon.targeting import Content, SaveMode, SaveRequest

PROFILE, UNKNOWN = "profile", ""


def save(project, name: str, rows: pa.Table, *, plan: bool = False, **options: Any) -> Receipt:
    """Save rows: people if they have a `profile_id`, else lines of a file."""
    options = {key: Content(value) if key == "content" else value for key, value in options.items()}
    if "mode" in options:
        options["mode"] = SaveMode(options["mode"])
    request = SaveRequest(audience=name, **options)
    dimension = PROFILE if "profile_id" in rows.column_names else UNKNOWN
    with project.lake.attempt("test") as directory:
        relation = project.engine.relation(rows)
        return project.audiences.library.save(request, relation, dimension=dimension, directory=directory, plan=plan)


def people(numbers, **columns: list[Any]) -> pa.Table:
    numbers = list(numbers)
    return pa.table({"profile_id": pa.array(numbers, pa.int64()), **columns})


def lines(*addresses: str, **columns: list[Any]) -> pa.Table:
    return pa.table({"mail": pa.array(addresses, pa.string()), **columns})


def held(project, name: str, version: int | None = None) -> list[tuple[Any, ...]]:
    """Give what an audience holds, sorted: profile numbers of people, whole lines of a file."""
    audience = project.audiences.show(name)
    if audience.type == "file":
        table = project.audiences.members(name, version=version).to_arrow()
    else:
        table = project.audiences.members(name, columns=["profile_id"], version=version).to_arrow()
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def numbers_of(project) -> dict[str, int]:
    """Give the number of each profile by its external ID."""
    table = project.engine.fetch(project.profiles.current().select("external_id", "profile_id"))
    return {row["external_id"]: row["profile_id"] for row in table.to_pylist()}
