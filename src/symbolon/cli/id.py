"""`symbolon id`: why an ID matches, or does not; and how a value becomes one."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.errors import CommandError
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.spool import STANDARD_INPUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.ids import Trace

app = noun()
#: what `--field` means where it is not given
_NUMBER = re.compile(r"[-+0-9().\s/]{5,}")


@app.callback()
def _group() -> None:
    """Ask why an ID matches, or does not, and how a value is normalised."""


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
    given = _given(value)
    explanation = session.project.explain(given.strip() if value == STANDARD_INPUT else given, source)
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


@command(app, "normalise", project=False)
def normalise(
    session: Session,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="An address, a number, a name; `-` reads a line of standard input.")
    ],
    scheme: Annotated[str, typer.Option("--scheme", metavar="SCHEME", help="Whose rules: `google`, `google@1`.")],
    field: Annotated[
        str, typer.Option("--field", metavar="FIELD", help="email, phone, ...; default: what the value looks like.")
    ] = "",
    region: Annotated[
        str, typer.Option("--region", metavar="FR", help="The country of numbers without a country code.")
    ] = "",
) -> None:
    """Normalise a value step by step, and digest it as a party does. Needs no project, keeps nothing.

    $ symbolon id normalise Jane.Doe+news@gmail.com --scheme google
    pbpaste | symbolon id normalise - --scheme meta --field phone     # kept out of the shell's history
    """
    from symbolon.ids import trace  # noqa: PLC0415 - heavy

    value = _given(value)
    found = trace(value, scheme, field or _field_of(value), region.upper())
    if session.as_json:
        session.screen.json(_public(found))
    else:
        session.screen.lines(_lines(found))


def _given(value: str) -> str:
    """Give the value that was typed, or the line of standard input without its end; both must be text."""
    try:
        if value == STANDARD_INPUT:
            return sys.stdin.buffer.readline().decode().rstrip("\r\n")
        value.encode()
    except UnicodeError:
        raise CommandError("the value is not UTF-8", hint="convert it first, or look at its file") from None
    return value


def _field_of(value: str) -> str:
    from symbolon.ids import recognise  # noqa: PLC0415

    if "@" in value or recognise(value, "email"):
        return "email"
    return "phone" if _NUMBER.fullmatch(value) else "text"


def _lines(found: Trace) -> Iterator[Line]:
    entry = found.rule
    if found.normal is not None:
        yield Line(found.normal, "bold")
    elif found.digests:
        yield Line("a digest already: it is taken as it is", "bold")
    else:
        yield Line(f"no normalised form: {found.reason}", "bold yellow")
    yield Line(f"  by {entry.party}@{entry.version}, {entry.field}, since {entry.effective}")
    if found.recognised:
        yield Line(f"  {found.recognised.evidence}")
    width = max((len(step.words) for step in found.steps), default=0)
    for step in found.steps:
        became = "no: it ends here" if step.value is None else step.value if step.changed else "nothing to do"
        yield Line(f"  {step.words:<{width}}  {became}", "" if step.changed else "dim")
    for one in found.digests:
        yield Line(f"{one.algorithm} {one.encoding:<6}  {one.text}")
    if found.normal is not None and not found.digests:
        yield Line(f"{entry.party} takes this field plain, not hashed")
    if entry.notes:
        yield Line(f"note: {entry.notes}", "dim")


def _public(found: Trace) -> dict[str, object]:
    known = found.recognised
    return {
        "scheme": f"{found.rule.party}@{found.rule.version}",
        "field": found.rule.field,
        "normal": found.normal,
        "digests": [
            {"algorithm": one.algorithm, "encoding": one.encoding, "digest": one.text} for one in found.digests
        ],
        "reason": found.reason,
        "steps": [{"step": one.words, "value": one.value, "changed": one.changed} for one in found.steps],
        "digest_already": known
        and {
            "algorithm": known.algorithm,
            "encoding": known.encoding,
            "confidence": known.confidence,
            "evidence": known.evidence,
        },
        "source": found.rule.source,
        "notes": found.rule.notes,
    }
