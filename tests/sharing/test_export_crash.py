"""A real kill -9 at each point of an export: what is done again ends as if nothing had happened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from receiving_side import Receiver, out, share

import symbolon
from symbolon.errors import TransportError
from symbolon.lake import LockHeld
from symbolon.records import DataSource, Protection, RunState
from symbolon.sharing import locks, shares
from symbolon.transports import TransportUnreachable
from symbolon.transports.local import LocalTransport

RUN = "20260131T101500000000-1a2b3c/share"
#: a child that shares, and is killed at one point
CHILD = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import symbolon
from receiving_side import share
from symbolon.sharing import exporting, shares
from symbolon.transports.local import LocalTransport

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def nth(owner, name, number, after=False):
    original, calls = getattr(owner, name), []
    def wrapped(*given, **options):
        calls.append(1)
        if len(calls) == number and not after:
            die()
        result = original(*given, **options)
        if len(calls) == number:
            die()
        return result
    setattr(owner, name, wrapped)

POINTS = {{
    "before it is written down": lambda: nth(shares.Shares, "move", 1),
    "before the first file": lambda: nth(LocalTransport, "put", 1),
    "between two files": lambda: nth(LocalTransport, "put", 2),
    "before the state moves": lambda: nth(shares.Shares, "move", 2),
    "before the run is noted": lambda: nth(exporting.Exporter, "_noted", 1),
}}
POINTS[sys.argv[2]]()
with symbolon.open(sys.argv[1]) as project:
    share(project, [2, 3, 10], mode="replace", run_id={RUN!r}, options={{"gzip": "yes"}})
"""
POINTS = [
    "before it is written down",
    "before the first file",
    "between two files",
    "before the state moves",
    "before the run is noted",
]


@pytest.fixture(scope="module")
def shared_folder(people_folder, tmp_path_factory):
    """A project that has shared C1 and C2, with ciphertexts that no second encryption would give again."""
    folder = tmp_path_factory.mktemp("shared") / "project"
    shutil.copytree(people_folder, folder)
    with symbolon.open(folder) as project:
        source = DataSource(name="crm", key="email", protection=Protection.AES_CBC, iv_prefixed=True, dpid=33)
        project.sources.add(source, key=bytes(16))
        share(project, [1, 2], mode="sync")
    return folder


def state_of(project):
    table = project.lake.table("shares/1/rows")
    facts = project.store.state("shares/1").facts
    rows = project.engine.scan(table.files(facts["rows"]), table.schema(facts["rows"]))
    ids = project.engine.fetch(rows.select("profile_id", "id")).to_pylist()
    return facts, {(row["profile_id"], row["id"]) for row in ids}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("again", ["the same run", "another run"])
def test_a_kill_at_any_point_then_again(shared_folder, tmp_path, point, again):
    folder = tmp_path / "project"
    shutil.copytree(shared_folder, folder)
    child = subprocess.run([sys.executable, "-c", CHILD, str(folder), point], check=False)
    assert child.returncode == -signal.SIGKILL
    with symbolon.open(folder) as project:
        side = Receiver(out(project))
        run_id = RUN if again == "the same run" else "20260131T101600000000-ffffff/share"
        receipt, people, _ = share(project, [2, 3, 10], mode="replace", run_id=run_id, options={"gzip": "yes"})
        names = Counter(path.name.split(".", 1)[1] for path in out(project).iterdir())
        facts, ids = state_of(project)
        # exactly what we think it has, by the very ciphertexts
        assert side.read() == {text for _, text in ids}
        assert people == {"C2", "C3", "C10"}
        assert (len(ids), facts.get("pending"), receipt.faults()) == (3, None, [])
        once = again == "the same run" or point == "before it is written down"
        assert names == {"sync": 1, "overwrite.gz": 1 if once else 2, "sync.gz": 1}
        if once:
            assert (receipt.added, receipt.removed, receipt.kept, receipt.version) == (2, 1, 1, 2)
            assert [file["records"] for file in receipt.files] == [3, 1]
        else:
            assert (receipt.added, receipt.removed, receipt.kept, receipt.version) == (0, 0, 3, 3)
        done = {one.id: one for one in project.store.runs(100) if one.work == "audience export"}
        assert done[run_id].state is RunState.DONE
        if point != "before it is written down":
            assert done[RUN].state is RunState.DONE
            assert done[RUN].facts["receipt"]["version"] == 2


