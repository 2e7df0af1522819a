"""A real kill -9 of an import: profiles, links and digests are those before it or those after it, now and later on."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

import symbolon
from symbolon import ids

#: imports people.csv; dies by its own hand behind the n-th commit to the lake, or just before the state record moves
CHILD = """
import os, pathlib, signal, sys
import symbolon
from symbolon.lake import LakeTable, layered
from symbolon.profiles import state
where, folder, file, what = sys.argv[1:]
layered.COMPACT_SHARE = 1e9 if what != "compacting" else 0.0
commit, keep, commits = LakeTable.commit, state.keep, 0
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def counted(*args, **options):
    global commits
    version = commit(*args, **options)
    commits += 1
    if str(commits) == where:
        die()
    return version
LakeTable.commit = counted
if where == "state":
    state.keep = lambda *args: die()
print("ready", flush=True)
with symbolon.open(folder) as project:
    if what == "links":
        project.profiles.link_file(pathlib.Path(file))
    else:
        project.profiles.import_file(pathlib.Path(file))
"""
PEOPLE = 3_000


def people(count: int, domain: str, city: str) -> str:
    return "external_id,email,city\n" + "".join(f"{n},p{n}@{domain},{city}\n" for n in range(count))


@pytest.fixture
def begun(tmp_path):
    """A project with profiles, a layer above them, links, and digests that are kept."""
    folder = tmp_path / "project"
    with symbolon.init(folder) as project:
        file = tmp_path / "first.csv"
        file.write_text(people(PEOPLE, "x.com", "Paris"))
        project.profiles.import_file(file)
        for algorithm in ("sha256", "md5"):
            project.profiles.index("email", "adobe", "", algorithm)
        file.write_text("external_id,email,city\n0,zero@x.com,Paris\n")
        project.profiles.import_file(file)
        file.write_text(f"visitor_id,external_id\n{'1' * 38},1\n")
        project.profiles.link_file(file)
    return folder


def run(where: str, folder, file, what: str) -> int:
    child = [sys.executable, "-c", CHILD, where, str(folder), str(file), what]
    return subprocess.run(child, check=False, stdout=subprocess.DEVNULL).returncode


def seen(folder) -> dict[str, Counter]:
    """Read everything that readers find; digests must be those of the profiles."""
    with symbolon.open(folder) as project:
        rows = project.engine.fetch(project.profiles.current())
        emails = dict(zip(rows["profile_id"].to_pylist(), rows["email"].to_pylist(), strict=True))
        assert len(emails) == rows.num_rows == project.profiles.count
        for algorithm in ("sha256", "md5"):
            index = project.profiles.index("email", "adobe", "", algorithm)
            table = project.engine.fetch(index.relation)
            words = [table[f"d{n}"].to_numpy() for n in range(index.words)]
            texts = ids.words_to_text(words, algorithm).to_pylist() if emails else []
            digests = dict(zip(table["profile_id"].to_pylist(), texts, strict=True))
            assert digests == {n: hashlib.new(algorithm, mail.encode()).hexdigest() for n, mail in emails.items()}
        links = project.engine.fetch(project.profiles.visitor_index())
        assert links.num_rows == project.profiles.link_count
        return {
            "people": Counter(zip(rows["external_id"].to_pylist(), rows["email"].to_pylist(), strict=True)),
            "cities": Counter(rows["city"].to_pylist()),
            "links": Counter(links["profile_id"].to_pylist()),
        }


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("layers", "1"),  # rows
        ("layers", "3"),  # digests
        ("layers", "state"),
        ("compacting", "4"),
        ("compacting", "state"),
        ("links", "1"),
        ("links", "state"),
    ],
)
def test_a_death_between_lake_and_state_never_shows(begun, tmp_path, what, where):
    before = seen(begun)
    lost = tmp_path / "lost.csv"
    if what == "links":
        lost.write_text(f"visitor_id,external_id\n{'2' * 38},2\nbad,1\n")
    else:
        lost.write_text("external_id,email,city\n1,lost@x.com,Lost\nnew,new@x.com,Lost\n,x,y\n")
    assert run(where, begun, lost, what) == -signal.SIGKILL
    assert seen(begun) == before
    # what was lost must not come back with the next change, which is made on top of it
    with symbolon.open(begun) as project:
        file = tmp_path / "next.csv"
        file.write_text("external_id,city\n2,Oslo\n")
        receipt = project.profiles.import_file(file)
        assert (receipt.created, receipt.updated) == (0, 1)
        file.write_text(f"visitor_id,external_id\n{'3' * 38},3\n")
        assert project.profiles.link_file(file).created == 1
    after = seen(begun)
    assert after["people"] == before["people"]
    assert after["cities"] == Counter({"Paris": PEOPLE - 1, "Oslo": 1})
    assert (after["links"].total(), after["links"] > before["links"]) == (2, True)
    with symbolon.open(begun) as project:
        project.lake.vacuum_debris()
        project.profiles.import_file(lost) if what != "links" else project.profiles.link_file(lost)
    assert seen(begun)["cities"]["Lost"] == (0 if what == "links" else 2)


@pytest.mark.parametrize("where", ["1", "state"])
def test_a_death_of_the_first_import_leaves_nobody(tmp_path, where):
    folder = tmp_path / "project"
    symbolon.init(folder).close()
    file = tmp_path / "people.csv"
    file.write_text(people(100, "x.com", "Lost"))
    assert run(where, folder, file, "layers") == -signal.SIGKILL
    assert seen(folder)["people"] == Counter()
    file.write_text(people(50, "y.com", "Paris"))
    with symbolon.open(folder) as project:
        assert project.profiles.import_file(file).created == 50
    assert seen(folder)["cities"] == Counter({"Paris": 50})


def test_kills_at_random_moments(begun, tmp_path):
    """Any moment will do: nothing that is asserted depends on which."""
    old = seen(begun)
    file = tmp_path / "all.csv"
    file.write_text(people(30_000, "new.com", "Oslo"))
    child = [sys.executable, "-c", CHILD, "never", str(begun), str(file), "layers"]
    moments = random.Random(20261123)
    for _ in range(8):
        process = subprocess.Popen(child, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0.0, 1.2))
        process.kill()
        process.wait()
        process.stdout.close()
        found = seen(begun)
        if found["people"] != old["people"]:
            break
        assert found == old
    with symbolon.open(begun) as project:
        project.lake.vacuum_debris()
        receipt = project.profiles.import_file(file)
        assert receipt.profiles == 30_000
        assert [path for path in (project.lake.root / "attempts").rglob("*") if path.is_file()] == []
    new = seen(begun)
    assert new["cities"] == Counter({"Oslo": 30_000})
    assert all(mail.endswith("@new.com") for _, mail in new["people"])
