"""Google: Customer Match and Enhanced Conversions (Ads API, Data Manager API)."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS, E164, PRINTABLE
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import (
    DIGITS,
    INTERNATIONAL,
    LOWER,
    NO_BLANK_INSIDE,
    ONE_AT,
    PLUS,
    TRIM,
    UPPER,
    must,
    unaliased,
)

_ALIASED = ("gmail.com", "googlemail.com")
_DOCS = "developers.google.com/data-manager, Format user data; google-ads data-manager util for Python"
_TWO = "two letters of ISO 3166"
_HASHES = (("sha256", "hex"), ("sha256", "base64"))
_BAD_ADDRESSES = (
    "",
    "  ",
    "quinn",
    " @googlemail.com",
    " ...@gmail.com",
    " +A BCD EFG ",
    "a b@example.com",
    "a@",
    "a@b@c.d",
)


_GIVEN = "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814"
_FAMILY = "77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574"
_ALEX = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
_PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"

RULES = (
    Rule(
        party="google",
        field="email",
        version="1",
        effective="2025-12-01",
        source=_DOCS + ", as published in 2025",
        steps=(TRIM, LOWER, NO_BLANK_INSIDE, ONE_AT, unaliased(*_ALIASED, plus=False)),
        simple=r"^ *[A-Za-z0-9][!-*,-?A-~]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ *$",
        form="gmails",
        hashes=_HASHES,
        golden=(
            ("Alexz@example.com", "", "alexz@example.com", _ALEX),
            (
                "Jane.Q.Doe+x@gmail.com",
                "",
                "janeqdoe+x@gmail.com",
                "228c6951e900b36881a74808f1c086c39a7798108ce25801c55bda2cf2e706d0",
            ),
        ),
        negative=_BAD_ADDRESSES,
        notes="The formatter of December 2025 kept what follows a `+`; that of 2026 drops it, as documented.",
    ),
    Rule(
        party="google",
        field="email",
        version="2",
        effective="2026-08-01",
        source=_DOCS + " 0.4.0; google-ads-java#900",
        steps=(TRIM, LOWER, NO_BLANK_INSIDE, ONE_AT, unaliased(*_ALIASED)),
        simple=ADDRESS,
        form="gmails",
        hashes=_HASHES,
        golden=(
            ("  Alexz@Example.com\n", "", "alexz@example.com", _ALEX),
            (
                "Test.User+news@googlemail.com",
                "",
                "testuser@googlemail.com",
                "06bfc6aa38674253530e62f2b585d63e3786cbb759b81b73df34ae80894d8813",
            ),
            (
                "test+test@gmail.com",
                "",
                "test@gmail.com",
                "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674",
            ),
        ),
        negative=(*_BAD_ADDRESSES, "+x@gmail.com"),
        notes="Display & Video 360 takes out every blank and has no rule for Gmail. The official sample in Java did "
        "neither until August 2026.",
    ),
    Rule(
        party="google",
        field="phone",
        version="1",
        effective="2025-12-01",
        source=_DOCS,
        steps=(DIGITS, INTERNATIONAL, PLUS),
        simple=E164,
        form="trim",
        hashes=_HASHES,
        golden=(("1-800-555-0100", "", "+18005550100", _PHONE), ("+1 (800) 555-0100", "", "+18005550100", _PHONE)),
        negative=("", "  ", "0800 555 0100", "call me", "12", "1" * 16),
        notes="A number without its country code is not told apart: its digits are taken as they are, unless they "
        "begin with 0.",
    ),
    Rule(
        party="google",
        field="first_name",
        version="1",
        effective="2025-12-01",
        source=_DOCS,
        steps=(TRIM, LOWER),
        simple=PRINTABLE,
        form="lower_trim",
        hashes=_HASHES,
        golden=((" GivenName ", "", "givenname", _GIVEN),),
        negative=("", "  "),
        notes="The Ads API reference also takes out spaces inside a first name; the formatter does not.",
    ),
    Rule(
        party="google",
        field="last_name",
        version="1",
        effective="2025-12-01",
        source=_DOCS,
        steps=(TRIM, LOWER),
        simple=PRINTABLE,
        form="lower_trim",
        hashes=_HASHES,
        golden=(("FamilyName", "", "familyname", _FAMILY),),
        negative=("", "  "),
        notes="The Ads API reference wants no punctuation in a last name; the formatter leaves it.",
    ),
    Rule(
        party="google",
        field="country",
        version="1",
        effective="2025-12-01",
        source=_DOCS,
        steps=(TRIM, UPPER, must(r"[A-Z]{2}", f"must be {_TWO}", f"not {_TWO}")),
        hashes=(),
        golden=(("us ", "", "US", ""),),
        negative=("", "usa", "U1"),
    ),
    Rule(
        party="google",
        field="postal_code",
        version="1",
        effective="2025-12-01",
        source=_DOCS,
        steps=(TRIM,),
        hashes=(),
        golden=((" 94045 ", "", "94045", ""),),
        negative=("", " "),
    ),
)
