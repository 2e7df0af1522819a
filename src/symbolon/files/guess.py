"""Guesses about values by their looks: whether a cell is an ID, and of what kind; and values with their middle hidden.

Invariant: a guess never changes what a value means; it decides whether a first line is a header, and what is told about
a file.
"""

from __future__ import annotations

import re

#: hexadecimal digits of a digest -> what it probably is
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
_HEX = re.compile(r"(?:\\x|0x)?[0-9a-fA-F]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{22,}={0,2}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{4,24}[0-9]")
_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+")
#: hexadecimal digits of one AES block
_BLOCK_DIGITS = 32


def kind_of(value: str) -> str:
    """Guess what kind of ID a value is.

    Returns:
        `visitor`, `md5` ... `sha512`, `aes-hex`, `aes-base64`, `email`, `phone`, `uuid`, `number`, or empty for anything
        else. A digest of 32 digits and one encrypted block look the same; the digest is told.
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{38}", value):
        return "visitor"
    if _EMAIL.fullmatch(value):
        return "email"
    if _UUID.fullmatch(value):
        return "uuid"
    if re.fullmatch(r"\+[1-9][0-9]{6,14}", value) or (_PHONE.fullmatch(value) and not value.isdigit()):
        return "phone"
    if _HEX.fullmatch(value):
        bare = re.sub(r"^(?:\\x|0x)", "", value)
        if bare == value and len(value) in _DIGESTS:
            return _DIGESTS[len(value)]
        if len(bare) >= _BLOCK_DIGITS and len(bare) % _BLOCK_DIGITS == 0:
            return "aes-hex"
    if re.fullmatch(r"[0-9]+", value):
        return "number"
    if _BASE64.fullmatch(value) and len(value) % 4 == 0 and _is_mixed(value):
        return "aes-base64"
    return ""


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
    return f"{value[:4]}…{value[-4:]}" if len(value) >= 12 else "…"  # noqa: PLR2004


def _shape(value: str) -> str:
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"[0-9]+", "0", value.strip()))


def _is_mixed(value: str) -> bool:
    """Whether a word has what words have not: digits with both cases, or the padding of base64."""
    return value.endswith("=") or all(re.search(part, value) for part in ("[A-Z]", "[a-z]", "[0-9+/]"))
