"""A receipt as a funnel: from the lines of the delivery down to the members, with what was left on the way and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symbolon.cli.screen import Line
from symbolon.cli.words import REJECTED, UNMATCHED, percent
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.records import Receipt

_PLAN = "PLAN: nothing was written. This is what would happen:"
_BAR = 24


@dataclass(slots=True)
class _Step:
    """A level of the funnel, and what is left out on the way to the next."""

    name: str
    count: int
    #: (count, reason, in words)
    leaks: list[tuple[int, str, str]] = field(default_factory=list)
    note: str = ""


def receipt_lines(
    receipt: Receipt, *, plan: bool = False, bars: bool = False, addresses: bool = False, title: str = ""
) -> Iterator[Line]:
    """Give a receipt as lines of text.

    Args:
        receipt: of an import, a refresh or a reconciliation.
        plan: whether nothing was written.
        bars: whether each level gets a bar.
        addresses: whether its members are addresses, not profiles: a File audience.
        title: what to say above it instead of what became of the audience.
    """
    if plan and not title:
        yield Line(_PLAN, "bold yellow")
    if title:
        yield Line(title, "bold")
    elif receipt.unchanged:
        yield Line(f"{receipt.audience}: nothing to do, version {receipt.version} stands", "bold")
    else:
        would = "would become" if plan else "is now"
        members = counted(receipt.members, "address", "addresses") if addresses else counted(receipt.members, "member")
        yield Line(f"{receipt.audience} {would} version {receipt.version}: {members}", "bold green")
    yield Line("  " + _origin(receipt), "dim")
    yield Line()
    yield from _funnel(_steps(receipt, addresses=addresses), bars=bars)
    if not receipt.unchanged and not title:
        yield Line()
        before = f"version {receipt.version - 1}" if receipt.version > 1 else "nothing before"
        yield Line(f"  {receipt.added:,} joined, {receipt.removed:,} left, compared with {before}")
    if receipt.ambiguous:
        yield Line(f"  {counted(receipt.ambiguous, 'ID belongs', 'IDs belong')} to several profiles each (ambiguous)")
    for warning in receipt.warnings:
        yield Line(f"  warning: {warning}", "yellow")


def _origin(receipt: Receipt) -> str:
    parts = []
    if receipt.source:
        parts.append(f"data source {receipt.source}")
    if receipt.segment:
        parts.append(f"segment {receipt.segment}")
    if receipt.files:
        more = f" and {len(receipt.files) - 1} more" if len(receipt.files) > 1 else ""
        parts.append(f"{receipt.files[0]}{more}" + (" (incremental)" if receipt.mode == "iter" else ""))
    parts.append(f"{receipt.seconds:.1f} s")
    return ", ".join(parts)


def _steps(receipt: Receipt, *, addresses: bool) -> list[_Step]:
    rejected = sorted(receipt.rejected.items(), key=lambda item: -item[1])
    unmatched = sorted(receipt.unmatched_reasons.items(), key=lambda item: -item[1])
    words = UNMATCHED if receipt.source else UNMATCHED | {"unknown_id": "no profile has it"}
    accepted = [(count, reason, words.get(reason, "")) for reason, count in unmatched]
    accepted.append((receipt.removals, "removals", "IDs that the delivery takes out"))
    steps = []
    if receipt.other_segments:
        others = (receipt.other_segments, "other_segments", "they name other segments only")
        steps.append(_Step("lines", receipt.lines, [others]))
    steps.append(
        _Step("received", receipt.received, [(count, reason, REJECTED.get(reason, "")) for reason, count in rejected])
    )
    steps.append(_Step("accepted", receipt.accepted, [leak for leak in accepted if leak[0]]))
    withheld = [(receipt.withheld, "withheld", "the profile opted out of sharing")] if receipt.withheld else []
    steps.append(_Step("matched", receipt.matched, withheld))
    steps.append(_Step("members", receipt.members, note=_note(receipt, addresses=addresses)))
    return steps


def _note(receipt: Receipt, *, addresses: bool) -> str:
    """Say why there are not as many members as matched IDs."""
    matched = receipt.matched - receipt.withheld
    if receipt.mode == "iter":
        return "with those of the version before"
    if addresses:
        return "every address that could be read, known or not"
    if receipt.members < matched:
        return "several IDs of one profile count once"
    return "several profiles of one ID count each" if receipt.members > matched else ""


def _funnel(steps: list[_Step], *, bars: bool) -> Iterator[Line]:
    widest = max(len(f"{step.count:,}") for step in steps)
    top = max([step.count for step in steps] + [1])
    reasons = [reason for step in steps for _, reason, _ in step.leaks]
    wide = max([len(reason) for reason in reasons] + [0])
    for step in steps:
        bar = "  " + "█" * round(_BAR * step.count / top) if bars else ""
        note = f"  {step.note}" if step.note else ""
        yield Line(f"  {step.name:<9} {step.count:>{widest},}{bar}{note}".rstrip(), "bold")
        for count, reason, words in step.leaks:
            share = percent(count, step.count)
            yield Line(f"    {'-' + format(count, ','):>{widest + 8}}  {share:>8}  {reason:<{wide}}  {words}".rstrip())


def rejected_lines(rejected: dict[str, int], whole: int, words: dict[str, str]) -> Iterator[Line]:
    """Give counts by reason as lines, the most frequent first."""
    width = max((len(f"{count:,}") for count in rejected.values()), default=0)
    wide = max((len(reason) for reason in rejected), default=0)
    for reason, count in sorted(rejected.items(), key=lambda item: (-item[1], item[0])):
        yield Line(
            f"    {count:>{width},}  {percent(count, whole):>8}  {reason:<{wide}}  {words.get(reason, '')}".rstrip()
        )
