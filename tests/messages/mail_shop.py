"""A small project of people with addresses of every kind, and who of them gets a message."""

from __future__ import annotations

import csv
from pathlib import Path

import symbolon

#: external_id -> email, mobile phone, first name, opted out of: everything, e-mail, SMS
PEOPLE = {
    "A": ("a@example.com", "+33612345671", "Ann", "", "", ""),
    "B": (" A@Example.com", "+33 6 12 34 56 71", "Bob", "", "", ""),
    "C": ("c@example.com", "", "", "", "", ""),
    "D": ("d@example.com", "+33612345672", "Dan", "true", "", ""),
    "E": ("e@example.com", "+33612345673", "Eve", "", "true", ""),
    "F": ("f@example.com", "+33612345674", "Flo", "", "", "true"),
    "G": ("", "", "Gil", "", "", ""),
    "H": ("no address", "12", "Hal", "", "", ""),
    "I": ("i@bücher.example", "0612345675", "Ina\r\nBcc: x@example.com", "", "", ""),
    "J": ("jürgen@example.com", "+33612345676", "<b>Jo</b>", "", "", ""),
}
#: who gets an e-mail, by external ID: the address that a server is told
MAILED = {"A": "a@example.com", "C": "c@example.com", "F": "f@example.com", "I": "i@xn--bcher-kva.example"}
#: and why the others do not
UNMAILED = {
    "B": "duplicate_address", "D": "opt_out_all", "E": "opt_out_email", "G": "no_address", "H": "invalid_address",
    "J": "invalid_address",
}  # fmt: skip


def make(folder: Path) -> Path:
    """Make the project."""
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["external_id", "email", "mobile_phone", "first_name", "opt_out_all", "opt_out_email", "opt_out_sms"]
        )
        writer.writerows([key, *values] for key, values in PEOPLE.items())
    with symbolon.init(folder / "project") as project:
        # in the order of the file, whatever the engine does: the first of two with one address gets it
        project.profiles.import_file(folder / "people.csv")
    return folder / "project"
