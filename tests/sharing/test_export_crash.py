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
from symbolon.files.inbound import Limits
from symbolon.lake import LockHeld
from symbolon.records import DataSource, Protection, RunState
from symbolon.sharing import locks, shares
from symbolon.sharing.errors import TransportInUse
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
    "before anything is begun": lambda: nth(shares.Shares, "move", 2),
    "before the first file": lambda: nth(LocalTransport, "put", 1),
    "before the first file is noted": lambda: nth(shares.Shares, "move", 3),
    "between two files": lambda: nth(LocalTransport, "put", 2),
    "before the state moves": lambda: nth(shares.Shares, "move", 5),
    "before the run is noted": lambda: nth(exporting.Exporter, "_noted", 1),
}}
POINTS[sys.argv[2]]()
with symbolon.open(sys.argv[1]) as project:
    share(project, [2, 3, 10], mode="replace", run_id={RUN!r}, options={{"gzip": "yes"}})
"""
POINTS = [
    "before it is written down",
    "before anything is begun",
    "before the first file",
    "before the first file is noted",
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
        error = TransportUnreachable("no")
        error.may_have_arrived = False
        raise error

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


@pytest.mark.parametrize("killed_after", [1, 2])
def test_a_receiver_that_takes_files_at_once(shared_folder, tmp_path, monkeypatch, killed_after):
    """What arrived is known, so it is not sent again though nothing of it is there any more."""

    class Killed(BaseException):
        pass

    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        put, calls, taken = LocalTransport.put, [], Receiver(tmp_path / "taken")
        shutil.move(out(project), taken.folder)
        taken.read()

        def and_taken(transport, source, name, **options):
            if len(calls) == killed_after:
                calls.append("")
                raise Killed
            calls.append(name)
            done = put(transport, source, name, **options)
            shutil.move(out(project) / name, taken.folder)
            return done

        monkeypatch.setattr(LocalTransport, "put", and_taken)
        move, moves = shares.Shares.move, []

        def once(kept, share, state):
            moves.append(state.pending)
            if killed_after == 2 and len(moves) == 5:
                raise Killed
            return move(kept, share, state)

        monkeypatch.setattr(shares.Shares, "move", once)
        with pytest.raises(Killed):
            share(project, [2, 3, 10], mode="replace", run_id=RUN)
        receipt, *_ = share(project, [2, 3, 10], mode="replace", run_id=RUN)
        names = [name for name in calls if name]
        assert [file["name"] for file in receipt.files] == names
        assert len(names) == len(set(names)) == 2
        assert taken.read() == {text for _, text in state_of(project)[1]}


def test_a_file_of_somebody_else_is_never_ours(shared_folder, tmp_path, monkeypatch):
    """It came between the look and the put, with the same name and the same size."""
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        side = Receiver(out(project))
        before = side.read()
        put, calls = LocalTransport.put, []

        def planted(transport, source, name, **options):
            calls.append(name)
            if len(calls) == 1:
                text = source.read_bytes().replace(b"=24", b"=99")
                (out(project) / name).write_bytes(text)
            return put(transport, source, name, **options)

        monkeypatch.setattr(LocalTransport, "put", planted)
        receipt, *_ = share(project, [1, 2, 3], mode="sync")
        assert len(calls) == 2
        assert receipt.files[0]["name"] == calls[1] != calls[0]
        assert side.read() > before
        assert side.read() == {text for _, text in state_of(project)[1]}


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_taken_name_of_a_delivery_that_was_begun(shared_folder, tmp_path, monkeypatch, is_ours):
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        side = Receiver(out(project))
        side.read()
        put, calls = LocalTransport.put, []

        def lost(transport, source, name, **options):
            calls.append(name)
            if is_ours:
                put(transport, source, name, **options)
            else:
                (out(project) / name).write_bytes(source.read_bytes().replace(b"=24", b"=99"))
            raise TransportUnreachable("the answer was lost")

        with monkeypatch.context() as patch:
            patch.setattr(LocalTransport, "put", lost)
            with pytest.raises(TransportError):
                share(project, [1, 2, 3], mode="sync", run_id=RUN)
        assert state_of(project)[0]["pending"]["begun"]
        receipt, *_ = share(project, [1, 2, 3], mode="sync", run_id=RUN)
        assert (receipt.files[0]["name"] == calls[0]) is is_ours
        assert side.read() == {text for _, text in state_of(project)[1]}


def test_every_name_of_a_delivery_is_looked_at(shared_folder, tmp_path):
    """Those of the splits, and of the `.sync` beside the `.overwrite`."""
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        project.audiences.exporter._limits = Limits(plain=200)
        side = Receiver(out(project))
        side.read()
        share(project, [1, 2], mode="add", audience="other", segment="25", run_id=RUN)
        newest = max(int(path.name.split("_")[3][:10]) for path in out(project).iterdir())
        for step, name in enumerate(("overwrite.2", "sync"), start=1):
            (out(project) / f"ftp_dpm_33_{newest + step}.{name}").write_text("theirs\td_sid=9\n")
        receipt, *_ = share(project, [2, 3, 10], mode="replace", run_id=RUN + "2")
        assert {file["name"].split("_")[3][:10] for file in receipt.files} == {str(newest + 3)}
        assert len(receipt.files) == 4


def say_no(project, number):
    file = project.settings.project / "said_no.csv"
    file.write_text(f"external_id,do_not_share\nC{number},true\n")
    project.profiles.import_file(file)


def everything_sent(project):
    return [line for path in sorted(out(project).iterdir()) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("mode", ["add", "sync", "replace"])
@pytest.mark.parametrize("begun", [False, True])
def test_whoever_says_no_after_a_crash(people_folder, tmp_path, monkeypatch, mode, begun):
    """In no file if nothing was begun; else in the one that arrived before, and taken away by what follows."""

    class Killed(BaseException):
        pass

    shutil.copytree(people_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        project.sources.add(DataSource(name="crm", key="external_id", dpid=33))
        side = Receiver(out(project))
        share(project, [1, 10], mode=mode)
        side.read()
        project.audiences.exporter._limits = Limits(plain=14)  # a file each
        put, calls = LocalTransport.put, []

        def killed(transport, source, name, **options):
            calls.append(name)
            if len(calls) == 3:
                raise Killed
            return put(transport, source, name, **options)

        move = shares.Shares.move

        def too_early(kept, given, state):
            if state.pending is not None and state.pending.begun:
                raise Killed
            return move(kept, given, state)

        with monkeypatch.context() as patch:
            if begun:
                patch.setattr(LocalTransport, "put", killed)
            else:
                patch.setattr(shares.Shares, "move", too_early)
            with pytest.raises(Killed):
                share(project, [1, 2, 3, 11, 12], mode=mode, run_id=RUN, force=True)
        sent = everything_sent(project)
        for number in (1, 2, 3, 11, 12):
            if f"C{number}\td_sid=24" in sent or number == 12:
                say_no(project, number)
                said_no = {"C12", f"C{number}"}
        before = len(everything_sent(project))
        side.read()
        _, people, _ = share(project, [2, 3, 11], mode=mode, run_id="another", force=True)
        later = everything_sent(project)[before:]
        assert side.read() & said_no == set()
        assert "C12\td_sid=24" not in everything_sent(project)
        assert not people & said_no
        assert side.read() == {row["id"] for row in ids_of(project)}
        assert project.store.run(RUN).state is (RunState.DONE if begun else RunState.FAILED)
        if begun:
            told = project.store.run(RUN).facts["receipt"]
            assert sum(told["withheld"].values()) >= 1
            assert told["population"] == told["shared"] + sum(told["withheld"].values())
        assert later or mode == "add"


def ids_of(project):
    table = project.lake.table("shares/1/rows")
    facts = project.store.state("shares/1").facts
    rows = project.engine.scan(table.files(facts["rows"]), table.schema(facts["rows"]))
    return project.engine.fetch(rows.select("id")).to_pylist()


def test_add_takes_away_whoever_said_no(project):
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256, dpid=33))
    side = Receiver(out(project))
    share(project, [1, 2, 3])
    first = side.read()
    say_no(project, 2)
    receipt, people, lacking = share(project, [1, 2])
    assert (receipt.added, receipt.removed, receipt.kept, people, lacking) == (
        0, 1, 1, {"C1"}, {"C2": "do_not_share"},
    )  # fmt: skip
    assert len(side.read()) == 2
    assert side.read() < first
    assert share(project, [1, 2])[0].unchanged


@pytest.mark.parametrize("to", ["partner", "partner/in", "file"])
def test_a_transport_that_a_delivery_needs_stays(shared_folder, tmp_path, monkeypatch, to):
    shutil.copytree(shared_folder, tmp_path / "project")
    with symbolon.open(tmp_path / "project") as project:
        url = (tmp_path / "partner").as_uri()
        project.transports.add("partner", url)
        project.transports.add("partner2", "./elsewhere")
        place = f"{url}/in" if to == "file" else to

        def lost(*_, **__):
            raise TransportUnreachable("the answer was lost")

        with monkeypatch.context() as patch:
            patch.setattr(LocalTransport, "put", lost)
            with pytest.raises(TransportError):
                share(project, [2, 3], mode="sync", to=place)
        project.transports.delete("partner2")
        with pytest.raises(TransportInUse, match="`s` to transport `partner`"):
            project.transports.delete("partner")
        share(project, [2, 3], mode="sync", to=place)
        project.transports.delete("partner")
