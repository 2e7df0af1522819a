"""A real kill -9 at random moments of an import: the old version stays, and nothing of the new one counts."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import symbolon
from symbolon.records import DataSource, Protection, RunState

CHILD = """
import sys, symbolon
print("ready", flush=True)
with symbolon.open(sys.argv[1]) as project:
    project.audiences.import_file(sys.argv[2], source="crm", segment="24", name="a")
print("done", flush=True)
"""


def digest(number: int) -> str:
    return hashlib.sha256(f"person{number}@example.com".encode()).hexdigest()


def test_kill_at_any_moment_keeps_the_old_version(project, tmp_path):
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256))
    old = tmp_path / "S3_1_2_full_1486140844000.sync"
    old.write_text(f"{digest(1)} 24\n")
    project.audiences.import_file(old, source="crm", segment="24", name="a")
    new = tmp_path / "S3_1_2_full_1486140844001.sync"
    unknown = "".join(f"{hashlib.sha256(str(n).encode()).hexdigest()} 24\n" for n in range(100_000))
    new.write_text(f"{digest(2)} 24\n{digest(3)} 24\n{unknown}")
    folder = project.settings.project
    project.close()
    moments = random.Random(7)
    child = [sys.executable, "-c", CHILD, str(folder), str(new)]
    whole = time.monotonic()
    subprocess.run([sys.executable, "-c", CHILD, str(folder), str(old)], check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - whole + 0.5
    outcomes = set()
    for _ in range(8):
        process = subprocess.Popen(child, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(moments.uniform(0, whole))  # any moment will do: nothing asserted depends on which
        process.send_signal(signal.SIGKILL)
        process.wait()
        with symbolon.open(folder) as again:
            audience = again.audiences.show("a")
            members = again.audiences.members("a", columns=["external_id"]).to_arrow()["external_id"].to_pylist()
            assert (audience.version, members) in ((1, ["C11"]), (2, ["C12", "C13"]))
            outcomes.add(audience.version)
            if audience.version == 2:
                again.audiences.rollback("a", 1)
                break
    with symbolon.open(folder) as again:
        again.lake.vacuum_debris()
        receipt = again.audiences.import_file(new, source="crm", segment="24", name="a", force=True)
        assert (receipt.members, receipt.faults()) == (2, [])
        dead = [run for run in again.store.runs(100) if run.state is RunState.RUNNING]
        assert all(not Path(f"/proc/{run.pid}").exists() for run in dead)
    leftovers = [path for path in (folder / "lake" / "attempts").rglob("*") if path.is_file()]
    assert leftovers == []
