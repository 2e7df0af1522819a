"""Snap: Customer List Audiences."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS, E164
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import DIGITS, LOWER, MAID, ONE_AT, SEVEN_TO_FIFTEEN, TRIM, text_step

_DOCS = "businesshelp.snapchat.com, Customer List Audiences: hashing"
_NO_ZEROS = text_step("drop `00`, then a 0, in front", lambda value: value.removeprefix("00").removeprefix("0"))


RULES = (
    Rule(
        party="snap",
        field="email",
        version="1",
        effective="2019-01-01",
        source=_DOCS,
        steps=(TRIM, LOWER, ONE_AT),
        simple=ADDRESS,
        form="lower_trim",
        golden=(
            (
                "User@Example.com ",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
        ),
        negative=("", " ", "quinn", "a@", "@b"),
    ),
    Rule(
        party="snap",
        field="phone",
        version="1",
        effective="2019-01-01",
        source=_DOCS,
        steps=(DIGITS, _NO_ZEROS, SEVEN_TO_FIFTEEN),
        simple=E164,
        form="digits",
        golden=(
            ("+1 657 777 0000", "", "16577770000", "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2"),
            ("0037493828222", "", "37493828222", "65b7e6dcf6f4310f8d7cbfbd78289a753062fb054d6664fb9aaac5df66a422d4"),
        ),
        negative=("", "call me", "000"),
    ),
    Rule(
        party="snap",
        field="maid",
        version="1",
        effective="2019-01-01",
        source=_DOCS,
        steps=(TRIM, LOWER, MAID),
        golden=(
            (
                "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25",
                "",
                "5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25",
                "83dc3f5f32b9472613b0f038d36f22585a609d018af6f6067f50da318bf354bd",
            ),
        ),
        negative=("", "5f3a2b18"),
    ),
)
