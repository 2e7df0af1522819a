"""Policy of messages: who does not get one, and why.

Invariant: fail closed. A flag that is set keeps its profile out, whatever the population or its columns say.

Source: Adobe Campaign Standard, "Opt-in and opt-out" (a denylist is on the profile, for all channels or by channel;
opting one profile out does not stop another that shares its address) and "Filtering rules" (address not specified,
address on denylist, duplicate). Its quarantine of addresses needs what servers tell later, and is not kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from symbolon.records import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

#: channel -> flags that keep a profile out, the one that is told first
OPT_OUTS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("opt_out_all", "opt_out_email"),
    Channel.SMS: ("opt_out_all", "opt_out_sms"),
}


def withheld_from_messages(people: ibis.Table, channel: Channel) -> ibis.Value:
    """Give why a profile gets no message of a channel: a column of text, null where nothing keeps it out.

    Args:
        people: current profiles, with all fields.
        channel: e-mail or SMS.
    """
    return ibis.cases(*[(people[name], name) for name in OPT_OUTS[channel]], else_=ibis.null("string"))
