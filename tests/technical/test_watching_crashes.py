"""A worker that is killed anywhere leaves what the next one brings to the end of a clean run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from arrivals import members, write_set

from symbolon.records import ArrivalState
from symbolon.technical import Feed

STAMP = 1486140844000
CHILD = """
import os, signal, sys, symbolon
from symbolon.technical.watching import Watcher
from symbolon.technical.tidying import Tidier
from symbolon.sharing import Audiences
place = sys.argv[2]

def die(): os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name, when):
    plain = getattr(owner, name)
    def wrapped(self, *args, **kwargs):
        if place == "before " + name: die()
        result = plain(self, *args, **kwargs)
        if place == "after " + name: die()
        return result
    setattr(owner, name, wrapped)

for owner, name in ((Watcher, "_request"), (Audiences, "import_"), (Tidier, "tidy"), (Tidier, "_moved")):
    after(owner, name, place)
with symbolon.open(sys.argv[1]) as project:
    for _ in range(3):
        project.watcher.look(project.feeds.show("partner"))
"""


@pytest.mark.parametrize(
    "place",
    [
        "before _request",
        "before import_",
        "after import_",
        "before tidy",
        "before _moved",
        "after _moved",
        "after tidy",
    ],
)
@pytest.mark.parametrize("good", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_next_worker_ends_it(project, drop: Path, place: str, good: bool) -> None:
    project.feeds.add(
        Feed(name="partner", transport="drop/", source="crm", segment="24", audience="Arrived", after="archive")
    )
    paths = write_set(drop, STAMP, [[1], [2, 3]])
    if not good:
        paths[1].write_bytes(paths[1].read_bytes().replace(b"6", b"7", 1))
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, str(project.settings.project), place],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    if good or "after import_" not in place:
        assert ended.returncode == -9, ended.stderr
    for _ in range(3):
        project.watcher.look(project.feeds.show("partner"))
    (arrival,) = project.store.arrivals("partner")
    names = {path.name for path in paths}
    folder = "archive" if good else "quarantine"
    assert {path.name for path in drop.iterdir() if path.is_file()} == set()
    there = {path.name for path in (drop / folder).rglob("*") if path.is_file()}
    assert {name for name in there if not name.endswith(".json")} == names
    if good:
        assert arrival.state in (ArrivalState.IMPORTED, ArrivalState.SKIPPED)
        assert members(project) == ["P001", "P002", "P003"]
        assert project.audiences.show("Arrived").version == 1
    else:
        assert arrival.state is ArrivalState.REFUSED
        assert project.audiences.list() == []
