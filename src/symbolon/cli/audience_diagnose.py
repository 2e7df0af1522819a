"""`symbolon audience diagnose`: the doctor of match rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.audience_reading import Name, VersionOption  # noqa: TC001 - typer reads the annotations
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.words import REJECTED, percent
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.sharing.diagnosing import Diagnosis, Finding

app = noun()

#: hypotheses without time that are listed
_SHOWN = 4
#: hits to be expected, so that the three that are needed are there 19 times out of 20
_SURE_HITS = 6.3


@command(app, "diagnose")
def diagnose(
    session: Session,
    name: Name,
    version: VersionOption = None,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=1, help="IDs to look at, at most 1,000.", show_default=False)
    ] = 1000,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=0, help="How long to try; default: 60.", show_default=False)
    ] = 60.0,
) -> None:
    """Find out why IDs did not match, and which setting would have matched them.

    $ symbolon audience diagnose "Frequent flyers"
    $ symbolon audience diagnose "Frequent flyers" --seconds 300 --json

    Unmatched and rejected IDs are tried in the ways in which deliveries go wrong: other case, spaces, another hash,
    base64, hashed twice, another key or IV, another field. Writes nothing, and shows no ID.
    """
    found = session.project.audiences.diagnose(
        name, version=version, sample=sample, seconds=seconds, progress=session.progress()
    )
    if session.as_json:
        session.screen.json(_public(session, found))
        return
    session.screen.lines(_lines(session, found))
    if found.unexplained and not found.findings:
        session.next(["audience", "rejects", name, "--unmatched"])


def _lines(session: Session, found: Diagnosis) -> Iterator[Line]:
    source = f", data source {found.source}" if found.source else ""
    yield Line(f"{found.audience} version {found.version}{source}", "bold")
    yield from _counts(found)
    if not found.sampled and not found.findings:
        yield Line()
        yield Line("there is nothing to diagnose: " + _nothing(found))
    for one in found.findings:
        yield Line()
        yield from _finding(session, one, found)
    if found.sampled and found.unexplained:
        yield Line()
        yield from _rest(session, found)
    for note in found.notes:
        yield Line(f"note: {note}", "dim")


def _counts(found: Diagnosis) -> Iterator[Line]:
    if found.unknown:
        yield Line(f"  {counted(found.unknown, 'accepted ID has', 'accepted IDs have')} no profile")
    for reason, count in sorted(found.rejected.items(), key=lambda item: -item[1]):
        yield Line(f"  {count:,} rejected: {reason}, {REJECTED.get(reason, '')}")
    if found.sampled:
        yield Line(f"  looked at {counted(found.sampled, 'ID')} of these for {found.seconds:.1f} s", "dim")


def _nothing(found: Diagnosis) -> str:
    if found.notes and not found.source:
        return found.notes[0]
    if found.rejected:
        return "no rejected record holds an ID that could be tried"
    return "no accepted ID is without a profile, and no ID was rejected"


def _finding(session: Session, one: Finding, found: Diagnosis) -> Iterator[Line]:
    if one.faults == ["ambiguous_id"]:
        yield Line(f"{counted(one.count, 'ID')} would match: {one.words}", "bold yellow")
    else:
        share = percent(one.count, found.sampled)
        exact = one.low == one.high
        if not exact:
            share += f"; {percent(one.low, found.sampled)} to {percent(one.high, found.sampled)}"
        would = "would match" if one.would_match else "can match nobody"
        about = "" if exact else "about "
        yield Line(f"{about}{one.count:,} of {found.sampled:,} IDs ({share}) {would}: {one.words}", "bold yellow")
    for place, command_ in enumerate(one.commands):
        yield Line(f"  {'to change it:' if place == 0 else '':<13} {session.typed(command_)}")
    if one.advice:
        yield Line(f"  {one.advice}")
    for words in one.also:
        yield Line(f"  the same IDs would match if {words}", "dim")
    if one.low != one.high:
        part = percent(found.profiles_tried, found.profiles)
        yield Line(f"  estimated: this was tried with {found.profiles_tried:,} profiles ({part})", "dim")


def _rest(session: Session, found: Diagnosis) -> Iterator[Line]:
    share = percent(found.unexplained, found.sampled)
    yield Line(f"{found.unexplained:,} of {found.sampled:,} IDs ({share}) stay unexplained", "bold")
    yield Line("  usually these are people who are not among your profiles: `symbolon audience refresh` lets them join")
    yield Line("  when they are; if it should be everybody, ask the sender for one ID whose value you know, and try")
    yield Line(f"  {session.typed(['id', 'explain', 'VALUE', '--source', found.source])}")
    if found.not_tried:
        listed = ", ".join(found.not_tried[:_SHOWN])
        more = f" and {len(found.not_tried) - _SHOWN} more" if len(found.not_tried) > _SHOWN else ""
        yield Line(f"  not tried: {listed}{more}; a larger --seconds gives time", "yellow")
    if found.profiles_tried < found.profiles:
        least = percent(round(_SURE_HITS * found.profiles / found.profiles_tried), found.sampled)
        tried = f"{found.profiles_tried:,} of {found.profiles:,} profiles"
        yield Line(f"  tried with {tried}: a fault of less than about {least} of the IDs may not show", "dim")


def _public(session: Session, found: Diagnosis) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    public: dict[str, Any] = msgspec.to_builtins(found)
    for one, finding in zip(public["findings"], found.findings, strict=True):
        one["commands"] = [session.typed(words) for words in finding.commands]
    return public
