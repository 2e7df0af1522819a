"""Meta: Conversions API and Custom Audiences, as the two parts of its Business SDK normalise."""

from __future__ import annotations

import re

from symbolon.ids.normalise.addresses import digits
from symbolon.ids.normalise.forms import ADDRESS, E164
from symbolon.ids.normalise.rule import Rule

_SDK = "facebook-python-business-sdk, serverside/normalize.py"
_MIXIN = "facebook-python-business-sdk, customaudiencemixin.py"
_HASHES = (("sha256", "hex"),)
_EMAIL = re.compile(r".+@.+\..+")
_PHONE_SIGNS = re.compile(r"[ \-()]")
_PHONE = re.compile(r"[0-9]{1,4}[0-9]{2,3}[0-9]{4,}")
_PLACE_SIGNS = re.compile(r"[0-9.\s\-()]")
_COUNTRIES = re.compile(r"[a-z]{2}")

_JOS = "f854b2aeb789d616b26acff4df9ff7741d09d5f7a63add238201880e5b10bf2b"
_JOSE = "d994e1d001886fe5b45b1267bd1fa2b752ac50742579bd3dad7b2a2aa0ed6866"
_ST_LOUIS = "8ba24bdf99947996f3000259be455de791b06fcc0e802ce05031030df1ee8ea3"
_ZIP = "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e"


def email(value: str, region: str) -> str | None:  # noqa: ARG001 - the shape of every rule
    """Trim, lower-case; it must look like an address."""
    text = value.strip().lower()
    return text if _EMAIL.fullmatch(text) else None


def email_of_audiences(value: str, region: str) -> str | None:  # noqa: ARG001
    """Take blanks, zero bytes and dots off both ends, lower-case."""
    text = value.strip(" \t\r\n\0\x0b.").lower()
    return text if _EMAIL.fullmatch(text) else None


def phone(value: str, region: str) -> str | None:  # noqa: ARG001
    """Take out spaces, hyphens and brackets, then a `+` or `00` in front: digits with the country code."""
    text = _PHONE_SIGNS.sub("", value.strip())
    text = text.removeprefix("+") if text.startswith("+") else text.removeprefix("00")
    return text if _PHONE.fullmatch(text) else None


def phone_of_audiences(value: str, region: str) -> str | None:  # noqa: ARG001
    """Keep the digits."""
    return digits(value) or None


def name(value: str, region: str) -> str | None:  # noqa: ARG001
    """Trim, lower-case."""
    return value.strip().lower() or None


def name_of_audiences(value: str, region: str) -> str | None:  # noqa: ARG001
    """Keep the letters a to z."""
    return re.sub(r"[^a-z]", "", value.strip().lower()) or None


def place(value: str, region: str) -> str | None:  # noqa: ARG001
    """Lower-case without digits, dots, blanks, hyphens and brackets."""
    return _PLACE_SIGNS.sub("", value.strip().lower()) or None


def postal_code(value: str, region: str) -> str | None:  # noqa: ARG001
    """Lower-case without spaces, up to a hyphen."""
    return value.strip().lower().replace(" ", "").split("-", 1)[0] or None


def country(value: str, region: str) -> str | None:  # noqa: ARG001
    """Two letters of ISO 3166, lower-case."""
    text = value.strip().lower()
    return text if _COUNTRIES.fullmatch(text) else None


def gender(value: str, region: str) -> str | None:  # noqa: ARG001
    """Give the first letter, lower-case: f or m."""
    first = value.strip().lower()[:1]
    return first if first in ("f", "m") and first else None


RULES = (
    Rule(
        party="meta",
        field="email",
        version="1",
        effective="2016-01-01",
        source=_MIXIN,
        plain=email_of_audiences,
        words="trim blanks and dots, lower-case",
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
        plain=email,
        words="trim, lower-case",
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
        plain=phone_of_audiences,
        words="digits only",
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
        plain=phone,
        words="digits with the country code, no `+`, no `00`",
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
            plain=name_of_audiences,
            words="letters a to z only",
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
            plain=name,
            words="trim, lower-case; letters of all scripts stay",
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
            plain=place,
            words="lower-case; no digits, dots, blanks, hyphens, brackets",
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
        plain=postal_code,
        words="no spaces, lower-case, up to a hyphen",
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
        plain=country,
        words="two letters of ISO 3166, lower-case",
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
        plain=gender,
        words="f or m",
        hashes=_HASHES,
        golden=(("Female", "", "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"),),
        negative=("", "x"),
    ),
)
