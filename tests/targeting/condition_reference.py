"""Writes the tables of docs/reference/conditions.md from the registry of functions."""

from __future__ import annotations

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions import FORMS, Function, choices, dates, numbers, texts

BEGIN = "<!-- below: generated from the registry of functions; UPDATE_GOLDEN=1 renews it -->\n"
END = "<!-- above: generated -->\n"
GROUPS = {
    "Dates": dates.FUNCTIONS,
    "Texts": texts.FUNCTIONS,
    "Numbers": numbers.FUNCTIONS,
    "Choices": choices.FUNCTIONS,
}


def page(text: str) -> str:
    """Give the page with its tables as they should be."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "".join(map(section, GROUPS)) + forms() + END + rest.partition(END)[2]


def section(title: str) -> str:
    rows = [f"| `{one.signature}` | {asked(one)} | {given(one)} | {one.words} |\n" for one in GROUPS[title]]
    return f"\n### {title}\n\n| function | asks for | gives | what |\n|---|---|---|---|\n" + "".join(rows)


def forms() -> str:
    rows = [f"| `{text.partition(': ')[0]}` | {text.partition(': ')[2]} |\n" for text in FORMS.values()]
    return "\n### Not quite functions\n\n| written | means |\n|---|---|\n" + "".join(rows) + "\n"


def asked(one: Function) -> str:
    words = {"condition": "a condition", "digits": "digits", "any": "anything"}
    return ", ".join(words.get(part.kind) or kinds.words_of(part.kind) for part in one.parameters) or "nothing"


def given(one: Function) -> str:
    return one.gives or (kinds.WORDS[one.result] if isinstance(one.result, str) else "")
