"""Policy of an import: terms first, then who stays out.

Invariant: fail closed. A source that has terms moves nothing before they are accepted, and a profile that opted out of
sharing is matched and counted, but never a member.

Source: Adobe Campaign Standard shows "View and accept terms and conditions" on each Shared Data Source and warns of
legal restrictions on imported audiences; the opt-out of sharing is its `ccpaOptOut`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.policy.errors import TermsNotAccepted

if TYPE_CHECKING:
    import ibis

    from symbolon.profiles import Profiles
    from symbolon.records import DataSource


def require_terms(source: DataSource) -> None:
    """Refuse to go on when the terms of `source` are not accepted.

    Raises:
        TermsNotAccepted: the source has terms that nobody accepted.
    """
    if source.terms and source.terms_accepted_at is None:
        raise TermsNotAccepted(
            f"data source `{source.name}` has terms that nobody has accepted",
            hint=f"read and accept them: symbolon source accept {source.name}",
            details={"source": source.name},
        )


def withheld_from_imports(profiles: Profiles) -> ibis.Table:
    """Give the `profile_id` of those who may be matched but not become members: they opted out of sharing."""
    return profiles.opted_out_of_sharing()
