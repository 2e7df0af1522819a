"""A small project for workflows, and the definitions that tests run on it."""

from __future__ import annotations

import csv
from pathlib import Path

import symbolon

#: external_id -> (email, country, opted out of e-mail)
PEOPLE = {
    f"P{number:03d}": (f"p{number}@example.com", "FR" if number % 3 else "DE", number % 5 == 0) for number in range(60)
}


def make(folder: Path) -> Path:
    """Make the project."""
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email", "country", "opt_out_email"])
        for key, (email, country, opted_out) in PEOPLE.items():
            writer.writerow([key, email, country, str(opted_out).lower()])
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(folder / "people.csv")
    return folder / "project"


def wanted() -> set[str]:
    """Give who the workflow below saves."""
    return {key for key, (_, country, opted_out) in PEOPLE.items() if country == "FR" and not opted_out}


def members(project, name: str) -> set[str]:
    """Give the keys of an audience's members."""
    return set(project.audiences.members(name, columns=["external_id"]).to_arrow().column(0).to_pylist())


MONTHLY = """\
name: monthly
activities:
  - {id: willing, type: query, where: NOT opt_out_email}
  - {id: french, type: query, from: willing, where: country = 'FR', keep: true}
  - {id: first, type: save_audience, from: french, audience: First}
  - {id: second, type: save_audience, from: french, audience: Second, mode: create_unique}
  - {id: rest, type: query, from: willing, where: country <> 'FR'}
  - {id: last, type: save_audience, from: rest, audience: Last, content: complete}
"""
