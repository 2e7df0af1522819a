"""What Adobe Campaign's neighbours expect before hashing: trim and lower-case e-mails, E.164 telephone numbers.

Campaign itself leaves the normalisation to the customer, who must do the same on the website; its neighbours (Audience
Manager people-based destinations, the ID service's hashing) are explicit: no spaces at the ends, lower case, no salt.
"""

from __future__ import annotations

import re

import phonenumbers

from symbolon.ids.normalise.forms import E164, PRINTABLE, PRINTABLE_ADDRESS
from symbolon.ids.normalise.rule import Rule

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_HASHING = "Audience Manager, People-based destinations, hashing requirements; ID service, hashing support"


def email(value: str, region: str) -> str | None:  # noqa: ARG001 - the shape of every rule
    """Trim and lower-case."""
    return value.strip().lower() or None


def phone(value: str, region: str) -> str | None:
    """Give E.164: as it is where it has that form already, else as the numbering plan of `region` reads it."""
    text = value.strip()
    if _E164.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def text(value: str, region: str) -> str | None:  # noqa: ARG001
    """Trim."""
    return value.strip() or None


def exact(value: str, region: str) -> str | None:  # noqa: ARG001
    """Take the value as it is."""
    return value or None


RULES = (
    Rule(
        party="adobe",
        field="email",
        version="1",
        effective="2018-01-01",
        source=_HASHING,
        plain=email,
        words="trim, lower-case",
        simple=PRINTABLE_ADDRESS,
        form="lower_trim",
        golden=(
            (
                "ecid@adobe.com",
                "",
                "ecid@adobe.com",
                "a6ea4cde5da5ae7cc68baae894d1d6544fca26254433b0fff7c2cb4843b4a097",
            ),
            (
                " JohnDoe@Example.com ",
                "",
                "johndoe@example.com",
                "55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149",
            ),
            (
                "janedoe@email.com\t",
                "",
                "janedoe@email.com",
                "16d72e3edbeb089b299e0d12fc09522fdc5ece2d11dcb1304ecdd6fab4f7193a",
            ),
            (
                "NAME@MYDOMAIN.COM",
                "",
                "name@mydomain.com",
                "feec5debcea411f54462a345a0d90c9975415d2d4862745ff8af00c49b6b4ae6",
            ),
        ),
        negative=("", " ", "\t\n"),
    ),
    Rule(
        party="adobe",
        field="phone",
        version="1",
        effective="2018-01-01",
        source="Adobe Campaign Standard, creating profiles: mobile numbers as + country code and number",
        plain=phone,
        words="E.164 with `+`; a national number is read in the region of the data source",
        simple=E164,
        form="trim",
        golden=(
            (
                "+33612345678",
                "",
                "+33612345678",
                "42d573cfc315801d4cd8eddd5416b416a0bf298b9b9e12d6b07442c91db42bd8",
            ),
            (
                "06 12 34 56 78",
                "FR",
                "+33612345678",
                "42d573cfc315801d4cd8eddd5416b416a0bf298b9b9e12d6b07442c91db42bd8",
            ),
            (
                "1-800-555-0100",
                "US",
                "+18005550100",
                "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
            ),
        ),
        negative=("", "+", "0612345678", "call me", "+1234", "12"),
    ),
    Rule(
        party="adobe",
        field="text",
        version="1",
        effective="2018-01-01",
        source=_HASHING,
        plain=text,
        words="trim",
        simple=PRINTABLE,
        form="trim",
        negative=("", "  "),
    ),
    Rule(
        party="adobe",
        field="exact",
        version="1",
        effective="2018-01-01",
        source="Visitor authentication: IDs are case-sensitive and unencoded",
        plain=exact,
        words="as it is",
        simple=r"(?s)^.*$",
        form="identity",
        negative=("",),
    ),
)
