"""LiveRamp: onboarding files."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS
from symbolon.ids.normalise.phones import E164_NUMBER, NATIONAL
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import LOWER, NO_BLANKS, ONE_AT, TRIM

_DOCS = "docs.liveramp.com, Formatting identifiers; Segment action-destinations#2675"


RULES = (
    Rule(
        party="liveramp",
        field="email",
        version="1",
        effective="2018-01-01",
        source=_DOCS,
        steps=(NO_BLANKS, LOWER, ONE_AT),
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
        steps=(TRIM, E164_NUMBER, NATIONAL),
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
