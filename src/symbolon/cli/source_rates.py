"""The match rate of a data source over time, as `source show` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbolon.cli.screen import Line
from symbolon.cli.words import percent
from symbolon.sharing.rates import import_rates, newest_fall

if TYPE_CHECKING:
    from symbolon.cli.session import Session
    from symbolon.records import DataSource
    from symbolon.sharing.rates import ImportRate
    from symbolon.store import Store

#: imports that are listed
_SHOWN = 10


def show_rates(session: Session, source: DataSource) -> None:
    """Show the last imports of a source with their match rates, and warn if the newest fell."""
    rates = import_rates(session.project.store, source)
    if not rates:
        return
    more = f", the last {_SHOWN} of {len(rates):,}" if len(rates) > _SHOWN else ""
    session.screen.lines([Line(), Line(f"imports{more}", "bold")])
    session.screen.table(
        ["audience", "version", "when", "received", "accepted", "matched", "match rate", "why not"],
        [
            [
                one.audience,
                one.version,
                one.created,
                one.received,
                one.accepted,
                one.matched,
                "" if one.rate is None else percent(one.matched, one.matched + sum(one.unmatched.values())) or "0.0 %",
                _reasons(one),
            ]
            for one in rates[:_SHOWN]
        ],
    )
    if warning := newest_fall(session.project.store, source):
        session.screen.lines([Line(f"warning: {warning}", "yellow")])


def public_rates(store: Store, source: DataSource) -> dict[str, Any]:
    """Give the imports of a source for `--json`, the newest first, and the warning, empty if there is none."""
    import msgspec  # noqa: PLC0415

    return {"imports": msgspec.to_builtins(import_rates(store, source)), "warning": newest_fall(store, source)}


def _reasons(one: ImportRate) -> str:
    """Name the reasons, the most frequent first."""
    counts = sorted({**one.unmatched, **one.rejected}.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {reason}" for reason, count in counts[:3]) + (", ..." if len(counts) > 3 else "")
