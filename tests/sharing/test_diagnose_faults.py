"""Every planted fault is named first, with a command that mends it; a healthy file raises no alarm."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from diagnosis_faults import (
    FAULTS,
    NAMED,
    OUTSIDE,
    PEOPLE,
    SOURCES,
    STRANGERS,
    Fault,
    email,
    make_project,
    sha256,
    write_file,
)

import symbolon
from symbolon.cli.entry import run
from symbolon.ids import schemes

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "diagnose.md"
FILE = "S3_1_2_full_1486140844000.sync"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title.replace(" ", "_"))
def test_the_planted_fault_is_named_first(fault: Fault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault.scheme and fault.scheme not in schemes():
        pytest.skip(f"there is no scheme {fault.scheme} yet")
    path = write_file(folder / FILE, fault)
    with symbolon.open(folder / "project") as project:
        before = project.audiences.import_file(path, source=fault.source, segment="24", name="guests")
        found = project.audiences.diagnose("guests")
    assert found.findings, found
    first = found.findings[0]
    assert set(first.faults) & set(fault.faults), found
    assert len(first.faults) == 1 or set(first.faults) == set(fault.faults), found
    planted = before.unmatched + sum(before.rejected.values()) - before.rejected.get("duplicate_id", 0) - STRANGERS
    assert abs(first.count - planted) <= 3, (first, planted)
    assert not found.not_tried
    assert len(found.findings) == 1, found
    assert first.commands or first.advice
    if not fault.mends:
        return
    assert first.commands, found
    monkeypatch.chdir(folder)
    for command in first.commands:
        typed = [{"FILE": fault.key_file, "HEX": fault.iv}.get(word, word) for word in command]
        assert run([*typed, "--project", str(folder / "project")]) == 0, command
    with symbolon.open(folder / "project") as project:
        last = max((one for one in project.store.audiences()), key=lambda one: (one.modified, one.version))
        after = project.store.version(last.id, last.version).receipt
    assert after.matched >= 0.9 * (planted if last.name != "guests" or fault.right else NAMED)
    assert after.matched > before.matched


def test_a_healthy_file_raises_no_alarm(folder: Path) -> None:
    path = folder / FILE
    path.write_text("".join(f"{sha256(email(one))} 24\n" for one in [*PEOPLE, *OUTSIDE]))
    with symbolon.open(folder / "project") as project:
        project.audiences.import_file(path, source="mail", segment="24", name="guests")
        found = project.audiences.diagnose("guests")
    assert (found.findings, found.sampled, found.unexplained, found.not_tried) == ([], STRANGERS, STRANGERS, [])


def test_the_table_of_the_guide_is_the_table_of_planted_faults() -> None:
    rows = ["| planted | data source | named | mended by |", "|---|---|---|---|"]
    for fault in FAULTS:
        names = " or ".join(f"`{name}`" for name in fault.faults[:1])
        rows.append(
            f"| {fault.title} | {SOURCES[fault.source]} | {names} | {'a command' if fault.mends else 'the sender'} |"
        )
    text = PAGE.read_text(encoding="utf-8")
    shown = re.compile(r"(?<=<!-- planted -->\n).*?(?=\n<!-- /planted -->)", re.DOTALL)
    if os.environ.get("UPDATE_GOLDEN"):
        text = shown.sub(lambda _: "\n".join(rows), text)
        PAGE.write_text(text, encoding="utf-8")
    assert shown.findall(text) == ["\n".join(rows)]
