"""Several processes at once, damaged tables, and other things that go wrong around an import."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

import symbolon
from symbolon.errors import SymbolonError
from symbolon.records import DataSource, Protection
from symbolon.sharing import locks

CHILD = """
import sys, symbolon
project, file, name = sys.argv[1:]
with symbolon.open(project) as opened:
    print(opened.audiences.import_file(file, source="crm", segment="24", name=name, force=True).version)
"""
HOLDER = """
import sys, symbolon
from symbolon.sharing.locks import audience_lock
with symbolon.open(sys.argv[1]) as project, audience_lock(project.settings, "a"):
    print("held", flush=True)
    sys.stdin.read()
"""


def digest(number: int) -> str:
    return hashlib.sha256(f"person{number}@example.com".encode()).hexdigest()


@pytest.fixture
def crm(project, tmp_path):
    project.sources.add(DataSource(name="crm", key="email", protection=Protection.SHA256))
    file = tmp_path / "S3_1_2_full_1486140844000.sync"
    file.write_text("".join(f"{digest(n)} 24\n" for n in range(20)))
    return project, file


def test_imports_into_one_audience_follow_each_other(crm):
    project, file = crm
    folder = str(project.settings.project)
    project.close()
    run = [sys.executable, "-c", CHILD, folder, str(file)]
    names = ["a", "a", "a", "b"]
    children = [subprocess.Popen([*run, name], stdout=subprocess.PIPE, text=True) for name in names]
    versions = [int(child.communicate(timeout=120)[0]) for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert sorted(versions[:3]) == [1, 2, 3]
    assert versions[3] == 1
    with symbolon.open(folder) as again:
        assert again.audiences.show("a").version == 3
        assert again.audiences.members("a").count() == 20


def test_the_second_import_is_told_who_is_first(crm, monkeypatch):
    project, file = crm
    monkeypatch.setattr(locks, "LOCK_WAIT_S", 0.2)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(project.settings.project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(file, source="crm", segment="24", name="a")
    assert (error.value.code, error.value.exit_code) == ("conflict.locked", 2)
    assert str(holder.pid) in error.value.summary
    holder.communicate()
    assert project.audiences.import_file(file, source="crm", segment="24", name="a").version == 1


def test_a_damaged_table_is_told_and_the_next_import_mends_it(crm):
    project, file = crm
    project.audiences.import_file(file, source="crm", segment="24", name="a")
    folder = project.settings.lake_dir / "tables" / "audiences" / str(project.audiences.show("a").id) / "rows"
    for path in folder.glob("*.parquet"):
        path.unlink()
    with pytest.raises(SymbolonError) as error:
        project.audiences.members("a").count()
    assert (error.value.code, error.value.exit_code) == ("engine.lake_corrupt", 6)


def test_a_segment_that_nobody_names_is_no_empty_audience(crm):
    project, file = crm
    project.audiences.import_file(file, source="crm", segment="24", name="a")
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(file, source="crm", segment="42", name="b")
    assert error.value.code == "import.segment_unknown"
    with pytest.raises(SymbolonError) as error:
        project.audiences.import_file(file, source="crm", segment="42", name="a")
    assert error.value.code == "audience.source"
    assert [audience.name for audience in project.audiences.list()] == ["a"]
    assert project.audiences.import_file(file, source="crm", segment="42", name="b", force=True).members == 0


def test_deleting_an_audience_leaves_profiles_and_no_rows(crm):
    project, file = crm
    people = project.profiles.count
    project.audiences.import_file(file, source="crm", segment="24", name="a")
    folder = project.settings.lake_dir / "tables" / "audiences" / str(project.audiences.show("a").id)
    project.audiences.delete("a")
    assert project.audiences.list() == []
    assert not list(folder.rglob("*.parquet"))
    assert project.profiles.count == people
    assert project.audiences.import_file(file, source="crm", segment="24", name="a").version == 1


def test_definitions_are_checked_whole(project):
    with pytest.raises(SymbolonError) as error:
        project.sources.add(DataSource(name="a b", key="email", protection=Protection.AES_CBC, dpid=-1), key=b"x" * 15)
    assert len(error.value.details["faults"]) == 4
    with pytest.raises(SymbolonError) as error:
        project.sources.add(DataSource(name="a", key="emial"))
    assert "email" in error.value.hint
    assert project.sources.list() == []


def test_a_new_key_is_a_new_version_and_the_old_one_stays(project):
    source = DataSource(name="air", key="email", protection=Protection.AES_CBC)
    first = project.sources.add(source, key=bytes(16), iv=bytes(16))
    second = project.sources.edit("air", {}, key=b"k" * 32, iv=b"i" * 16)
    assert (first.key_version, second.key_version) == (1, 2)
    assert project.sources.spec(second).key == b"k" * 32
    assert project.sources.spec(first).key == bytes(16)


def test_changed_terms_are_accepted_anew(project):
    project.sources.add(DataSource(name="s", key="email", terms="one"))
    assert project.sources.accept("s", "me").terms_accepted_by == "me"
    assert project.sources.edit("s", {"priority": 5}).terms_accepted_at is not None
    assert project.sources.edit("s", {"terms": "two"}).terms_accepted_at is None


def test_what_a_killed_first_import_left_does_not_count(crm, monkeypatch):
    project, file = crm
    monkeypatch.setattr(project.store, "publish", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        project.audiences.import_file(file, source="crm", segment="24", name="a")
    monkeypatch.undo()
    assert project.audiences.list() == []
    with pytest.raises(SymbolonError) as error:
        project.audiences.members("a")
    assert error.value.code == "name.unknown"
    assert project.audiences.import_file(file, source="crm", segment="24", name="a").version == 1


def test_what_the_ids_of_an_audience_are_cannot_change(crm):
    project, file = crm
    project.sources.edit("crm", {"protection": Protection.MD5})
    project.sources.edit("crm", {"protection": Protection.SHA256})
    project.audiences.import_file(file, source="crm", segment="24", name="a")
    with pytest.raises(SymbolonError) as error:
        project.sources.edit("crm", {"protection": Protection.MD5})
    assert error.value.code == "source.invalid"
    assert project.sources.edit("crm", {"priority": 3}).priority == 3
    assert project.audiences.refresh("a").members == 20
