"""LiveRamp: onboarding files."""

from __future__ import annotations

import phonenumbers

from symbolon.ids.normalise import adobe
from symbolon.ids.normalise.addresses import an_address, without_blanks
from symbolon.ids.normalise.forms import ADDRESS
from symbolon.ids.normalise.rule import Rule

_DOCS = "docs.liveramp.com, Formatting identifiers; Segment action-destinations#2675"
_CODES = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}


def email(value: str, region: str) -> str | None:  # noqa: ARG001 - the shape of every rule
    """Lower-case without blanks."""
    return an_address(without_blanks(value).lower())


def phone(value: str, region: str) -> str | None:
    """Give the digits of the national number, without the country code."""
    number = adobe.phone(value, region)
    if number is None:
        return None
    # country codes are free of prefixes: at most one of the three is one
    for size in (1, 2, 3):
        if number[1 : 1 + size] in _CODES:
            return number[1 + size :] or None
    return None


RULES = (
    Rule(
        party="liveramp",
        field="email",
        version="1",
        effective="2018-01-01",
        source=_DOCS,
        plain=email,
        words="no blanks, lower-case",
        simple=ADDRESS,
        form="lower_trim",
        hashes=(("sha256", "hex"), ("sha1", "hex"), ("md5", "hex")),
        golden=(
            (
                "User@ Example.com",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
        ),
        negative=("", " ", "quinn", "a@", "@b"),
    ),
    Rule(
        party="liveramp",
        field="phone",
        version="1",
        effective="2018-01-01",
        source=_DOCS,
        plain=phone,
        words="digits of the national number, no country code",
        hashes=(("sha1", "hex"),),
        golden=(
            ("+1 555 123 4567", "", "5551234567", "b8e04c986aa87857dfb4d364371d1a4195abf1bb"),
            ("555-123-4567", "US", "5551234567", "b8e04c986aa87857dfb4d364371d1a4195abf1bb"),
        ),
        negative=("", "call me", "+", "+999123456789"),
        notes="SHA-1 of the number without its country code. One well-known connector sent SHA-256 for 17 months, and "
        "nothing matched.",
    ),
)
