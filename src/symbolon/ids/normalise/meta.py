"""Meta: Conversions API and Custom Audiences, as the two parts of its Business SDK normalise."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS, E164
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import DIGITS, LOWER, TRIM, drop, first, must, text_step

_SDK = "facebook-python-business-sdk, serverside/normalize.py"
_MIXIN = "facebook-python-business-sdk, customaudiencemixin.py"
_HASHES = (("sha256", "hex"),)
_AN_ADDRESS = must(r".+@.+\..+", "must look like x@x.x", "it does not look like x@x.x")
_TRIM_DOTS = text_step("trim blanks, zero bytes and dots", lambda value: value.strip(" \t\r\n\0\x0b."))
_NO_SIGNS = drop(r"[ \-()]", "take out spaces, hyphens and brackets")
_NO_PREFIX = text_step(
    "drop `+` or `00` in front", lambda value: value[1:] if value.startswith("+") else value.removeprefix("00")
)
_A_NUMBER = must(r"[0-9]{7,}", "must be 7 digits or more", "not 7 digits or more")
_LETTERS = drop(r"[^a-z]", "keep the letters a-z")
_NO_PLACE_SIGNS = drop(r"[0-9.\s\-()]", "take out digits, dots, blanks, hyphens and brackets")
_NO_SPACES = drop(" ", "take out spaces")
_BEFORE_HYPHEN = text_step("keep what stands before a hyphen", lambda value: value.split("-", 1)[0])
_TWO_LETTERS = must(r"[a-z]{2}", "must be two letters of ISO 3166", "not two letters of ISO 3166")
_F_OR_M = must(r"[fm]", "must be f or m", "neither f nor m")
_TWO_DIGITS = text_step("write one digit as two", lambda value: value.rjust(2, "0"))
_A_DAY = must(r"0[1-9]|[12][0-9]|3[01]", "must be 01 to 31", "not 01 to 31")
_A_MONTH = must(r"0[1-9]|1[0-2]", "must be 01 to 12", "not 01 to 12")
_A_YEAR = must(r"[0-9]{4}", "must be 4 digits", "not 4 digits")

_DAY = "938db8c9f82c8cb58d3f3ef4fd250036a48d26a712753d2fde5abd03a85cabf4"
_MONTH = "3514acf61732f662da19625f7fe781c3e483f2dce8506012f3bb393f5003e105"
_YEAR = "0985b889a1fe4f4e1fb925061ac6fb2247f10875f5fcbe63eec2ab55ed68970e"
_J = "189f40034be7a199f1fa9891668ee3ab6049f82d38c68be70f596eab2e1857b7"
_GIVEN_5 = "5b729e0f619797fd61108a4bb177273222ad9ac5538299c8386f061e29046e60"
_FAMIL_5 = "2d93de39850958f02301d5f4dff6414ff5391502ba20a34f101683b429667526"
_JOS = "f854b2aeb789d616b26acff4df9ff7741d09d5f7a63add238201880e5b10bf2b"
_JOSE = "d994e1d001886fe5b45b1267bd1fa2b752ac50742579bd3dad7b2a2aa0ed6866"
_ST_LOUIS = "8ba24bdf99947996f3000259be455de791b06fcc0e802ce05031030df1ee8ea3"
_ZIP = "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e"


RULES = (
    Rule(
        party="meta",
        field="email",
        version="1",
        effective="2016-01-01",
        source=_MIXIN,
        steps=(_TRIM_DOTS, LOWER, _AN_ADDRESS),
        simple=ADDRESS,
        form="lower_trim",
        hashes=_HASHES,
        golden=(
            (
                " .User@Example.com. ",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
        ),
        negative=("", " ", "a", "abc", "a@b", "@b.c", ".c", "@"),
        notes="What Custom Audiences did before, and its part of the SDK still does: dots at the ends go.",
    ),
    Rule(
        party="meta",
        field="email",
        version="2",
        effective="2020-01-01",
        source=_SDK,
        steps=(TRIM, LOWER, _AN_ADDRESS),
        simple=ADDRESS,
        form="lower_trim",
        hashes=_HASHES,
        golden=(
            (
                "user@example.com",
                "",
                "user@example.com",
                "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
            ),
            ("foo@bar.com ", "", "foo@bar.com", "0c7e6a405862e402eb76a70f8a26fc732d07c32931e9fae9ab1582911d2e8a3b"),
        ),
        negative=("", " ", "a", "abc", "a@b", "@b.c", ".c", "@"),
        notes="No rule for Gmail. The SDK lets through what looks like a digest.",
    ),
    Rule(
        party="meta",
        field="phone",
        version="1",
        effective="2016-01-01",
        source=_MIXIN,
        steps=(DIGITS,),
        simple=E164,
        form="digits",
        hashes=_HASHES,
        golden=(
            (
                "+1 657-777-0000",
                "",
                "16577770000",
                "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2",
            ),
        ),
        negative=("", "call me"),
        notes="The documentation also takes out zeros in front; this part of the SDK does not.",
    ),
    Rule(
        party="meta",
        field="phone",
        version="2",
        effective="2020-01-01",
        source=_SDK,
        steps=(TRIM, _NO_SIGNS, _NO_PREFIX, _A_NUMBER),
        simple=r"^ *\+[1-9][0-9]{6,14} *$",
        form="digits",
        hashes=_HASHES,
        golden=(
            (
                "+1 (657) 777-0000",
                "",
                "16577770000",
                "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2",
            ),
            ("0016577770000", "", "16577770000", "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2"),
        ),
        negative=("", "call me", "123", "+1.657.777.0000"),
    ),
    *[
        Rule(
            party="meta",
            field=field,
            version="1",
            effective="2016-01-01",
            source=_MIXIN,
            steps=(TRIM, LOWER, _LETTERS),
            hashes=_HASHES,
            golden=(("José", "", "jos", _JOS),),
            negative=("", "李"),
            notes="Deletes every other letter, so that names outside of English lose theirs.",
        )
        for field in ("first_name", "last_name")
    ],
    *[
        Rule(
            party="meta",
            field=field,
            version="2",
            effective="2020-01-01",
            source=_SDK,
            steps=(TRIM, LOWER),
            hashes=_HASHES,
            golden=((" José", "", "josé", _JOSE),),
            negative=("", " "),
        )
        for field in ("first_name", "last_name")
    ],
    *[
        Rule(
            party="meta",
            field=field,
            version="1",
            effective="2020-01-01",
            source=_SDK,
            steps=(TRIM, LOWER, _NO_PLACE_SIGNS),
            hashes=_HASHES,
            golden=(("St. Louis", "", "stlouis", _ST_LOUIS),),
            negative=("", "12-3"),
        )
        for field in ("city", "state")
    ],
    Rule(
        party="meta",
        field="postal_code",
        version="1",
        effective="2020-01-01",
        source=_SDK,
        steps=(TRIM, LOWER, _NO_SPACES, _BEFORE_HYPHEN),
        hashes=_HASHES,
        golden=(("94035-1234", "", "94035", _ZIP),),
        negative=("", "-1"),
    ),
    Rule(
        party="meta",
        field="country",
        version="1",
        effective="2020-01-01",
        source=_SDK,
        steps=(TRIM, LOWER, _TWO_LETTERS),
        hashes=_HASHES,
        golden=((" US", "", "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),),
        negative=("", "usa", "1"),
    ),
    Rule(
        party="meta",
        field="gender",
        version="1",
        effective="2020-01-01",
        source=_SDK,
        steps=(TRIM, LOWER, first(1), _F_OR_M),
        hashes=_HASHES,
        golden=(("Female", "", "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"),),
        negative=("", "x"),
    ),
    *[
        Rule(
            party="meta",
            field=field,
            version="1",
            effective="2020-01-01",
            source=_SDK,
            steps=steps,
            hashes=_HASHES,
            golden=((raw, "", normal, digest),),
            negative=negative,
        )
        for field, steps, raw, normal, digest, negative in (
            ("birth_day", (TRIM, _TWO_DIGITS, _A_DAY), "1", "01", _DAY, ("", "0", "32", "444", "0a", "-1")),
            ("birth_month", (TRIM, _TWO_DIGITS, _A_MONTH), "9", "09", _MONTH, ("", "0", "13", "0a", "-1")),
            ("birth_year", (TRIM, _A_YEAR), "1997 ", "1997", _YEAR, ("", "1", "19999", "-1", "9a")),
            ("first_initial", (TRIM, LOWER, first(1)), " John", "j", _J, ("", " ")),
            ("first_name_5", (TRIM, LOWER, first(5)), "GivenName", "given", _GIVEN_5, ("", " ")),
            ("last_name_5", (TRIM, LOWER, first(5)), "FamilyName", "famil", _FAMIL_5, ("", " ")),
        )
    ],
)
