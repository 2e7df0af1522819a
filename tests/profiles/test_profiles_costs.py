"""What a small change writes, who may read it, who may make it at once, and what no message tells."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

import symbolon
from symbolon.errors import SymbolonError
from symbolon.lake import LockHeld, file_lock, layered
from symbolon.profiles import profiles as room

MANY = 300_000
HIDDEN = "very.private@secret.example"


def people(count: int) -> str:
    return "external_id,email,city\n" + "".join(f"C{n},p{n}@example.com,City{n % 97}\n" for n in range(count))


def data_files(project) -> dict[Path, int]:
    return {path: path.stat().st_size for path in (project.lake.root / "tables").rglob("*") if path.is_file()}


def test_a_thousand_changed_rows_write_a_thousandth(project, put):
    put(people(MANY))
    project.profiles.index("email", "adobe", "", "sha256")
    before = data_files(project)
    receipt = put("external_id,email\n" + "".join(f"C{n * 299},new{n}@example.com\n" for n in range(1_000)))
    assert (receipt.created, receipt.updated) == (0, 1_000)
    after = data_files(project)
    assert before.keys() <= after.keys()
    written = sum(size for path, size in after.items() if before.get(path) != size)
    assert written < 0.05 * sum(before.values())
    index = project.profiles.index("email", "adobe", "", "sha256")
    assert project.engine.count(index.relation) == project.profiles.count == MANY
    again = put("external_id,email\n" + "".join(f"C{n * 299},new{n}@example.com\n" for n in range(1_000)))
    assert (again.unchanged, again.revision) == (1_000, receipt.revision)


def test_digests_of_other_fields_are_left_alone(project, put):
    put(people(1_000))
    for field in ("email", "external_id"):
        project.profiles.index(field, "adobe", "", "sha256")
    before = {path for path in data_files(project) if "digests" in path.parts}
    put("external_id,city\nC1,Oslo\n")
    assert {path for path in data_files(project) if "digests" in path.parts} == before
    put("external_id,email\nC1,new@example.com\n")
    changed = {path for path in data_files(project) if "digests" in path.parts} - before
    assert {path.parent.name for path in changed if path.suffix == ".parquet"} == {"email_adobe_any_sha256"}


def test_a_region_counts_for_telephone_numbers_only(project, put):
    put("external_id,email,mobile_phone\n1,a@x.com,06 12 34 56 78\n")
    project.profiles.index("email", "adobe", "FR", "sha256")
    project.profiles.index("email", "adobe", "US", "sha256")
    assert len([name for name in project.lake.tables() if name.startswith("digests/")]) == 1
    french = project.profiles.index("mobile_phone", "adobe", "FR", "sha256")
    nowhere = project.profiles.index("mobile_phone", "adobe", "", "sha256")
    assert (project.engine.count(french.relation), project.engine.count(nowhere.relation)) == (1, 0)


def test_old_files_do_not_pile_up(project, put, monkeypatch):
    monkeypatch.setattr(layered, "COMPACT_LAYERS", 2)
    monkeypatch.setattr(layered, "COMPACT_SHARE", 1e9)
    put(people(2_000))
    project.profiles.index("email", "adobe", "", "sha256")
    counts = []
    for turn in range(12):
        put(f"external_id,email\nC{turn},turn{turn}@example.com\n,rejected\n")
        counts.append(len([path for path in data_files(project) if path.suffix == ".parquet"]))
    assert max(counts[6:]) <= max(counts[:6])
    assert project.profiles.show("C11")["email"] == "turn11@example.com"


def test_files_are_private(project, put):
    put(people(100) + ",nobody,x\n")
    project.profiles.index("email", "adobe", "", "sha256")
    put("external_id,email\nC1,p2@example.com\n")
    tables = [path for path in project.lake.root.rglob("*") if "_delta_log" not in path.parts]
    assert tables
    for path in tables:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    # the log names files and columns, and lies in folders that nobody else may enter
    assert stat.S_IMODE(project.lake.root.stat().st_mode) == 0o700


def test_one_change_at_a_time(project, put, monkeypatch):
    monkeypatch.setattr(room, "LOCK_WAIT_S", 0.0)
    put("external_id\n1\n")
    with file_lock(project.settings.locks_dir / "profiles.lock", wait_s=0, holder="a change of the profiles"):
        with pytest.raises(LockHeld, match="a change of the profiles"):
            put("external_id\n2\n")
        assert put("external_id\n2\n", plan=True).created == 1
        assert project.profiles.count == 1
    assert put("external_id\n2\n").created == 1


def test_imports_at_once_all_count(tmp_path):
    folder = tmp_path / "project"
    symbolon.init(folder).close()
    code = (
        "import pathlib, sys, symbolon\n"
        "with symbolon.open(sys.argv[1]) as project:\n"
        "    project.profiles.import_file(pathlib.Path(sys.argv[2]))\n"
    )
    children = []
    for turn in range(3):
        file = tmp_path / f"{turn}.csv"
        file.write_text("external_id,city\n" + "".join(f"{turn}-{n},x\n" for n in range(50)) + f"same,{turn}\n")
        children.append(subprocess.Popen([sys.executable, "-c", code, str(folder), str(file)]))
    assert [child.wait() for child in children] == [0, 0, 0]
    with symbolon.open(folder) as project:
        assert project.profiles.count == 151
        numbers = project.engine.fetch(project.profiles.current())["profile_id"].to_pylist()
        assert len(set(numbers)) == 151


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (f"email\n{HIDDEN}\n", {}),
        (f"external_id,email\n,{HIDDEN}\n", {"max_rejected": 0}),
        (f"external_id,email\n1,{HIDDEN}\n", {"key": "emial"}),
        (f'external_id,"{HIDDEN}\n1,x\n', {}),
        (f'{{"external_id": "{HIDDEN}"\n', {"name": "p.ndjson"}),
        (f"PAR1{HIDDEN}", {"name": "p.parquet"}),
    ],
)
def test_no_message_tells_a_value(put, text, options):
    with pytest.raises(SymbolonError) as caught:
        put(text, **options)
    shown = f"{caught.value} {caught.value!r} {caught.value.hint} {caught.value.details}"
    assert HIDDEN not in shown


def test_no_value_stands_in_a_statement(project, put):
    put(f"external_id,email\n1,{HIDDEN}\n")
    said = []
    run = project.engine.sql
    project.engine.sql = lambda relation: said.append(run(relation)) or said[-1]
    assert project.profiles.show(HIDDEN, "email") is not None
    put(f"email,city\n{HIDDEN},Oslo\n", key="email")
    assert len(said) > 3
    assert not [statement for statement in said if HIDDEN in statement]
