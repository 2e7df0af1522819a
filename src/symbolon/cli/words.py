"""Reasons in words that a marketer understands. A test holds them against the reasons that the rooms count."""

from __future__ import annotations

#: why a record of a delivery was not accepted
REJECTED = {
    "malformed_line": "the line cannot be taken apart as a row of this kind of file",
    "line_too_long": "longer than 102,400 bytes",
    "malformed_id": "not an ID of this data source: wrong length or wrong letters",
    "bad_encoding": "its bytes are not written as the data source says",
    "decrypt_failed": "the key does not open it",
    "invalid_address": "it opens, but what is inside is no address",
    "duplicate_id": "the ID is already on an earlier line",
}
#: why an accepted ID has no profile
UNMATCHED = {
    "unknown_id": "no profile has it; it is kept, and joins when one does",
    "ambiguous_id": "several profiles have it, and the data source rejects that",
}
#: why policy keeps a profile out of what is shared
WITHHELD = {
    "do_not_share": "opted out of sharing",
    "opt_out_all": "denylisted for everything",
    "opt_out_email": "denylisted for e-mail",
    "opt_out_sms": "denylisted for text messages",
    "id_opted_out": "another profile with the same ID stays out",
}
#: why a profile has no ID that could be shared
WITHOUT_ID = {
    "no_id": "has no value, or no browser, for this data source",
    "invalid_id": "its value makes no ID of this data source",
}
#: why a row of profiles was not taken
PROFILE_REJECTED = {
    "malformed_line": "more or fewer cells than the header",
    "line_too_long": "longer than 102,400 bytes",
    "bad_encoding": "not UTF-8",
    "missing_key": "the key is empty",
    "duplicate_key": "the key is already on an earlier line",
    "ambiguous_key": "several profiles have this key",
    "invalid_value": "a date, a number or a yes/no that cannot be read",
    "malformed_id": "not a visitor ID of 38 digits",
    "unknown_profile": "no profile has this key",
}


def percent(part: int, whole: int) -> str:
    """Give a share; what is there never shows as nothing, what is missing never as everything."""
    if whole <= 0:
        return ""
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %"
