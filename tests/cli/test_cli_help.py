"""The help texts are golden files (renew them with UPDATE_GOLDEN=1), and every text leads with an example."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.main import get_command

from symbolon.cli.tree import COMMANDS, root

GOLDEN = Path(__file__).parent / "golden"
NOUNS = {
    "profiles": ["import", "link", "show", "list", "rejects", "export"],
    "source": ["add", "edit", "list", "show", "accept", "test", "delete"],
    "audience": [
        "create", "edit", "freeze", "count", "expire", "export",
        "import", "list", "show", "versions", "members", "rejects", "diagnose", "diff", "refresh", "reconcile",
        "replay", "rollback", "delete",
    ],
    "workflow": [
        "check", "plan", "run", "preview", "signal", "restart", "list", "show", "save", "delete", "activities",
    ],
    "condition": ["check", "tree", "text"],
    "run": ["list", "show", "confirm", "resume", "pause", "cancel"],
    "feed": ["add", "edit", "list", "show", "delete", "run", "arrivals", "replay"],
    "activation": ["add", "list", "show", "run", "delete"],
    "transport": ["add", "edit", "list", "show", "test", "delete"],
    "sender": ["add", "edit", "list", "show", "test", "delete"],
    "share": ["list", "discard"],
    "file": ["inspect"],
    "id": ["explain", "normalise"],
    "scheme": ["list", "show", "test"],
}  # fmt: skip
LEAVES = [[noun, verb] for noun, verbs in NOUNS.items() for verb in verbs] + [
    [name] for name in ("init", "demo", "doctor", "worker", "serve")
]
WITHOUT_PROJECT = [["init"], ["demo"], ["file", "inspect"], ["id", "normalise"], ["workflow", "activities"]] + [
    ["scheme", verb] for verb in NOUNS["scheme"]
]
PAGES = [[], *[[noun] for noun in NOUNS], *LEAVES]


@pytest.mark.parametrize("command", PAGES, ids=lambda command: " ".join(command) or "symbolon")
def test_help_is_as_agreed(cli, command):
    shown = cli(*command, "--help")
    assert (shown.code, shown.err) == (0, "")
    page = GOLDEN / f"{'-'.join(command) or 'symbolon'}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(shown.out, encoding="utf-8")
    assert shown.out == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_help_leads_with_an_example(cli, command):
    text = cli(*command, "--help").out
    example, options = text.find("$ symbolon "), text.find("Options:")
    assert 0 < example < options
    assert re.search(rf"symbolon {' '.join(command)}\b", text[example:options])
    assert "--quiet" in text
    assert ("--project" in text) == (command not in WITHOUT_PROJECT)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_of_a_noun_is_listed_here(noun):
    found = root().get_command(None, noun)
    assert sorted(found.commands) == sorted(NOUNS[noun])
    assert get_command  # the nouns are made by typer's own function


def test_every_command_is_known():
    assert set(COMMANDS) == {*NOUNS, "init", "demo", "upgrade", "doctor", "worker", "serve"}


def test_nothing_typed_shows_help(cli):
    shown = cli()
    assert (shown.code, shown.out) == (2, "")
    assert "Commands:" in shown.err


def test_version(cli):
    assert cli("--version").out == "symbolon 0.1.0\n"
