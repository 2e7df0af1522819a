"""Profiles as a dict: one row at a time, one value at a time. What the real ones are compared with."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FIELDS = ("external_id", "email", "mobile_phone", "city")
ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
ADDRESSES = ("email", "mobile_phone")


@dataclass
class Outcome:
    """The counts of one upsert."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass
class People:
    """All profiles: field -> value, without those that are empty."""

    profiles: list[dict[str, str]] = field(default_factory=list)

    def upsert(self, rows: list[dict[str, str]], key: str = "external_id") -> Outcome:
        """Put rows in; all rows have the same fields, an empty value clears."""
        outcome = Outcome()
        seen: set[str] = set()
        accepted = []
        for row in rows:
            wanted = compared(row[key], key)
            if not row[key] or not wanted:
                outcome.rejected["missing_key"] += 1
            elif wanted in seen:
                outcome.rejected["duplicate_key"] += 1
            else:
                seen.add(wanted)
                accepted.append((row, wanted))
        there = list(self.profiles)
        for row, wanted in accepted:
            found = [one for one in there if compared(one.get(key, ""), key) == wanted]
            if len(found) > 1:
                outcome.rejected["ambiguous_key"] += 1
            elif not found:
                outcome.created += 1
                self.profiles.append({name: value for name, value in row.items() if value})
            else:
                after = {**found[0], **row}
                after = {name: value for name, value in after.items() if value}
                if after == found[0]:
                    outcome.unchanged += 1
                else:
                    outcome.updated += 1
                    # by its place: two profiles may be equal, and both stay
                    place = next(n for n, one in enumerate(self.profiles) if one is found[0])
                    self.profiles[place] = after
        # what a row matched is what was there before the file: no row sees another one of its file
        return outcome

    def digests(self, name: str, algorithm: str) -> Counter[tuple[str, str]]:
        """Count (external_id, hexadecimal digest) of all profiles that have a value."""
        found: Counter[tuple[str, str]] = Counter()
        for one in self.profiles:
            value = normal(one.get(name, ""), name)
            if value:
                found[one.get("external_id", ""), hashlib.new(algorithm, value.encode()).hexdigest()] += 1
        return found


def compared(value: str, key: str) -> str:
    return value.strip(" ") if key in ADDRESSES else value


def normal(value: str, name: str) -> str:
    value = value.strip()
    if name == "email":
        return value.lower()
    if name == "mobile_phone":
        return value if re.fullmatch(r"\+[1-9][0-9]{6,14}", value) else ""
    return value


def plain(rows: list[dict[str, Any]]) -> list[tuple[tuple[str, Any], ...]]:
    """Give rows as sorted tuples without what is empty."""
    return sorted(tuple(sorted((name, one) for name, one in row.items() if one not in ("", None))) for row in rows)
