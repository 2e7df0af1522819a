"""The steps of telephone numbers that need to know the numbering plans of the world."""

from __future__ import annotations

import re
from functools import cache

from symbolon.ids.normalise.steps import Step
from symbolon.later import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def _e164(value: str, region: str) -> str | None:
    """Give E.164: as it is where it has that form already, else as the numbering plan of `region` reads it."""
    if _E164.fullmatch(value):
        return value
    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@cache
def _codes() -> frozenset[str]:
    return frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def _national(value: str, region: str) -> str | None:  # noqa: ARG001 - the shape of every step
    """Take the country code off a number in E.164."""
    codes = _codes()
    # country codes are free of prefixes: at most one of the three is one
    for size in (1, 2, 3):
        if value[1 : 1 + size] in codes:
            return value[1 + size :] or None
    return None


E164_NUMBER = Step(
    "write it as E.164, a national number as its region reads it",
    _e164,
    "not a possible number with its country code, nor one of the region that was given",
)
NATIONAL = Step("drop `+` and the country code", _national, "it begins with no country code")
