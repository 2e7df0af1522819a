"""`symbolon id`: why an ID matches, or does not."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.spool import STANDARD_INPUT

app = noun()


@app.callback()
def _group() -> None:
    """Ask why an ID matches, or does not."""


@command(app, "explain")
def explain(
    session: Session,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="An ID as it stands in a file, or the address itself; `-` reads it.")
    ],
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The data source it comes by.")],
) -> None:
    """Say which profile an ID is, by which rule, or why none. Values are masked.

    $ symbolon id explain johndoe@example.com --source crm-email
    pbpaste | symbolon id explain - --source crm-email      # kept out of the shell's history
    """
    if value == STANDARD_INPUT:
        value = sys.stdin.readline().strip()
    explanation = session.project.explain(value, source)
    if session.as_json:
        session.screen.json(explanation)
        return
    verdict = "an import makes it a member" if explanation.member else f"no member: {explanation.reason}"
    lines = [Line(f"{explanation.value} by {explanation.source}: {verdict}", "bold")]
    width = max((len(step.name) for step in explanation.steps), default=0)
    for step in explanation.steps:
        mark, style = ("ok", "") if step.passed else ("no", "yellow")
        lines.append(Line(f"  {mark}  {step.name:<{width}}  {step.detail}", style))
    if explanation.profiles:
        lines.append(Line(f"  profiles: {', '.join(explanation.profiles)}"))
    session.screen.lines(lines)
