"""`symbolon scheme`: how parties write values before they hash them, and whether a partner does. Needs no project."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.spool import STANDARD_INPUT, shown_name
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from symbolon.ids import Rule, VectorFile, Verdict

app = noun()


@app.callback()
def _group() -> None:
    """Look up how parties write values before they hash them, and test whether a partner does."""


@command(app, "list", project=False)
def list_schemes(session: Session) -> None:
    """List the rules of all schemes: a party, a field, since when, how it is digested.

    $ symbolon scheme list
    """
    from symbolon.ids import scheme_rules, schemes  # noqa: PLC0415 - heavy

    rules = [one for name in schemes() for one in scheme_rules(name)]
    if session.as_json:
        session.screen.json([_public(one) for one in rules])
        return
    session.screen.table(
        ["scheme", "field", "version", "since", "digest"],
        [[one.party, one.field, one.version, one.effective, digested(one)] for one in rules],
    )


@command(app, "show", project=False)
def show(
    session: Session,
    scheme: Annotated[
        str, typer.Argument(metavar="SCHEME", help="A scheme, `google`, or one version of its rules, `google@1`.")
    ],
) -> None:
    """Show the rules of a scheme: what is done, who says so, and examples to compare with.

    $ symbolon scheme show google
    """
    from symbolon.ids import rule, scheme_rules  # noqa: PLC0415

    rules = scheme_rules(scheme)
    if "@" in scheme:
        rules = [rule(scheme, field) for field in dict.fromkeys(one.field for one in rules)]
    if session.as_json:
        session.screen.json([_public(one) for one in rules])
        return
    session.screen.lines(line for one in rules for line in _lines(one))


@command(app, "test", project=False)
def check(
    session: Session,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or TSV: a column of values, a column of digests; `-` reads it.")
    ],
    scheme: Annotated[str, typer.Option("--scheme", metavar="SCHEME", help="A scheme, or `all` to find the one.")],
    field: Annotated[
        str, typer.Option("--field", metavar="FIELD", help="email, phone, ...; default: what the values look like.")
    ] = "",
    region: Annotated[
        str, typer.Option("--region", metavar="FR", help="The country of numbers without a country code.")
    ] = "",
    value_column: Annotated[str, typer.Option("--value-column", metavar="NAME", help="Its name, or its number.")] = "",
    digest_column: Annotated[str, typer.Option("--digest-column", metavar="NAME", help="Its name, or number.")] = "",
) -> None:
    """Test a partner's values and digests: does a scheme make them, and if not, what was done instead?

    $ symbolon scheme test partner.csv --scheme all
    $ symbolon scheme test partner.csv --scheme google --field email

    Ends with 0 if a scheme makes all digests, with 2 if none does. Needs no project, keeps nothing, shows no value.
    """
    from symbolon.ids import VectorFileError, compare, read_vectors, rules_to_compare  # noqa: PLC0415

    name = shown_name(file) or str(file)
    with _opened(file) as source:
        found = read_vectors(source, name, value_column=value_column, digest_column=digest_column)
    field = field or found.looks_like
    if not field:
        raise VectorFileError(
            "its values look like neither e-mail addresses nor telephone numbers", hint="say what they are: --field"
        )
    verdicts = compare(found.vectors, rules_to_compare(scheme, field), region.upper())
    best = verdicts[0]
    if session.as_json:
        session.screen.json(_verdict(name, field, found, verdicts))
    else:
        session.screen.lines(_verdict_lines(name, field, found, verdicts))
    if not best.agrees:
        raise _disagreement(name, best)


def digested(one: Rule) -> str:
    """Say how a party digests a field."""
    ways: dict[str, list[str]] = {}
    for algorithm, encoding in one.hashes:
        ways.setdefault(algorithm, []).append(encoding)
    return ", ".join(f"{name} {' or '.join(forms)}" for name, forms in ways.items()) or "not hashed"


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if str(file) == STANDARD_INPUT else file.open("rb")


def _public(one: Rule) -> dict[str, object]:
    return {
        "scheme": one.party,
        "field": one.field,
        "version": one.version,
        "effective": one.effective,
        "steps": [step.words for step in one.steps],
        "digests": [{"algorithm": algorithm, "encoding": encoding} for algorithm, encoding in one.hashes],
        "source": one.source,
        "notes": one.notes,
        "examples": [
            {"value": value, "region": region, "normal": normal, "digest": digest}
            for value, region, normal, digest in one.golden
        ],
    }


def _lines(one: Rule) -> Iterator[Line]:
    yield Line(f"{one.party} {one.field}, version {one.version}, since {one.effective}", "bold")
    yield Line(f"  does     {one.words}")
    yield Line(f"  digest   {digested(one)}")
    yield Line(f"  source   {one.source}")
    if one.notes:
        yield Line(f"  note     {one.notes}", "yellow")
    for value, region, normal, digest in one.golden:
        where = f" ({region})" if region else ""
        yield Line(f"  example  {value!r}{where} -> {normal}", "dim")
        if digest:
            yield Line(f"           {digest}", "dim")


def _verdict_lines(name: str, field: str, found: VectorFile, verdicts: list[Verdict]) -> Iterator[Line]:
    best = verdicts[0]
    more = ", the first ones of the file" if found.more else ""
    yield Line(f"{name}: {counted(best.rows, 'vector')}{more}, {field}", "bold")
    yield Line(f"  values in column {found.value_column}, digests in column {found.digest_column}", "dim")
    width = max(len(one.scheme) for one in verdicts)
    for one in verdicts:
        style = "green" if one.agrees else "" if one.agreed else "dim"
        yield Line(f"  {one.scheme:<{width}}  {one.agreed:,} of {one.rows:,} agree", style)
    if not best.agrees:
        yield Line(
            f"{best.scheme} comes nearest; the first that differ:" if len(verdicts) > 1 else "the first that differ:"
        )
        for wrong in best.disagreements:
            yield Line(f"  {name}:{wrong.line}:{wrong.column}: {wrong.reason}", "yellow")


def _verdict(name: str, field: str, found: VectorFile, verdicts: list[Verdict]) -> dict[str, object]:
    return {
        "file": name,
        "field": field,
        "rows": len(found.vectors),
        "complete": not found.more,
        "value_column": found.value_column,
        "digest_column": found.digest_column,
        "agrees": verdicts[0].agrees,
        "best": [one.scheme for one in verdicts if one.agreed == verdicts[0].agreed] if verdicts[0].agreed else [],
        "schemes": verdicts,
    }


def _disagreement(name: str, best: Verdict) -> Exception:
    from symbolon.errors import Location  # noqa: PLC0415
    from symbolon.ids import VectorsDisagree  # noqa: PLC0415

    first = best.disagreements[0]
    wrong = best.rows - best.agreed
    are = "is" if wrong == 1 else "are"
    return VectorsDisagree(
        f"{wrong:,} of {best.rows:,} digests {are} not what {best.scheme} makes",
        where=Location(name, first.line, first.column),
        hint=first.reason,
        details={"scheme": best.scheme, "agreed": best.agreed, "rows": best.rows},
    )
