"""The guide has a page for every activity, and its examples can be read."""

from __future__ import annotations

import pytest
import yaml
from activity_reference import FOLDER, pages

from symbolon.targeting import known, options_of, read_workflow

KINDS = list(known().values())


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_a_page_says_what_the_activity_says(path) -> None:
    assert path.is_file(), "run: python tests/docs/activity_reference.py"
    assert path.read_text(encoding="utf-8") == pages()[path], "run: python tests/docs/activity_reference.py"


def test_no_page_is_left_of_an_activity_that_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == {path.name for path in pages()}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_its_example_can_be_read(kind) -> None:
    (example,) = yaml.safe_load(kind.example)
    assert example["type"] == kind.name
    names = example.get("from", [])
    sources = [one.split(".")[0] for one in ([names] if isinstance(names, str) else names)]
    before = [{"id": name, "type": "fork" if "." in str(names) else "query"} for name in dict.fromkeys(sources)]
    for one in before:  # a transition that the example names must exist
        wanted = [text.split(".")[1] for text in ([names] if isinstance(names, str) else names) if "." in text]
        if one["type"] == "fork":
            one |= {"from": "everybody", "transitions": wanted}
    begin = [{"id": "everybody", "type": "query"}] if any(one["type"] == "fork" for one in before) else []
    text = yaml.safe_dump({"name": "example", "activities": [*begin, *before, example]}, sort_keys=False)
    assert read_workflow(text).node(example["id"]) is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_option_says_what_it_is(kind) -> None:
    assert kind.summary.endswith(".")
    assert [one.name for one in options_of(kind) if not one.description] == []
