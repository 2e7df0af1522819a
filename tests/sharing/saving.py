"""Populations to be saved, what an audience has, and saving with a dict: what the real one is compared with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from symbolon.targeting import Content, SaveMode, SaveRequest

PROFILE, LINES = "profile", ""


@dataclass
class Model:
    """A library of audiences. People: profile_id -> columns; lines: how often each stands there."""

    kind: dict[str, str] = field(default_factory=dict)
    people: dict[str, dict[int, dict]] = field(default_factory=dict)
    lines: dict[str, Counter] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)

    def save(self, name: str, mode: str, content: str, dimension: str, rows: list[dict]) -> str | tuple[int, int, int]:
        """Give the code of the error, or members, added and removed."""
        if name not in self.kind and mode == "update":
            return "name.unknown"
        takes_new = mode == "create_or_update" and content == "replace"
        if name in self.kind and not takes_new and self.kind[name] != dimension:
            return "audience.type"
        same = self.kind.get(name) == dimension
        before = (self.people if dimension else self.lines).get(name) if same else None
        gone = 0 if same or name not in self.kind else self.members(name)
        if dimension:
            new = {row["profile_id"]: {key: row[key] for key in row if key != "profile_id"} for row in rows}
            old = before or {}
            after = {**old, **new} if content == "complete" else new
            counts = len(after), len(after.keys() - old.keys()), len(old.keys() - after.keys()) + gone
            self.people[name] = after
        else:
            # a column that a line does not have is null in it
            bag = Counter(tuple(sorted((key, row[key]) for key in row if row[key] is not None)) for row in rows)
            old_bag = before or Counter()
            bag = bag | old_bag if content == "complete" else bag
            counts = bag.total(), (bag - old_bag).total(), (old_bag - bag).total() + gone
            self.lines[name] = bag
        self.kind[name] = dimension
        self.version[name] = self.version.get(name, 0) + 1
        return counts

    def members(self, name: str) -> int:
        return len(self.people[name]) if self.kind[name] else self.lines[name].total()


def save(
    project, name: str, rows: list[dict] | pa.Table, *, dimension: str = PROFILE, plan: bool = False,
    mode: str = "create_or_update", content: str = "replace", **more,
):  # fmt: skip
    """Save rows as an audience."""
    table = rows if isinstance(rows, pa.Table) else as_table(rows, dimension)
    request = SaveRequest(audience=name, mode=SaveMode(mode), content=Content(content), **more)
    with project.lake.attempt("test") as directory:
        relation = project.engine.relation(table)
        return project.audiences.library.save(request, relation, dimension=dimension, directory=directory, plan=plan)


def as_table(rows: list[dict], dimension: str) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row)) or (["profile_id"] if dimension else ["email"])
    types = {name: pa.int64() if name in ("profile_id", "score") else pa.string() for name in names}
    return pa.table({name: pa.array([row.get(name) for row in rows], types[name]) for name in names})


def ids_of(project, *keys: str) -> list[int]:
    """Give the profile_id of people by their external_id."""
    rows = project.engine.fetch(project.profiles.current().select("external_id", "profile_id")).to_pylist()
    known = {row["external_id"]: row["profile_id"] for row in rows}
    return [known[key] for key in keys]


def saved(project, name: str, version: int | None = None) -> list[dict]:
    """Give the rows of an audience as its workflow saved them."""
    audience = project.audiences.show(name)
    columns = None
    if audience.dimension:
        rows = project.audiences.rows(name)
        extra = [one.removeprefix("x_") for one in rows.columns if one.startswith("x_")]
        columns = ["profile_id", *extra]
    return project.audiences.members(name, columns=columns, version=version).to_arrow().to_pylist()


def keys_of(project, name: str, **options) -> list[str]:
    """Give the external_id of an audience's members."""
    return project.audiences.members(name, columns=["external_id"], **options).to_arrow().column(0).to_pylist()
