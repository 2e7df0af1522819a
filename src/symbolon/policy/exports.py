"""Policy of an export: terms first, then who stays out, and why.

Invariant: fail closed, and no override. A profile that opted out of sharing or was denylisted is in no file, and
neither is an ID that another profile has too which opted out.

Source: Adobe Campaign Standard knows an opt-out of sale (`ccpaOptOut`) and denylists for all channels and by channel
(`blackList`, `blackListEmail`, `blackListMobile`), and does not say what sharing makes of them. Here the opt-out of
sharing, the denylist of everything and that of e-mail hold whatever is shared; that of text messages holds where
telephone numbers are. Those of post, calls and notifications concern messages that no shared audience leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from symbolon.ids import field_for
from symbolon.policy.imports import require_terms
from symbolon.records import Channel

if TYPE_CHECKING:
    from symbolon.profiles import Profiles
    from symbolon.records import DataSource

#: flags that keep a profile out of every export, the one that is told first
ALWAYS = ("do_not_share", "opt_out_all", "opt_out_email")
#: the flag of telephone numbers
OF_TELEPHONES = "opt_out_sms"
#: a profile has no ID of its own that nobody else has who opted out
SHARED_ID = "id_opted_out"
#: why a delivery was given up of which nothing had arrived: somebody in it said no meanwhile
WITHHELD_SINCE = "policy.withheld"

__all__ = ["ALWAYS", "OF_TELEPHONES", "SHARED_ID", "WITHHELD_SINCE", "require_terms", "withheld_from_exports"]


def withheld_from_exports(profiles: Profiles, source: DataSource) -> ibis.Table:
    """Give those who stay out of an export through `source`: `profile_id`, `reason` (the first that holds)."""
    people = profiles.current()
    telephones = source.channel is Channel.SMS or field_for(source.key) == "phone"
    flags = (*ALWAYS, *((OF_TELEPHONES,) if telephones else ()))
    reason = ibis.cases(*[(people[name], name) for name in flags], else_=ibis.null("string"))
    rows = people.select("profile_id", reason=reason)
    return rows.filter(rows.reason.notnull())
