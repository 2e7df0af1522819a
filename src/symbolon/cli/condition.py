"""`symbolon condition`: check a condition, and turn text and tree of rules into each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from symbolon.cli.errors import CommandError
from symbolon.cli.session import Session, command, noun

app = noun()

Text = Annotated[str, typer.Argument(metavar="TEXT|-", help="The condition, in quotes; `-` reads standard input.")]


@command(app, "check")
def check(session: Session, text: Text) -> None:
    """Check a condition against the fields of the profiles; tell all faults at once, with line, column and mend.

    $ symbolon condition check "country IN ('FR', 'DE') AND years_old(birth_date) >= 18"
    """
    condition = session.project.conditions.check(_given(text))
    asked = {
        "columns": sorted(condition.columns),
        "linked": sorted(condition.linked),
        "audiences": sorted(condition.audiences),
        "functions": sorted(condition.functions),
    }
    if session.as_json:
        session.screen.json({"text": condition.text, **asked, "uses_now": condition.uses_now})
        return
    session.screen.text(condition.text)
    session.screen.say("; ".join(["right", *(f"{name}: {', '.join(names)}" for name, names in asked.items() if names)]))


@command(app, "tree")
def tree(session: Session, text: Text) -> None:
    """Turn a condition into a tree of rules: JSON on standard output.

    $ symbolon condition tree "email IS NOT NULL AND country = 'FR'" > rules.json
    """
    session.screen.json(session.project.conditions.tree(_given(text)))


@command(app, "text")
def text_(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON of a tree of rules; `-` reads standard input.")],
) -> None:
    """Turn a tree of rules into the text of the condition.

    $ symbolon condition text rules.json
    """
    condition = session.project.conditions.from_json(
        _stdin() if file == "-" else _decoded(Path(file).expanduser().read_bytes())
    )
    if session.as_json:
        session.screen.json({"text": condition.text})
        return
    session.screen.text(condition.text)


def _given(text: str) -> str:
    return _stdin() if text == "-" else text


def _stdin() -> str:
    return _decoded(sys.stdin.buffer.read())


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError("what is read is not UTF-8", hint="iconv -t UTF-8") from None
