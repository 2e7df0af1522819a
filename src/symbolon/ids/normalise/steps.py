r"""The small steps that rules are made of: each with the words that tell a person what it does, and why it may refuse.

Invariant: a step that refuses gives None, one that leaves nothing gives an empty text; either ends the rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a rule does to a value."""

    #: what it does, for lists: `trim`
    words: str
    #: value and region in; the value as it is afterwards out, or None
    apply: Callable[[str, str], str | None]
    #: why there is no normalised form if it gives None; never holds the value
    refusal: str = "nothing is left"


def text_step(words: str, change: Callable[[str], str]) -> Step:
    """Make a step that looks at nothing but the value, and never refuses."""
    return Step(words, lambda value, _: change(value))


def drop(pattern: str, words: str) -> Step:
    """Make a step that takes out what a pattern matches, wherever it is."""
    compiled = re.compile(pattern)
    return Step(words, lambda value, _: compiled.sub("", value))


def must(pattern: str, words: str, refusal: str) -> Step:
    """Make a step that refuses what does not match a pattern as a whole, and changes nothing."""
    compiled = re.compile(pattern)
    return Step(words, lambda value, _: value if compiled.fullmatch(value) else None, refusal)


def first(count: int) -> Step:
    """Make a step that keeps the first characters."""
    words = "keep the first letter" if count == 1 else f"keep the first {count} characters"
    return Step(words, lambda value, _: value[:count])


def unaliased(*domains: str, plus: bool = True) -> Step:
    """Make a step that takes dots, and what follows a `+`, out of the local part at some domains.

    Args:
        domains: where addresses with and without them are one mailbox.
        plus: whether what follows a `+` goes too.
    """

    def apply(value: str, region: str) -> str | None:  # noqa: ARG001 - the shape of every step
        local, _, domain = value.partition("@")
        if domain in domains:
            local = (local.split("+", 1)[0] if plus else local).replace(".", "")
        return f"{local}@{domain}" if local else None

    what = "dots and `+…`" if plus else "dots"
    return Step(f"at {' and '.join(domains)} drop {what}", apply, "nothing is left in front of the `@`")


def _one_at(value: str, region: str) -> str | None:  # noqa: ARG001
    local, _, domain = value.partition("@")
    return value if local and domain and "@" not in domain else None


def _before_plus(value: str, region: str) -> str | None:  # noqa: ARG001
    local, _, domain = value.partition("@")
    local = local.split("+", 1)[0]
    return f"{local}@{domain}" if local else None


TRIM = text_step("trim", str.strip)
TRIM_SPACES = text_step("trim spaces", lambda value: value.strip(" "))
LOWER = text_step("lower-case", str.lower)
LOWER_ASCII = text_step("lower-case A-Z", lambda value: value.translate(_ASCII_LOWER))
UPPER = text_step("upper-case", str.upper)
NO_BLANKS = drop(r"\s+", "take out every blank")
NO_BLANK_INSIDE = Step(
    "no blank may be inside", lambda value, _: None if _BLANKS.search(value) else value, "there is a blank inside"
)
ONE_AT = Step(
    "there must be one `@`, with something on both sides", _one_at, "there is not one `@` with something on both sides"
)
NO_PLUS = Step("drop `+…` in front of the `@`", _before_plus, "nothing is left in front of the `@`")
DIGITS = drop(r"[^0-9]", "keep the digits")
INTERNATIONAL = must(
    r"[1-9][0-9]{6,14}",
    "must be 7 to 15 digits with the country code, no 0 in front",
    "not 7 to 15 digits that begin with a country code",
)
SEVEN_TO_FIFTEEN = must(r"[0-9]{7,15}", "must be 7 to 15 digits", "not 7 to 15 digits")
PLUS = text_step("put `+` in front", lambda value: f"+{value}")
MAID = must(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "must be 32 hexadecimal digits in five groups with hyphens",
    "not 32 hexadecimal digits in five groups with hyphens",
)
