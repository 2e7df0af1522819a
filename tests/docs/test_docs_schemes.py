"""The pages of the normalisation schemes say what the registry does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import scheme_reference

from symbolon.ids import schemes

STALE = "run `python tests/docs/scheme_reference.py`, or the tests with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("name", ["index", *schemes()])
def test_a_page_is_what_the_registry_says(name: str) -> None:
    path = scheme_reference.FOLDER / f"{name}.md"
    text = scheme_reference.pages()[path]
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, STALE


def test_there_is_a_page_for_every_scheme_and_no_other() -> None:
    assert {path.stem for path in Path(scheme_reference.FOLDER).glob("*.md")} == {"index", *schemes()}


def test_the_comparison_shows_that_parties_disagree() -> None:
    table = scheme_reference.comparison("email", ["Jane.Q.Doe+x@gmail.com"])
    answers = {line.split("|")[2].strip() for line in table.splitlines() if line.startswith("| `")}
    assert len(answers) >= 5
    assert f"**{len(answers)}**" in table.splitlines()[-1]


def test_blanks_can_be_seen() -> None:
    assert scheme_reference.shown("  a b\n ") == "`␣␣a b\\x0a␣`"
    assert scheme_reference.shown(" ") == "`␣`"
    assert scheme_reference.shown("") == "nothing"
