"""What Adobe Campaign's neighbours expect before hashing: trim and lower-case e-mails, E.164 telephone numbers.

Campaign itself leaves the normalisation to the customer, who must do the same on the website; its neighbours (Audience
Manager people-based destinations, the ID service's hashing) are explicit: no spaces at the ends, lower case, no salt.
"""

from __future__ import annotations

from symbolon.ids.normalise.forms import E164, PRINTABLE, PRINTABLE_ADDRESS
from symbolon.ids.normalise.phones import E164_NUMBER
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import LOWER, TRIM

_HASHING = "Audience Manager, People-based destinations, hashing requirements; ID service, hashing support"


RULES = (
    Rule(
        party="adobe",
        field="email",
        version="1",
        effective="2018-01-01",
        source=_HASHING,
        steps=(TRIM, LOWER),
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
        steps=(TRIM, E164_NUMBER),
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
        steps=(TRIM,),
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
        steps=(),
        simple=r"(?s)^.*$",
        form="identity",
        negative=("",),
    ),
)
