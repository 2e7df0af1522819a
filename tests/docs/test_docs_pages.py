"""The tutorial, the Python examples and the reference pages, run or compared with the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from runner import run_page

from symbolon.settings import ENVIRONMENT, Settings

ROOT = Path(__file__).parents[2]
DIGEST = "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149"
ALL_COMMANDS = "## All commands\n"
PYTHON = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["tutorial.md", "guide/receipts.md"])
def test_the_commands_of_a_page_print_what_it_shows(page, tmp_path):
    assert run_page(ROOT / "docs" / page, tmp_path) > 0


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_runs(page, tmp_path):
    (tmp_path / "people.csv").write_text("external_id,email\nC1,johndoe@example.com\nC2,hayden.smith@example.com\n")
    (tmp_path / "delivery.sync").write_text(f"{DIGEST} 24\n{DIGEST.upper()} 24\n")
    blocks = [found["code"] for found in PYTHON.finditer((ROOT / page).read_text(encoding="utf-8"))]
    assert len(blocks) == 1
    done = subprocess.run(
        [sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 {'duplicate_id': 1}")


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    for name in [field.name for field in msgspec.structs.fields(Settings) if field.name != "project"]:
        assert f"`{name}`" in page, name
    for variable in [*ENVIRONMENT, "SYMBOLON_PROJECT", "SYMBOLON_MASTER_KEY"]:
        assert variable in page, variable


def test_every_command_is_documented():
    page = ROOT / "docs" / "reference" / "cli.md"
    head = page.read_text(encoding="utf-8").split(ALL_COMMANDS)[0]
    golden = sorted((ROOT / "tests" / "cli" / "golden").glob("*.txt"), key=lambda path: path.stem)
    texts = {path.stem.replace("-", " "): path.read_text(encoding="utf-8").strip() for path in golden}
    texts.pop("symbolon")
    sections = "".join(f"\n### symbolon {name}\n\n```text\n{text}\n```\n" for name, text in texts.items())
    expected = f"{head}{ALL_COMMANDS}\n{sections}"
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(expected, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == expected, "run the tests with UPDATE_GOLDEN=1"
