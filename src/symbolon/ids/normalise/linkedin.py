"""LinkedIn: Matched Audiences."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import LOWER, NO_BLANKS, ONE_AT

_DOCS = "learn.microsoft.com/linkedin, DMP segments: users"


RULES = (
    Rule(
        party="linkedin",
        field="email",
        version="1",
        effective="2019-01-01",
        source=_DOCS,
        steps=(NO_BLANKS, LOWER, ONE_AT),
        simple=ADDRESS,
        form="lower_trim",
        hashes=(("sha256", "hex"), ("sha512", "hex")),
        golden=(
            (
                " User@Example.com ",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
            (
                "janesaoirse+work@example.com",
                "",
                "janesaoirse+work@example.com",
                "28aaee4815230cd3b4ebd88c515226550666e91ac019929e3adac3f66c288180",
            ),
        ),
        negative=("", " ", "quinn", "a@", "@b"),
        notes="First and last names, company names and domains are sent plain.",
    ),
)
