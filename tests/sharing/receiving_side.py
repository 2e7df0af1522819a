"""The other side as a dict: what inbound files make of it. Slow and plain on purpose.

`.sync` adds and takes away for each user it names; `.overwrite` replaces what a user it names has, and says nothing of
the others.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from pathlib import Path

from symbolon.files.inboundnames import parse_inbound


class Receiver:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.traits: dict[str, set[str]] = defaultdict(set)
        self.seen: list[str] = []

    def read(self) -> set[str]:
        """Apply the files that are new, in the order of their time; give everybody who has trait 24."""
        files = [path for path in self.folder.rglob("ftp_dpm_*") if path.name not in self.seen]
        parsed = {path: parse_inbound(path.name, strict=True) for path in files}
        # what replaces comes before what takes away: both name different people
        for path in sorted(files, key=lambda one: (parsed[one].timestamp, parsed[one].mode, parsed[one].split or 0)):
            self.apply(path)
            self.seen.append(path.name)
        return {user for user, traits in self.traits.items() if "24" in traits}

    def apply(self, path: Path) -> None:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.name.endswith(".gz") else data).decode()
        assert text, "an empty file is invalid"
        assert text.endswith("\n")
        given: dict[str, set[str]] = defaultdict(set)
        for line in text[:-1].split("\n"):
            user, items = line.split("\t")
            for item in items.split(","):
                key, value = item.split("=")
                if parse_inbound(path.name).mode == "overwrite":
                    assert key == "d_sid", "`d_unsid` means nothing in an overwrite file"
                    given[user].add(value)
                elif key == "d_sid":
                    self.traits[user].add(value)
                else:
                    assert key == "d_unsid"
                    self.traits[user].discard(value)
        for user, traits in given.items():
            self.traits[user] = traits


def share(project, numbers, *, mode="add", audience="s", source="crm", directory="one", plan=False, **options):
    """Share profiles by their external ids."""
    from symbolon.targeting import ShareMode, ShareRequest

    people = project.profiles.current()
    chosen = people.filter(people.external_id.isin([f"C{number}" for number in numbers] or ["-"]))
    given = {"segment": "24", "to": "./out"} | options
    request = ShareRequest(audience=audience, source=source, mode=ShareMode(mode), **given)
    with project.lake.attempt(directory) as folder:
        shared = project.audiences.exporter.share(request, chosen.select("profile_id"), directory=folder, plan=plan)
        names = project.profiles.current().select("profile_id", "external_id")
        people = project.engine.fetch(shared.people.inner_join(names, "profile_id"))["external_id"].to_pylist()
        lacking = project.engine.fetch(shared.complement.inner_join(names, "profile_id")).to_pylist()
    assert shared.receipt.faults() == []
    return shared.receipt, set(people), {row["external_id"]: row["reason"] for row in lacking}


def out(project) -> Path:
    return project.settings.project / "out"
