"""`doctor`: what it finds, what it mends, and with which code it ends."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from cli_shop import SEGMENT_FILE

from symbolon.records import Run


def states(done) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in json.loads(done.out)["checks"]:
        found.setdefault(check["name"], []).append(check["state"])
    return found


def test_a_sound_project_passes(cli, shop):
    cli("audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email", "--segment", "24")
    done = cli("doctor", "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert (report["ok"], report["failed"], report["warned"]) == (True, 0, 0), report
    names = [check["name"] for check in report["checks"]]
    assert names == [
        "python", "libraries", "project", "store", "runs", "engine", "lake", "debris", "profiles", "audiences",
        "sources", "keys", "disk",
    ]  # fmt: skip
    assert all(line.startswith("PASS  ") for line in cli("doctor").out.splitlines())


def test_no_project_is_a_failure_of_its_own(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("doctor", "--json")
    assert done.code == 2
    assert states(done)["project"] == ["FAIL"]
    assert "symbolon init" in cli("doctor").out


def test_debris_and_dead_runs_are_found_and_removed(cli, shop):
    left = Path("lake/attempts/import-1-abc")
    left.mkdir(parents=True)
    (left / "staged.parquet").write_bytes(b"half")
    run = Run.begin("audience import", "vip")
    with sqlite3.connect("symbolon.db") as store:
        store.execute(
            "insert into runs (id, work, subject, state, pid, started, error) values (?, ?, ?, ?, ?, ?, '')",
            (run.id, run.work, run.subject, "running", 2**22 + 1, "2026-01-01 00:00:00.000000"),
        )
    found = cli("doctor", "--json")
    assert found.code == 0
    assert (states(found)["debris"], states(found)["runs"]) == (["WARN"], ["WARN"])
    assert left.exists()
    assert "symbolon doctor --fix" in cli("doctor").out
    assert cli("doctor", "--fix").code == 0
    assert not left.exists()
    again = states(cli("doctor", "--json"))
    assert (again["debris"], again["runs"]) == (["PASS"], ["PASS"])


def test_a_damaged_table_fails_with_the_engines_code(cli, shop):
    cli("audience", "import", shop / "in" / SEGMENT_FILE, "--source", "crm-email", "--segment", "24", "--name", "vip")
    for path in Path("lake/tables/audiences").glob("*/rows/*.parquet"):
        path.write_bytes(b"PAR1 cut")
    done = cli("doctor", "--json")
    assert done.code == 6
    assert states(done)["audiences"] == ["FAIL"]
    assert states(done)["profiles"] == ["PASS"]
    assert "`vip`" in done.out


def test_keys_and_modes(cli, shop):
    Path("keys/master.key").chmod(0o644)
    done = cli("doctor", "--json")
    assert (done.code, states(done)["keys"]) == (4, ["FAIL"])
    assert "chmod 600" in done.out
    Path("keys/master.key").unlink()
    assert cli("doctor").code == 4
    Path("symbolon.db").chmod(0o640)
    assert states(cli("doctor", "--json"))["store"] == ["PASS", "WARN"]


def test_a_newer_store_hides_nothing_else(cli, shop):
    with sqlite3.connect("symbolon.db") as store:
        store.execute("update symbolon_version set version_num = '9999'")
    done = cli("doctor", "--json")
    assert done.code == 2
    assert states(done)["store"] == ["FAIL"]
    assert states(done)["disk"] == ["PASS"]


def test_terms_that_wait(cli, shop):
    cli("source", "edit", "crm-email", "--terms", "ask first")
    assert states(cli("doctor", "--json"))["sources"] == ["WARN"]
