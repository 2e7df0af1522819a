"""The pages show what happens: their examples are run, their lists compared with the program."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import cli_reference
import msgspec
import pytest
from forked import standing_by
from runner import examples, run_page, surroundings

from symbolon.profiles.fields import FIELDS
from symbolon.records import REJECT_REASONS, UNMATCHED_REASONS, Receipt
from symbolon.settings import ENVIRONMENT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    page
    for page in sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
    if examples(page.read_text(encoding="utf-8"))
]  # fmt: skip


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with standing_by(tmp_path_factory.mktemp("commands"), surroundings()) as folder:
        yield folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_print_what_it_shows(page: Path, tmp_path: Path, commands: Path) -> None:
    assert run_page(page, tmp_path, commands=None if page.name == "README.md" else commands) > 0


def test_the_pages_that_promise_to_run_do() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "docs/tutorial.md", "docs/python.md", "docs/guide/worked-receipt.md"} <= names


def test_the_numbers_of_the_picture_are_those_of_the_receipt_below_it() -> None:
    def numbers(pattern: str, text: str) -> set[int]:
        return {int(number.replace(",", "")) for number in re.findall(pattern, text)}

    # the receipt itself is compared with what the demo prints
    receipt = (ROOT / "README.md").read_text("utf-8").split("## Two commands")[1].split("## In Python")[0]
    picture = (DOCS / "images/reconcile.svg").read_text("utf-8").split("</desc>")[1]
    shown = numbers(r">(\d[\d,]+)[ <]", picture)
    assert len(shown) == 9
    rejected = 189 + 148 + 38 + 1
    assert shown - numbers(r"\b(\d[\d,]*)\b", receipt) == {rejected}


def test_every_setting_is_documented() -> None:
    text = (DOCS / "reference/settings.md").read_text("utf-8").split("Some things are told")[0]
    rows = [(name, cell.strip()) for name, cell in re.findall(r"^\| `(\w+)` \|([^|]*)\|", text, re.MULTILINE)]
    variables = {setting: f"`{variable}`" for variable, setting in ENVIRONMENT.items()}
    names = [field.name for field in msgspec.structs.fields(Settings) if field.name != "project"]
    assert rows == [(name, variables.get(name, "")) for name in names]


def test_every_default_is_documented() -> None:
    text = (DOCS / "reference/settings.md").read_text("utf-8")
    for field in msgspec.structs.fields(Settings):
        if field.default not in (msgspec.NODEFAULT, ""):
            assert re.search(rf"^\| `{field.name}` \|[^|]*\| `{field.default}`", text, re.MULTILINE), field.name


def test_every_reason_is_explained() -> None:
    text = (DOCS / "guide/receipts.md").read_text("utf-8")
    missing = [reason for reason in (*REJECT_REASONS, *UNMATCHED_REASONS) if reason and f"| `{reason}` |" not in text]
    assert missing == []


def test_every_field_of_a_profile_is_documented() -> None:
    text = (DOCS / "guide/profiles.md").read_text("utf-8").split("## Fields")[1].split("Headers are")[0]
    assert sorted(re.findall(r"`(\w+)`", text)) == sorted(FIELDS.names)


def test_every_count_of_a_receipt_is_documented() -> None:
    listed = cli_reference.PAGE.read_text("utf-8").split("## Receipts as JSON")[1].split("```")[1]
    names = re.findall(r"\w+", listed.removeprefix("text"))
    assert sorted(names) == sorted([*[field.name for field in msgspec.structs.fields(Receipt)], "plan"])


def test_the_command_line_is_documented_as_it_is() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        cli_reference.PAGE.write_text(cli_reference.page(), encoding="utf-8")
    stale = "run `python tests/docs/cli_reference.py`, or the tests with UPDATE_GOLDEN=1"
    assert cli_reference.PAGE.read_text(encoding="utf-8") == cli_reference.page(), stale


def test_the_command_line_reference_holds_every_command() -> None:
    names = [name for name, _ in cli_reference.commands()]
    assert {"symbolon", "symbolon demo", "symbolon audience import", "symbolon id explain"} <= set(names)
    assert len(names) == len(set(names)) > 30
