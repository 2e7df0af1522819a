"""A project whose control records are in PostgreSQL: several processes at once, and a server that goes away meanwhile.

Everything here is a command as a person types it; the store's URL, with its password, stands in the environment.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import symbolon
from postgres import Server, new_database, running, skip_where_there_is_none
from symbolon.errors import SymbolonError
from symbolon.records import DataSource, Protection
from symbolon.settings import SettingsError

COMMAND = str(Path(sys.executable).with_name("symbolon"))


def digest(number: int) -> str:
    return hashlib.sha256(f"person{number}@example.com".encode()).hexdigest()


def deliver(folder: Path, people: range, *, moment: int = 1486140844000) -> Path:
    """Write a file that names `people`; from 100 on nobody knows them."""
    folder.mkdir(exist_ok=True)
    path = folder / f"S3_1_2_full_{moment}.sync"
    path.write_text("".join(f"{digest(number)} 24\n" for number in people))
    return path


def make_project(folder: Path) -> Path:
    with symbolon.init(folder / "shop") as project:
        people = folder / "people.csv"
        with people.open("w", newline="") as file:
            csv.writer(file).writerows([("external_id", "email"), *((n, f"person{n}@example.com") for n in range(100))])
        project.profiles.import_file(people)
        project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256))
    return folder / "shop"


@pytest.fixture
def shop(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYMBOLON_STORE", database)
    return make_project(tmp_path)


def start(shop: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [COMMAND, *map(str, arguments), "--project", str(shop), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start_import(shop: Path, file: Path, name: str) -> subprocess.Popen[str]:
    return start(shop, "audience", "import", file, "--source", "crm", "--segment", "24", "--name", name)


def finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    found = json.loads(out)
    return found[0] if isinstance(found, list) else found


def test_four_processes_import_four_audiences(shop: Path, tmp_path: Path) -> None:
    for turn in (1, 2):
        files = {
            f"audience-{n}": deliver(tmp_path / f"in{n}", range(n, 90 + 5 * turn + n), moment=1486140844000 + turn)
            for n in range(4)
        }
        processes = {name: start_import(shop, file, name) for name, file in files.items()}
        receipts = {name: finish(process) for name, process in processes.items()}
        assert {name: receipt["version"] for name, receipt in receipts.items()} == dict.fromkeys(files, turn)
    with symbolon.open(shop) as project:
        for n in range(4):
            versions = project.audiences.versions(f"audience-{n}")
            assert [version.version for version in versions] == [2, 1]
            for version, turn in zip(versions, (2, 1), strict=True):
                ids, members = 90 + 5 * turn, min(100, 90 + 5 * turn + n) - n
                counted = (version.receipt.received, version.receipt.matched, version.members)
                assert counted == (ids, members, members)
            rows = project.audiences.members(f"audience-{n}")
            assert rows.count() == 100 - n
        runs = [run for run in project.store.runs() if run.work == "audience import"]
        assert sorted(run.state.value for run in runs) == ["done"] * 8


def test_imports_into_one_audience_follow_each_other(shop: Path, tmp_path: Path) -> None:
    files = [deliver(tmp_path / f"in{n}", range(10 + n), moment=1486140844000) for n in range(3)]
    receipts = [finish(process) for process in [start_import(shop, file, "one") for file in files]]
    assert sorted(receipt["version"] for receipt in receipts) == [1, 2, 3]
    with symbolon.open(shop) as project:
        versions = project.audiences.versions("one")
        assert [version.version for version in versions] == [3, 2, 1]
        last = next(receipt for receipt in receipts if receipt["version"] == 3)
        assert project.audiences.members("one").count() == last["members"] == versions[0].members
        assert sum(version.receipt.added - version.receipt.removed for version in versions) == last["members"]


def test_doctor_and_upgrade(shop: Path, database: str) -> None:
    for arguments in (["doctor"], ["upgrade"], ["source", "list"]):
        done = subprocess.run(
            [COMMAND, *arguments, "--project", shop], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "canary" not in done.stdout + done.stderr
        if arguments == ["doctor"]:
            line = next(line for line in done.stdout.splitlines() if " store " in line)
            assert line.startswith("PASS")
            assert "PostgreSQL 127.0.0.1 port " in line
            assert "schema 0002" in line


def test_a_password_in_the_projects_file(shop: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = f'store = "{database}"\n'
    (shop / "symbolon.toml").write_text(written)
    for variable in (database, None):
        if variable is None:
            monkeypatch.delenv("SYMBOLON_STORE")
        for arguments in (["audience", "list"], ["upgrade"], ["doctor"]):
            done = subprocess.run(
                [COMMAND, *arguments, "--project", shop], capture_output=True, text=True, check=False, timeout=120
            )
            shown = done.stdout + done.stderr
            assert done.returncode == 2, shown
            for word in ("symbolon.toml", "PGPASSWORD", "SYMBOLON_STORE", ".pgpass"):
                assert word in shown, shown
            assert "canary" not in shown
    with pytest.raises(SettingsError, match="PGPASSWORD"):
        symbolon.init(shop)
    secret = database.split("@", maxsplit=1)[0].rsplit(":", maxsplit=1)[1]
    (shop / "symbolon.toml").write_text(written.replace(f":{secret}@", "@"))
    monkeypatch.setenv("PGPASSWORD", secret)
    assert start(shop, "source", "list").wait(120) == 0


@pytest.fixture(scope="module")
def own():
    skip_where_there_is_none()
    with running() as server:
        yield server


@pytest.mark.parametrize(
    ("before", "how"), [("start_run", "stop"), ("add_audience", "kill"), ("publish", "kill"), ("finish_run", "stop")]
)
def test_a_server_that_dies_during_an_import(
    own: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, how: str
) -> None:
    with new_database(own.url) as url:
        monkeypatch.setenv("SYMBOLON_STORE", url)
        shop = make_project(tmp_path)
        first, second = (
            deliver(tmp_path / "in", range(60)),
            deliver(tmp_path / "in", range(20, 90), moment=1486140845000),
        )
        with symbolon.open(shop) as project:
            project.audiences.import_file(first, source="crm", segment="24", name="vip")
            call = getattr(project.store, before)

            def die(*arguments, **named):
                getattr(own, how)()
                return call(*arguments, **named)

            monkeypatch.setattr(project.store, before, die)
            name = "new" if before == "add_audience" else "vip"
            published = before == "finish_run"
            if published:  # that the record of the run stays open does not make it fail
                assert project.audiences.import_file(second, source="crm", segment="24", name=name).members == 70
            else:
                with pytest.raises(SymbolonError) as caught:
                    project.audiences.import_file(second, source="crm", segment="24", name=name)
                assert caught.value.code == "engine.store_unreachable"  # why it failed, not that its end is not noted
                assert f"127.0.0.1 port {own.port}" in caught.value.summary
                assert caught.value.hint
            monkeypatch.undo()
            monkeypatch.setenv("SYMBOLON_STORE", url)
            # another process says the same while it is gone, and works again afterwards
            listing = start(shop, "audience", "list")
            told = listing.communicate(timeout=120)[1]
            assert listing.returncode == 6
            assert json.loads(told)["error"]["code"] == "engine.store_unreachable"
            assert "canary" not in told
            own.start()
            assert [audience.name for audience in project.audiences.list()] == ["vip"]
            assert project.audiences.show("vip").version == (2 if published else 1)
            assert project.audiences.members("vip").count() == (70 if published else 60)
        receipt = finish(start_import(shop, second, name))
        assert receipt["members"] == 70
        with symbolon.open(shop) as project:
            assert project.audiences.members(name).count() == 70
            assert len(project.audiences.versions("vip")) == (1 if name == "new" else 2)
        doctor = start(shop, "doctor", "--fix")
        assert '"FAIL"' not in doctor.communicate(timeout=120)[0]
