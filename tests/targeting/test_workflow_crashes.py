"""A process that runs a workflow is killed anywhere; another one goes on: nothing twice, nothing lost."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_shop import INCOMING, MANY, MONTHLY, members, prepare_many, wanted

import symbolon
from symbolon.records import RunState, StepState

PLACES = [
    ("before", "willing"),
    ("inside", "french"),
    ("before", "first"),
    ("inside", "first"),
    ("published", "first"),
    ("noted", "first"),
    ("published", "second"),
    ("inside", "last"),
    ("noted", "last"),
]


def killed(folder: Path, place: str, activity: str, text: str = "MONTHLY") -> None:
    script = Path(__file__).with_name("crashing.py")
    command = [sys.executable, str(script), str(folder), place, activity, text]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr


def seen(project) -> dict[str, tuple[int, frozenset[str]]]:
    """What readers see: each audience, without the moment in its name, its version and its members."""
    return {
        one.name.split("_")[0]: (one.version, frozenset(members(project, one.name))) for one in project.audiences.list()
    }


@pytest.mark.parametrize(("place", "activity"), PLACES)
def test_another_process_goes_on(shop, place: str, activity: str, tmp_path: Path) -> None:
    killed(shop.settings.project, place, activity)
    (run,) = shop.workflows.runs()
    assert shop.workflows.is_interrupted(run)
    ended = shop.workflows.resume(run.id)
    assert ended.state is RunState.DONE
    assert {step.state for step in shop.workflows.steps(run.id)} == {StepState.DONE}
    assert len(shop.audiences.list()) == 3
    once = seen(shop)
    assert {name: version for name, (version, _) in once.items()} == {"First": 1, "Second": 1, "Last": 1}
    assert once["First"][1] == wanted()
    counts = {
        f"{step.step}.{name}": passed["rows"]
        for step in shop.workflows.steps(run.id)
        for name, passed in step.facts["passed"].items()
    }
    clean = tmp_path / "clean"
    subprocess.run(["cp", "-r", str(shop.settings.project), str(clean)], check=True)
    with symbolon.open(clean) as other:
        for one in other.audiences.list():
            other.audiences.delete(one.name)
        done = other.workflows.run(other.workflows.read(MONTHLY))
        assert seen(other) == once
        assert {
            f"{step.step}.{name}": passed["rows"]
            for step in other.workflows.steps(done.id)
            for name, passed in step.facts["passed"].items()
        } == counts


def test_who_only_looks_changes_nothing(shop) -> None:
    """An interrupted run stays what it is, however often somebody looks at it."""
    killed(shop.settings.project, "before", "last")

    def content() -> dict[str, list[str]]:
        found = {}
        for path in shop.settings.project.glob("*.db"):
            with sqlite3.connect(path) as database:
                found[path.name] = list(database.iterdump())
            database.close()
        return found

    shop.close()
    before = content()
    for words in (["list"], ["show", "RUN"], ["list", "--json"]):
        with symbolon.open(shop.settings.project) as project:
            (run,) = project.workflows.runs()
        command = [sys.executable, "-m", "symbolon.cli", "run", *(run.id if word == "RUN" else word for word in words)]
        ended = subprocess.run(
            [*command, "--project", str(shop.settings.project)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert ended.returncode == 0, ended.stderr
        assert "interrupted" in ended.stdout
    assert content() == before


def test_a_second_process_beside_a_live_run_leaves_it_alone(shop) -> None:
    """A worker that comes meanwhile adopts nothing of a process that lives."""
    script = """
import os, sys, symbolon, workflow_shop
from symbolon.targeting.walking import Walk
visit = Walk.visit
def visiting(self, node, before):
    if node.id == "first" and self.mode == "run":
        print("there", flush=True)
        sys.stdin.readline()
    return visit(self, node, before)
Walk.visit = visiting
with symbolon.open(sys.argv[1]) as project:
    project.workflows.run(project.workflows.read(workflow_shop.MONTHLY))
"""
    command = [sys.executable, "-c", script, str(shop.settings.project)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as live:
        assert live.stdout is not None
        assert live.stdin is not None
        assert live.stdout.readline() == "there\n"
        (run,) = shop.workflows.runs()
        assert not shop.workflows.is_interrupted(run)
        assert shop.workflows.work_off() == []
        live.stdin.write("\n")
        live.stdin.flush()
        assert live.wait(timeout=120) == 0
    assert shop.workflows.show_run(run.id).state is RunState.DONE
    assert members(shop, "First") == wanted()
    assert shop.audiences.show("First").version == 1


@pytest.mark.parametrize("place", ["inside", pytest.param("noted", marks=pytest.mark.slow)])
@pytest.mark.parametrize("activity", ["rows", "found", "moved", "split", "pause", "written", "sent", "shared", "saved"])
def test_every_activity_is_done_once(shop, place: str, activity: str) -> None:
    """Files, profiles, shares and draws: what a killed process had done stays done, and is not done again."""
    prepare_many(shop)
    killed(shop.settings.project, place, activity, "MANY")
    (run,) = shop.workflows.runs()
    assert shop.workflows.resume(run.id).state is RunState.DONE
    folder = shop.settings.project
    assert shop.profiles.count == 65
    cities = shop.engine.fetch(shop.profiles.current().filter(lambda p: p.city == "Lyon").select("email"), limit=None)
    assert sorted(cities.column(0).to_pylist()) == sorted(INCOMING)
    (written,) = (folder / "outbox").glob("half_*.csv")
    (sent,) = (folder / "partner").glob("half_*.csv")
    assert sent.read_bytes() == written.read_bytes()
    assert len(written.read_text().splitlines()) == 1 + len(INCOMING) // 2
    lines = [line for path in (folder / "partner" / "in").glob("ftp_dpm_*") for line in path.read_text().splitlines()]
    willing = {one for one in INCOMING if one.startswith("new") or int(one[1:].split("@")[0]) % 5}
    assert sorted(lines) == sorted(f"{hashlib.sha256(one.encode()).hexdigest()}\td_sid=24" for one in willing)
    assert shop.audiences.show("Found").version == 1
    saved = shop.audiences.members("Found", columns=["email"]).to_arrow().column(0).to_pylist()
    assert set(saved) == willing
    assert MANY.startswith("name: many")
