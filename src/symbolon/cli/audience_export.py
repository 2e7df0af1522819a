"""`symbolon audience export`: members as files at another solution."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from symbolon.cli.audience_changes import Name, PlanOption, YesOption  # noqa: TC001 - typer reads the annotations
from symbolon.cli.errors import CommandError
from symbolon.cli.receipts import rejected_lines
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.words import WITHHELD, WITHOUT_ID
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.targeting import ExportReceipt

app = noun()


@command(app, "export")
def export(
    session: Session,
    name: Name,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The data source whose IDs are shared.")],
    segment: Annotated[str, typer.Option("--segment", metavar="ID", help="Id of the segment at the other side.")],
    to: Annotated[
        str,
        typer.Option("--to", metavar="PLACE", help="A transport (`partner`, `partner/in`), a URL, or a folder."),
    ],
    mode: Annotated[
        Literal["add", "sync", "replace"],
        typer.Option(
            "--mode",
            help="`add` who is new; `sync` also takes away whom we added and who left; `replace` sends all again.",
        ),
    ] = "add",
    shared_as: Annotated[
        str, typer.Option("--as", metavar="NAME", help="What the shared audience is called here. Default: NAME.")
    ] = "",
    fmt: Annotated[
        Literal["inbound", "csv", "parquet"],
        typer.Option("--format", help="Files of an audience manager, or lists with `id` and `change`."),
    ] = "inbound",
    max_shrink: Annotated[
        str,
        typer.Option(
            "--max-shrink",
            metavar="N%",
            help="Ask first if more of those shared before would leave: `50%` or `0.5`. A bare `1` is refused: "
            "it is `1%` or `100%`.",
        ),
    ] = "50%",
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress the files.")] = False,
    by_day: Annotated[bool, typer.Option("--by-day", help="Below a folder `date=YYYY-MM-DD`, as S3 wants it.")] = False,
    owner: Annotated[
        str, typer.Option("--owner", metavar="DPID", help="The data source that owns the segment, if it is another.")
    ] = "",
    signal: Annotated[bool, typer.Option("--signal", help="Send the segment as a signal, `ic=`; `add` only.")] = False,
    plan: PlanOption = False,
    yes: YesOption = False,
) -> None:
    """Share the members of an audience with another solution: who is new, who left, and why somebody cannot be shared.

    $ symbolon audience export vip --source partner --segment 24 --to partner/in --mode sync --plan
    $ symbolon audience export vip --source partner --segment 24 --to s3://bucket/in --mode sync
    $ symbolon audience export vip --source partner --segment vip --to ./out --format csv

    What was delivered is delivered once: the same command again sends only what has changed since.
    """
    options = {"gzip": gzip, "by_day": by_day, "signal": signal}
    given: dict[str, Any] = {
        "source": source, "segment": segment, "to": _place(session, to), "shared_as": shared_as, "mode": mode,
        "format": fmt, "max_shrink": _part(max_shrink), "plan": plan, "force": yes,
        "options": {key: "yes" for key, wanted in options.items() if wanted} | ({"owner": owner} if owner else {}),
    }  # fmt: skip
    receipt = _shared(session, name, given)
    if session.as_json:
        import msgspec  # noqa: PLC0415

        session.screen.json({**msgspec.to_builtins(receipt), "plan": plan})
        return
    session.screen.lines(_lines(receipt, to, plan=plan))
    if plan:
        session.screen.say("the same command without --plan does it")
    elif receipt.withheld or receipt.without_id:
        session.next(["audience", "members", name])
    else:
        session.next(["audience", "show", name])


def _shared(session: Session, name: str, given: dict[str, Any]) -> ExportReceipt:
    """Share; ask before much is taken away, where somebody is there to be asked."""
    from symbolon.sharing.errors import ShrinkRefused  # noqa: PLC0415 - heavy

    try:
        return session.project.audiences.export(name, **given)
    except ShrinkRefused as refused:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        session.confirm(f"{refused.summary.removesuffix('; nothing was sent')}. Share it all the same?", yes=False)
        return session.project.audiences.export(name, **{**given, "force": True})


def _place(session: Session, to: str) -> str:
    """Give a place so that it means the same wherever somebody stands: a folder is relative to where this is typed."""
    from symbolon.transports import is_url  # noqa: PLC0415 - heavy

    known = {one.name for one in session.project.transports.list()}
    if is_url(to) or to.partition("/")[0] in known:
        return to
    folder = Path(to).expanduser()
    return str(folder.absolute()) if "/" in to or folder.is_dir() else to


def _part(text: str) -> float:
    """Give a part of a whole from `50%` or `0.5`. A bare number from 1 on would be read as percent by many."""
    bare = text.strip()
    number = bare.removesuffix("%")
    try:
        value = float(number) / (100 if bare.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if bare == number and 1 <= value <= 100:
        mend = f"--max-shrink {number}%" + (", or 100% for all" if value == 1 else f", or {value / 100:g}")
        raise CommandError("--max-shrink is a part of those shared before: percent have a `%`", hint=mend)
    if not 0 <= value <= 1:
        raise CommandError("--max-shrink is a part of those shared before", hint="--max-shrink 50%, or 0.5")
    return value


def _lines(receipt: ExportReceipt, to: str, *, plan: bool) -> Iterator[Line]:
    if plan:
        yield Line("PLAN: nothing was sent. This is what would happen:", "bold yellow")
    if receipt.unchanged:
        yield Line(f"{receipt.audience}: nothing to send, version {receipt.version} stands", "bold")
    else:
        would = "would be shared" if plan else "is shared"
        title = f"{receipt.audience} {would} as version {receipt.version}: {counted(receipt.shared, 'profile')}"
        yield Line(title, "bold green")
    facts = (f"data source {receipt.source}", f"segment {receipt.segment}", receipt.mode, f"to {to}")
    yield Line("  " + ", ".join((*facts, f"{receipt.seconds:.1f} s")), "dim")
    yield Line()
    wide = len(f"{receipt.population:,}")
    yield Line(f"  population {receipt.population:>{wide},}", "bold")
    yield from rejected_lines(receipt.withheld | receipt.without_id, receipt.population, WITHHELD | WITHOUT_ID)
    yield Line(f"  shared     {receipt.shared:>{wide},}", "bold")
    yield Line(f"  IDs        {receipt.ids:>{wide},}", "bold")
    yield Line()
    if receipt.mode == "add" and not receipt.removed:
        gone = "nobody leaves"
    else:
        gone = "cannot tell who leaves" if receipt.removed is None else f"{receipt.removed:,} removed"
    yield Line(f"  {counted(receipt.added, 'ID')} added, {gone}, {receipt.kept:,} there already")
    for file in receipt.files:
        size = f"{file['bytes']:,} bytes"
        yield Line(f"  {file['name']}  {counted(int(str(file['records'])), 'record')}, {size}")
    for warning in receipt.warnings:
        yield Line(f"  warning: {warning}", "yellow")
