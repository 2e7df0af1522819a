"""The engines' own words for what Ibis has no word for, or a wrong one.

Invariant: this is the only module of the room that knows one engine from another. An engine that is not named here
still gives the same digests: they are then made by `ids`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from collections.abc import Callable


@ibis.udf.scalar.builtin
def sha256(value: str) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def sha1(value: str) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def md5(value: str) -> str:  # type: ignore[empty-body]
    """Digest text as UTF-8; lower-case hexadecimal."""


@ibis.udf.scalar.builtin
def trim(value: str) -> str:  # type: ignore[empty-body]
    """Take the spaces off both ends; Ibis's `.strip()` cuts letters on one of the engines."""


_DIGESTS: dict[str, dict[str, Callable[[Any], Any]]] = {"duckdb": {"sha256": sha256, "sha1": sha1, "md5": md5}}


def digest_of(engine: str, algorithm: str) -> Callable[[Any], Any] | None:
    """Give the engine's function that digests text to lower-case hexadecimal; None where it has none."""
    return _DIGESTS.get(engine, {}).get(algorithm)
