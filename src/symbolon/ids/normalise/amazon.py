"""Amazon: DSP and Marketing Cloud audiences, as its formatters do it."""

from __future__ import annotations

from symbolon.ids.normalise.forms import E164
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import DIGITS, INTERNATIONAL, LOWER, ONE_AT, drop, text_step

_DOCS = "amazon-dsp-formatter and Segment's Amazon destination; the vendor's own page was not at hand"
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o"})
_WRITTEN_OUT = text_step("write ä ö ü ß ø as ae oe ue ss o", lambda value: value.translate(_LETTERS))
_JOERG = "f7cade6ed898b8d8f948b62dc93863719300b03f0b3f27f913fe340ca235044d"


RULES = (
    Rule(
        party="amazon",
        field="email",
        version="1",
        effective="2023-01-01",
        source=_DOCS,
        steps=(LOWER, drop(r"[^a-z0-9.@-]", "keep a-z, 0-9, `.`, `@` and `-`"), ONE_AT),
        simple=r"^ *[A-Za-z0-9][A-Za-z0-9.-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ *$",
        form="lower_trim",
        golden=(
            (
                "User@Example.com",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
            (
                "a_b@example.com",
                "",
                "ab@example.com",
                "41f5a3e1f3c7c23a4a53d19357e11101d68a8a0561f90efc7a0aca92eddca781",
            ),
            ("info@Bücher.de", "", "info@bcher.de", "c29d76a3f60a900d640144ead79d660ec8560ffbcb3c74e2520068855a210949"),
        ),
        negative=("", " ", "quinn", "_@", "@b"),
        notes="Signs are deleted, not refused: a_b@ and ab@ become one person. Whether `+` and `_` are to go is to be "
        "checked with Amazon before use.",
    ),
    Rule(
        party="amazon",
        field="phone",
        version="1",
        effective="2023-01-01",
        source=_DOCS,
        steps=(DIGITS, INTERNATIONAL),
        simple=E164,
        form="digits",
        golden=(
            (
                "+1 (657) 777-0000",
                "",
                "16577770000",
                "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2",
            ),
        ),
        negative=("", "call me", "0612345678"),
        notes="The formatter puts the country code in front of a number that has it already; not so here.",
    ),
    *[
        Rule(
            party="amazon",
            field=field,
            version="1",
            effective="2023-01-01",
            source=_DOCS,
            steps=(LOWER, _WRITTEN_OUT, drop(r"[^a-z0-9]", "keep a-z and 0-9")),
            golden=(("Jörg-Ole", "", "joergole", _JOERG),),
            negative=("", "李"),
        )
        for field in ("first_name", "last_name")
    ],
)
