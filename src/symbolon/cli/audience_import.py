"""`symbolon audience import`: the main job."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.errors import CommandError
from symbolon.cli.receipts import receipt_lines
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.spool import STANDARD_INPUT, spooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.records import Receipt
    from symbolon.sharing import ImportRequest

app = noun()

#: fewer lost IDs than this are looked at one by one
_WORTH_DIAGNOSING = 10


@command(app, "import")
def import_(
    session: Session,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="A segment file or its parts, or a list; `-` reads standard input."),
    ],
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The data source: how the IDs are read.")],
    name: Annotated[
        str, typer.Option("--name", metavar="AUDIENCE", help="Default: from the source and the segment, or the list.")
    ] = "",
    segment: Annotated[str, typer.Option("--segment", metavar="CODE", help="The wanted segment of the file.")] = "",
    all_segments: Annotated[bool, typer.Option("--all-segments", help="Make an audience of each segment.")] = False,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="The column of the ID in a list.")
    ] = None,
    max_rejected: Annotated[
        str | None, typer.Option("--max-rejected", metavar="N|N%", help="Publish nothing if more is rejected.")
    ] = None,
    force_reconciliation: Annotated[
        bool | None,
        typer.Option(
            "--force-reconciliation/--no-force-reconciliation",
            help="Encrypted addresses: only matched profiles become members (default), or keep every address.",
            show_default=False,
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would happen; write nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also a file that was imported before, is older, or names nobody.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help="A split set without .info is complete after so long."),
    ] = 60.0,
) -> None:
    """Import a shared audience and reconcile it with the profiles.

    $ symbolon audience import delivery.sync.gz --source crm-email --segment 102 --name "Frequent flyers"
    $ symbolon audience import visits.csv --source crm-number --column customer_number --plan
    $ zcat list.gz | symbolon audience import - --source crm-email --name Guests

    A failed import leaves the old version as it is.
    """
    from symbolon.sharing import ImportRequest  # noqa: PLC0415 - heavy

    if [str(path) for path in files] == [STANDARD_INPUT] and not (name or segment or all_segments):
        raise CommandError("an audience from standard input needs a name", hint="add --name AUDIENCE")
    # what comes by a pipe is a list, unless a segment of it is wanted
    piped = "stdin.sync" if segment or all_segments else "stdin"
    with spooled(session.project, files, name=piped) as paths:
        request = ImportRequest(
            paths=paths,
            label=STANDARD_INPUT if paths != files else "",
            source=source,
            name=name,
            segment=segment,
            all_segments=all_segments,
            column=column,
            max_rejected=max_rejected,
            force_reconciliation=force_reconciliation,
            plan=plan,
            force=force,
            wait_s=wait,
        )
        receipts = imported(session, request)
    show_receipts(session, receipts, plan=plan, several=all_segments, addresses=force_reconciliation is False)
    if plan:
        session.screen.say("the same command without --plan does it")
    else:
        session.next(*next_after(receipts[0]))


def imported(session: Session, request: ImportRequest) -> Sequence[Receipt]:
    """Import, and refuse a file of which nothing could be read as a segment.

    Raises:
        SegmentNeeded: there is no segment in it.
    """
    receipts = session.project.audiences.import_(request, session.progress())
    if not receipts:
        from symbolon.sharing.errors import SegmentNeeded  # noqa: PLC0415 - heavy

        hint = f"symbolon file inspect {request.paths[0].name} shows what it looks like"
        raise SegmentNeeded("no line of the file could be read as `ID segment,segment`", hint=hint)
    return receipts


def show_receipts(
    session: Session, receipts: Sequence[Receipt], *, plan: bool, several: bool = False, addresses: bool = False
) -> None:
    """Show what became of an import; `--json` is a list where there may be several audiences."""
    if session.as_json:
        public = [public_receipt(receipt, plan=plan) for receipt in receipts]
        session.screen.json(public if several else public[0])
        return
    for place, receipt in enumerate(receipts):
        if place:
            session.screen.lines([Line()])
        session.screen.lines(receipt_lines(receipt, plan=plan, bars=session.screen.is_terminal, addresses=addresses))


def public_receipt(receipt: Receipt, *, plan: bool) -> dict[str, Any]:
    """Give a receipt for `--json`: its fields, and whether it is a plan."""
    import msgspec  # noqa: PLC0415

    return {**msgspec.to_builtins(receipt), "plan": plan}


def next_after(receipt: Receipt) -> list[list[str]]:
    """Give the commands that make sense after an import."""
    commands = [["audience", "members", receipt.audience]]
    if _hardly_matches(receipt):
        commands.append(["audience", "diagnose", receipt.audience])
    if receipt.rejected:
        commands.append(["audience", "rejects", receipt.audience])
    if receipt.unmatched:
        commands.append(["audience", "rejects", receipt.audience, "--unmatched"])
    if receipt.version > 1 and (receipt.added or receipt.removed):
        commands.append(["audience", "diff", receipt.audience])
    return commands


def _hardly_matches(receipt: Receipt) -> bool:
    """Tell whether less than half of the IDs found a profile, where they had to, and enough to find out why."""
    lost = receipt.unmatched + receipt.rejected_total - receipt.rejected.get("duplicate_id", 0)
    keeps_all = receipt.members >= receipt.matched + receipt.unmatched > receipt.matched  # a File audience
    return bool(receipt.source) and lost >= _WORTH_DIAGNOSING and lost > receipt.matched and not keeps_all
