"""Words for what Ibis has no word for, or a wrong one: Spark's names, which every engine understands.

Invariant: no engine is told from another here. Where DuckDB lacks a function, its folder in the lake gives it one of
the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from symbolon import ids

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD_DIGITS = 16


@ibis.udf.scalar.builtin
def sha2(value: str, bits: int) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8 with SHA-2 of so many bits; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def sha1(value: str) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def md5(value: str) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def btrim(value: str, signs: str) -> str:  # type: ignore[empty-body]
    """Take these signs off both ends."""


@ibis.udf.scalar.builtin
def conv(value: str, base: int, to_base: int) -> str:  # type: ignore[empty-body]
    """Write a number of one base in another; a negative one gives it a sign, by two's complement in 64 bits."""


_DIGESTS: dict[str, Callable[[Any], Any]] = {
    "md5": md5,
    "sha1": sha1,
    "sha256": lambda value: sha2(value, 256),
    "sha384": lambda value: sha2(value, 384),
    "sha512": lambda value: sha2(value, 512),
}


@ibis.udf.scalar.builtin(name="trim")
def trim_ascii(value: str) -> str:  # type: ignore[empty-body]
    """Take the spaces off both ends of ASCII: a third quicker than `trim`, but DuckDB's takes other blanks too."""


def trim(value: Any) -> Any:
    """Take the spaces off both ends: no other blanks, and no letters as Ibis's `.strip()` does on Spark."""
    return btrim(value, " ")


def formed(value: Any, form: str) -> Any:
    """Give the normalised form of a simple value, as `symbolon.ids` does by columns."""
    if form == "identity":
        return value
    trimmed: Any = trim_ascii(value)
    if form == "trim":
        return trimmed
    if form == "digits":
        return trimmed.replace("+", "")
    lower = trimmed.lower()
    for domain in ids.ALIASED.get(form, ()):
        local = lower.re_replace(r"[+@].*", "").replace(".", "")
        lower = ibis.ifelse(lower.endswith(domain), local.concat(domain), lower)
    return lower


def digest_of(algorithm: str, value: Any) -> Any:
    """Digest text to lower-case hexadecimal, for an engine that has the algorithm among its `digests`."""
    return _DIGESTS[algorithm](value)


def words_of_hex(digest: Any, words: int) -> list[Any]:
    """Read a hexadecimal digest as match key words: signed, big-endian, the last one padded with zeros."""
    padded = digest.concat("0" * _WORD_DIGITS)
    parts = (padded.substr(index * _WORD_DIGITS, _WORD_DIGITS) for index in range(words))
    return [conv(part, 16, -10).cast("int64") for part in parts]


def matches(value: Any, pattern: str) -> Any:
    r"""Say whether the whole text matches a pattern `^...$`.

    `$` would also match before a line end at the end of the text on Spark, whose patterns are Java's; `\z` matches
    at the end of the text only, everywhere.
    """
    return value.re_search(pattern.removesuffix("$") + r"\z")
