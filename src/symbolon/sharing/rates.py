"""The match rate of a data source over time, and when a fall of it is worth a warning.

Invariant: read from the receipts alone; no rows are touched.
"""

from __future__ import annotations

import shlex
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from symbolon.records import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.records import AudienceVersion, DataSource, Receipt
    from symbolon.store import Store

#: a fall of fewer points is not warned of
LEAST_FALL = 0.10
#: nor one among fewer IDs
LEAST_IDS = 100
#: nor one within so many standard deviations of what chance does
_BEYOND_CHANCE = 3.0
#: the imports before that a new one is compared with
_COMPARED = 10
#: imports of other audiences that make up for an audience without a past
_LEAST_OTHERS = 3


class ImportRate(msgspec.Struct, frozen=True, kw_only=True):
    """What one import matched."""

    audience: str
    version: int
    created: datetime
    received: int
    accepted: int
    matched: int
    #: matched / (matched + unmatched); None = it had no ID to match
    rate: float | None
    #: why accepted IDs did not match
    unmatched: dict[str, int] = {}
    #: why records were rejected
    rejected: dict[str, int] = {}


def match_rate(receipt: Receipt) -> float | None:
    """Give the share of the IDs to be matched that have a profile; None = there were none."""
    asked = receipt.matched + receipt.unmatched
    return receipt.matched / asked if asked else None


def import_rates(store: Store, source: DataSource) -> list[ImportRate]:
    """Give what the imports of a source matched, the newest first."""
    return [
        ImportRate(
            audience=version.receipt.audience,
            version=version.version,
            created=version.created,
            received=version.receipt.received,
            accepted=version.receipt.accepted,
            matched=version.receipt.matched,
            rate=match_rate(version.receipt),
            unmatched=version.receipt.unmatched_reasons,
            rejected=version.receipt.rejected,
        )
        for version in _imports(store, source)
    ]


def newest_fall(store: Store, source: DataSource) -> str:
    """Warn if the newest import of a source matched clearly less than those before; empty = it did not."""
    imports = _imports(store, source)
    return fall(imports[0].receipt, imports[1:]) if imports else ""


def fall_of(store: Store, source: DataSource, receipt: Receipt) -> str:
    """Warn if an import that is not published yet matched clearly less than those before; empty = it did not."""
    return fall(receipt, _imports(store, source))


def fall(receipt: Receipt, before: Sequence[AudienceVersion]) -> str:
    """Compare an import with those before: of its own audience, or else of all audiences of the source.

    Args:
        receipt: of the import.
        before: the imports of its data source before it, the newest first.
    """
    own = [one for one in before if one.receipt.audience == receipt.audience]
    compared = own or (list(before) if len(before) >= _LEAST_OTHERS else [])
    rates = [rate for one in compared[:_COMPARED] if (rate := match_rate(one.receipt)) is not None]
    rate, asked = match_rate(receipt), receipt.matched + receipt.unmatched
    if rate is None or not rates or asked < LEAST_IDS:
        return ""
    usual = median(rates)
    # a rate of 0 or 1 would leave chance no room at all
    spread = (max(usual * (1 - usual), 0.01) / asked) ** 0.5
    if usual - rate <= max(LEAST_FALL, _BEYOND_CHANCE * spread):
        return ""
    count = f"the import before had {usual:.1%}" if len(rates) == 1 else f"the {len(rates)} before had {usual:.1%}"
    words = f"the match rate fell to {rate:.1%}; {count}".replace("%", " %")
    return f"{words}: `symbolon audience diagnose {shlex.quote(receipt.audience)}` looks for the reason"


def _imports(store: Store, source: DataSource) -> list[AudienceVersion]:
    """Give the published imports of a source, the newest first."""
    found = [
        version
        for audience in store.audiences()
        if audience.source_id == source.id
        for version in store.versions(audience.id)
        if version.origin is Origin.IMPORT
    ]
    return sorted(found, key=lambda version: version.created, reverse=True)