def test_the_same_run_again_changes_nothing(shared_folder, tmp_path):
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        first = share(project, [2, 3], mode="sync", run_id=RUN)
        share(project, [2, 3, 10], mode="sync", run_id="another")
        before = sorted(out(project).iterdir()), state_of(project)
        assert share(project, [2, 3], mode="sync", run_id=RUN) == first
        assert (sorted(out(project).iterdir()), state_of(project)) == before


def test_a_transport_that_dies_in_the_middle(shared_folder, tmp_path, monkeypatch):
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        side = Receiver(out(project))
        before = side.read()
        put, calls = LocalTransport.put, []

        def broken(transport, source, name, **options):
            calls.append(name)
            if len(calls) == 2:
                raise TransportUnreachable("gone")
            return put(transport, source, name, **options)

        with monkeypatch.context() as patch:
            patch.setattr(LocalTransport, "put", broken)
            with pytest.raises(TransportError):
                share(project, [2, 3, 10], mode="replace", run_id=RUN)
        assert project.store.run(RUN).state is RunState.FAILED
        receipt, *_ = share(project, [2, 3, 10], mode="replace", run_id=RUN)
        assert [file["name"] for file in receipt.files] == calls
        assert side.read() == {text for _, text in state_of(project)[1]}
        assert len(side.read() & before) == 1
        assert project.store.run(RUN).state is RunState.DONE


def test_what_surely_did_not_arrive_is_not_owed(shared_folder, tmp_path, monkeypatch):
    shutil.copytree(shared_folder, tmp_path / "project")

    def refused(*_, **__):
        raise TransportUnreachable("no")

    with symbolon.open(tmp_path / "project") as project:
        with monkeypatch.context() as patch:
            patch.setattr(LocalTransport, "put", refused)
            with pytest.raises(TransportError):
                share(project, [2, 3], mode="sync")
        assert state_of(project)[0].get("pending") is None
        receipt, *_ = share(project, [2, 11], mode="sync", to="./elsewhere")  # nothing of the first is in the way
        assert (receipt.added, receipt.removed, len(list(out(project).iterdir()))) == (1, 1, 1)
        assert any("another place" in one for one in receipt.warnings)


def test_two_at_once_are_one_after_the_other(shared_folder, tmp_path):
    shutil.copytree(shared_folder, tmp_path / "project")
    folder = tmp_path / "project"
    failed = []

    def one(numbers, directory):
        try:
            with symbolon.open(folder) as project:
                share(project, numbers, mode="sync", directory=directory, force=True)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [
        threading.Thread(target=one, args=(numbers, name)) for numbers, name in (([2, 3, 10], "a"), ([3, 11], "b"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with symbolon.open(folder) as project:
        assert project.store.state("shares/1").facts["version"] == 3
        assert Receiver(out(project)).read() == {text for _, text in state_of(project)[1]}


def test_whoever_waits_in_vain_is_told(shared_folder, tmp_path, monkeypatch):
    shutil.copytree(shared_folder, tmp_path / "project")
    monkeypatch.setattr(shares, "LOCK_WAIT_S", 0.05)
    assert locks.LOCK_WAIT_S == 30
    with symbolon.open(tmp_path / "project") as project:
        kept = shares.Shares(settings=project.settings, store=project.store, lake=project.lake)
        with kept.lock("s"), pytest.raises(LockHeld) as held:
            share(project, [1], mode="sync")
        assert "an export to shared audience `s`" in held.value.summary
        share(project, [1], mode="sync", audience="another", segment="25")


def test_names_are_never_used_twice(shared_folder, tmp_path):
    """Two shares in one second, and a file of somebody else under the next name."""
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        share(project, [3], mode="add", run_id=RUN)
        newest = max(int(path.name.split("_")[3][:10]) for path in out(project).iterdir())
        (out(project) / f"ftp_dpm_33_{newest + 1}.sync").write_text("theirs\td_sid=9\n")
        share(project, [10], mode="add", run_id=RUN + "2")
        stamps = {int(path.name.split("_")[3][:10]) for path in out(project).iterdir()}
        assert stamps >= {newest, newest + 1, newest + 2}
