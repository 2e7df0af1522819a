"""TikTok: Custom Audiences. Its two help pages contradict each other, so each is a version."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS, E164
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import (
    DIGITS,
    INTERNATIONAL,
    LOWER,
    MAID,
    NO_BLANKS,
    NO_PLUS,
    ONE_AT,
    PLUS,
    SEVEN_TO_FIFTEEN,
    TRIM,
    text_step,
)

_FILES = "ads.tiktok.com, help page on customer file audiences"
_MATCHING = "ads.tiktok.com, help page on advanced matching, August 2025"
_NO_ZEROS = text_step("drop zeros in front", lambda value: value.lstrip("0"))
_JANE = "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"


RULES = (
    Rule(
        party="tiktok",
        field="email",
        version="1",
        effective="2020-01-01",
        source=_FILES,
        steps=(NO_BLANKS, LOWER, ONE_AT),
        simple=ADDRESS,
        form="lower_trim",
        golden=((" JaneDoe@gmail.com", "", "janedoe@gmail.com", _JANE),),
        negative=("", " ", "quinn", "a@", "@b"),
        notes="The page's own example pairs the digest of janedoe@gmail.com with another raw value: its mistake.",
    ),
    Rule(
        party="tiktok",
        field="email",
        version="2",
        effective="2025-08-01",
        source=_MATCHING,
        steps=(NO_BLANKS, LOWER, ONE_AT, NO_PLUS),
        simple=r"^ *[A-Za-z0-9][!-*,-?A-~]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ *$",
        form="lower_trim",
        golden=(
            ("JaneDoe+news@gmail.com", "", "janedoe@gmail.com", _JANE),
            (
                "jane.doe+x@example.com",
                "",
                "jane.doe@example.com",
                "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d",
            ),
        ),
        negative=("", " ", "quinn", "a@", "@b", "+x@example.com"),
        notes="Drops the `+` part of all domains, dots of none. Segment also drops dots.",
    ),
    Rule(
        party="tiktok",
        field="phone",
        version="1",
        effective="2020-01-01",
        source=_FILES,
        steps=(DIGITS, INTERNATIONAL, PLUS),
        simple=E164,
        form="trim",
        golden=(
            (
                "+374 93 828222",
                "",
                "+37493828222",
                "241371e614f8650dfae0f111361c69de1bb4829a72b71bb8044daae8b2e7791d",
            ),
        ),
        negative=("", "call me", "0612345678"),
        notes="The page writes the number with `+` and gives the digest of the number without it.",
    ),
    Rule(
        party="tiktok",
        field="phone",
        version="2",
        effective="2025-08-01",
        source=_MATCHING,
        steps=(DIGITS, _NO_ZEROS, SEVEN_TO_FIFTEEN),
        simple=E164,
        form="digits",
        golden=(
            (
                "+374 93 828222",
                "",
                "37493828222",
                "65b7e6dcf6f4310f8d7cbfbd78289a753062fb054d6664fb9aaac5df66a422d4",
            ),
        ),
        negative=("", "call me", "000"),
    ),
    Rule(
        party="tiktok",
        field="maid",
        version="1",
        effective="2020-01-01",
        source=_FILES,
        steps=(TRIM, LOWER, MAID),
        hashes=(("sha256", "hex"), ("md5", "hex")),
        golden=(
            (
                "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25",
                "",
                "5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25",
                "83dc3f5f32b9472613b0f038d36f22585a609d018af6f6067f50da318bf354bd",
            ),
        ),
        negative=("", "5f3a2b18"),
        notes="The page asks for one case everywhere; its example is lower-case.",
    ),
)
