"""Guesses about values by their looks: whether a cell is an ID, and of what kind; and values with their middle hidden.

Invariant: a guess never changes what a value means; it decides whether a first line is a header, and what is told about
a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: hexadecimal digits of a digest -> what it probably is
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
_HEX = re.compile(r"(?:\\x|0x)?[0-9a-fA-F]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{22,}={0,2}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{4,24}[0-9]")
#: hexadecimal digits of one AES block
_BLOCK_DIGITS = 32


def kind_of(value: str) -> str:
    """Guess what kind of ID a value is.

    Returns:
        `visitor`, `md5` ... `sha512`, `aes-hex`, `aes-base64`, `email`, `phone`, `uuid`, `number`, or empty for
        anything else. A digest of 32 digits and one encrypted block look the same; the digest is told.
    """
    value = value.strip()
    return next((kind for kind, fits in _KINDS if fits(value)), "")


def _is_phone(value: str) -> bool:
    return bool(_E164.fullmatch(value) or (_PHONE.fullmatch(value) and not value.isdigit()))


def _is_encrypted_hex(value: str) -> bool:
    digits = len(value.removeprefix("\\x").removeprefix("0x"))
    return _HEX.fullmatch(value) is not None and digits >= _BLOCK_DIGITS and digits % _BLOCK_DIGITS == 0


def _is_encrypted_base64(value: str) -> bool:
    return _BASE64.fullmatch(value) is not None and len(value) % 4 == 0 and _is_mixed(value)


def _is_digest(digits: int) -> Callable[[str], bool]:
    return lambda value: len(value) == digits and not value.startswith(("0x", "\\x")) and bool(_HEX.fullmatch(value))


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("visitor", _matches(r"[0-9]{38}")),
    ("email", _matches(r"[^\s@,;]+@[^\s@,;]+")),
    ("uuid", _matches(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("phone", _is_phone),
    *((kind, _is_digest(digits)) for digits, kind in _DIGESTS.items()),
    ("aes-hex", _is_encrypted_hex),
    ("number", _matches(r"[0-9]+")),
    ("aes-base64", _is_encrypted_base64),
)


def looks_like_id(value: str) -> bool:
    """Whether a cell is rather a value than the name of a column."""
    value = value.strip()
    return bool(kind_of(value)) or (len(value) >= _BLOCK_DIGITS and _HEX.fullmatch(value) is not None)


def same_shape(first: str, others: list[str]) -> bool:
    """Whether a first cell with a digit in it looks like all that follow: then it is a value, not a header."""
    shape = _shape(first)
    return "0" in shape and bool(others) and all(_shape(other) == shape for other in others)


def masked(value: str) -> str:
    """Hide the middle of a value: at most four characters at either end, and nothing of a short one.

    Example:
        >>> masked("8f43d1f6c1d2aa00")
        '8f43…aa00'
        >>> masked("short")
        '…'
    """
    value = "".join(character if character.isprintable() else "·" for character in value)
    return f"{value[:4]}…{value[-4:]}" if len(value) >= 12 else "…"


def harmless(value: str) -> str:
    """Hide a segment code or a word that looks like the ID of somebody; numbers and names stay.

    Files with their columns in the wrong order would show IDs as segments otherwise.
    """
    return masked(value) if looks_like_id(value) and not (value.isdigit() and len(value) < 12) else value


def _shape(value: str) -> str:
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"[0-9]+", "0", value.strip()))


def _is_mixed(value: str) -> bool:
    """Whether a word has what words have not: digits with both cases, or the padding of base64."""
    return value.endswith("=") or all(re.search(part, value) for part in ("[A-Z]", "[a-z]", "[0-9+/]"))
