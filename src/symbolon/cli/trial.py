"""`symbolon source test`: a plan over a sample, and in words whether source and sample fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.cli.audience_import import imported, public_receipt
from symbolon.cli.receipts import receipt_lines
from symbolon.cli.screen import Line
from symbolon.cli.words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbolon.cli.session import Session
    from symbolon.records import DataSource, Receipt

#: shares from which a sample is called good, and unusable
GOOD_MATCH, POOR_MATCH, POOR_READ = 0.2, 0.01, 0.5
#: segments that are listed
_SHOWN = 20


def trial(session: Session, name: str, file: Path, *, segment: str, column: str | None) -> None:
    """Plan an import of `file` and judge it."""
    from symbolon.files import parse_name  # noqa: PLC0415 - heavy
    from symbolon.sharing import ImportRequest  # noqa: PLC0415

    source = session.project.sources.show(name)
    is_list = column is not None or parse_name(file.name, timestamp=source.timestamp) is None
    request = ImportRequest(
        paths=[file],
        source=name,
        name=f"test of {name}",
        segment=segment,
        all_segments=not segment and not is_list,
        column=column,
        plan=True,
        force=True,
        wait_s=0,
    )
    receipts = imported(session, request)
    fits, words = verdict(source, receipts)
    if session.as_json:
        public = [public_receipt(receipt, plan=True) for receipt in receipts]
        session.screen.json({"source": name, "fits": fits, "verdict": words, "receipts": public})
        return
    session.screen.lines(
        [Line(words, "bold green" if fits else "bold yellow"), Line("nothing was written", "dim"), Line()]
    )
    shown = sorted(receipts, key=lambda receipt: -receipt.received)
    title = f"segment {shown[0].segment}" if shown[0].segment else file.name
    bars = session.screen.is_terminal
    session.screen.lines(receipt_lines(shown[0], plan=True, bars=bars, title=title))
    if shown[1:]:
        session.screen.lines([Line(), Line("the other segments", "bold")])
        rows = [[one.segment, one.received, one.accepted, one.matched, one.members] for one in shown[1:_SHOWN]]
        session.screen.table(["segment", "received", "accepted", "matched", "members"], rows)
    if len(shown) > _SHOWN:
        session.screen.say(f"and {len(shown) - _SHOWN} more; --json gives all")
    wanted = ["--segment", shown[0].segment] if shown[0].segment else []
    wanted += ["--column", column] if column else []
    if fits:
        session.next(["audience", "import", str(file), "--source", name, *wanted])
    else:
        session.next(["file", "inspect", str(file)], ["source", "edit", name, "--help"])


def verdict(source: DataSource, receipts: Sequence[Receipt]) -> tuple[bool, str]:
    """Say whether source and sample fit, and if not, what is most likely wrong."""
    received = sum(receipt.received for receipt in receipts)
    accepted = sum(receipt.accepted for receipt in receipts)
    matched = sum(receipt.matched for receipt in receipts)
    rejected: dict[str, int] = {}
    for receipt in receipts:
        for reason, count in receipt.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    if not received:
        return False, "the sample has no record for this data source"
    if accepted < POOR_READ * received:
        worst = max(rejected, key=lambda reason: rejected[reason])
        return False, f"they do not fit: {percent(received - accepted, received)} is rejected, {_MEND[worst]}"
    share = f"{percent(accepted, received)} can be read, {percent(matched, accepted) or 'nobody'} of that matches"
    if matched < POOR_MATCH * accepted:
        wrong = "links are missing" if source.kind == "visitor" else "key or normalisation differ from the sender's"
        return False, f"readable, but hardly anybody is known: {share}; perhaps {wrong}"
    if matched < GOOD_MATCH * accepted:
        return True, f"they fit, with few matches: {share}"
    return True, f"they fit: {share}"


#: reason -> what to look at first
_MEND = {
    "malformed_line": "most lines are not an ID with segments: look at the columns and what separates them",
    "line_too_long": "lines are too long: line ends may have been lost on the way",
    "malformed_id": "the IDs are of another kind or protection than the data source says",
    "bad_encoding": "the bytes are written otherwise than the data source's --encoding says",
    "decrypt_failed": "key, IV or encoding are not those of the sender",
    "invalid_address": "key, IV or channel are not those of the sender",
    "duplicate_id": "the same IDs come again and again",
}
