"""A small project for workflows, and the definitions that tests run on it."""

from __future__ import annotations

import csv
from pathlib import Path

import symbolon
from symbolon.records import DataSource, Protection

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


MANY = """\
name: many
activities:
  - {id: rows, type: load_file, file: new.csv}
  - {id: found, type: reconciliation, from: rows, keys: [{column: email, field: email}], create_profiles: true}
  - {id: moved, type: update_data, from: found, operation: update, key: email, set: {city: "'Lyon'"}}
  - {id: split, type: segmentation, from: found, segments: [{name: half, limit: 50%}]}
  - {id: pause, type: wait, from: split.half, for: 1s}
  - {id: written, type: extract_file, from: pause, file: half.csv, columns: {id: external_id, email: email}}
  - {id: sent, type: transfer_file, from: written, action: upload, transport: partner, file: "half_*.csv"}
  - {id: shared, type: save_audience, from: found, mode: share, audience: Found, source: crm, segment: "24",
     to: partner/in, share_mode: sync}
  - {id: saved, type: save_audience, from: shared, audience: Found}
"""
#: rows of the file that MANY loads: twenty known, five unknown
INCOMING = [f"p{number}@example.com" for number in range(1, 40, 2)] + [
    f"new{number}@example.com" for number in range(5)
]


def prepare_many(project) -> None:
    """Give the project what MANY needs: a file, a place, a data source."""
    inbox = project.settings.project / "inbox" / "new.csv"
    inbox.write_text("email\n" + "".join(f"{one}\n" for one in INCOMING), encoding="utf-8")
    (project.settings.project / "partner").mkdir()
    project.transports.add("partner", "partner/")
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256, dpid=7))
