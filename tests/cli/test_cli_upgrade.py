"""`symbolon upgrade`: a store of an earlier release, one that is up to date, and one of a later release."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import symbolon


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "symbolon.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_a_store_is_brought_up_to_date(tmp_path):
    folder = str(tmp_path / "shop")
    symbolon.init(folder).close()
    done = run("upgrade", "--project", folder, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"store": "0002"})
    with sqlite3.connect(tmp_path / "shop" / "symbolon.db") as store:
        store.execute("update symbolon_version set version_num = '9999'")
    store.close()
    for command in (["upgrade"], ["audience", "list"]):
        done = run(*command, "--project", folder)
        assert done.returncode == 2
        assert "error[store.version]" in done.stderr
