"""What parties do to e-mail addresses and telephone numbers, as small plain functions that their rules are made of."""

from __future__ import annotations

import re

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_BLANKS = re.compile(r"\s+")
_NOT_DIGITS = re.compile(r"[^0-9]")
_E164_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


def ascii_lower(value: str) -> str:
    """Lower-case the letters A to Z, and no others."""
    return value.translate(_ASCII_LOWER)


def without_blanks(value: str) -> str:
    """Take out every blank, wherever it is."""
    return _BLANKS.sub("", value)


def unaliased(value: str, domains: tuple[str, ...]) -> str | None:
    """Take dots, and what follows a `+`, out of the local part at some domains; None if no address is left."""
    local, at, domain = value.partition("@")
    if domain in domains:
        local = local.split("+", 1)[0].replace(".", "")
    return f"{local}@{domain}" if at and local and domain and "@" not in domain else None


def before_plus(value: str) -> str | None:
    """Take what follows a `+` out of the local part; None if it is no address, or nothing is left."""
    local, at, domain = value.partition("@")
    local = local.split("+", 1)[0]
    return f"{local}@{domain}" if at and local and domain and "@" not in domain else None


def an_address(value: str) -> str | None:
    """Give the value if it has one `@` with something on both sides."""
    local, at, domain = value.partition("@")
    return value if at and local and domain and "@" not in domain else None


def digits(value: str) -> str:
    """Keep the digits 0 to 9."""
    return _NOT_DIGITS.sub("", value)


def international(value: str) -> str | None:
    """Keep the digits and give them if they can be a number with its country code (E.164 without the `+`)."""
    kept = digits(value)
    return kept if _E164_DIGITS.fullmatch(kept) else None
