"""The words behind a key that rows are sorted by: `ASC`, `DESC`, `NULLS FIRST`, `NULLS LAST`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.targeting.conditions.syntax import Syntax, made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

    from symbolon.targeting.conditions.syntax import Source


def split_direction(pieces: Sequence[Token | Syntax]) -> tuple[list[Token | Syntax], str]:
    """Take the direction off the end of a key; a key that is nothing else is a column of that name."""
    rest, words = list(pieces), ""
    if [_word(piece) for piece in rest[-2:]] in [["NULLS", "FIRST"], ["NULLS", "LAST"]] and len(rest) > 2:
        words = f" NULLS {_word(rest[-1])}"
        rest = rest[:-2]
    if len(rest) > 1 and _word(rest[-1]) in {"ASC", "DESC"}:
        words = _word(rest.pop()) + words
    return rest, words.strip()


def directed(source: Source, key: Syntax, words: str) -> Syntax:
    """Give a key with its direction."""
    return made("order", source, key.at, words, [key])


def take_direction(one: Syntax) -> tuple[Syntax, bool, bool]:
    """Give a key, whether it is descending, and whether rows without a value come first."""
    if one.kind != "order":
        return one, False, False
    return one.parts[0], "DESC" in one.text, "FIRST" in one.text


def _word(piece: Token | Syntax) -> str:
    """Give a bare word: it looks like a column."""
    return piece.text.upper() if isinstance(piece, Syntax) and piece.kind == "column" else ""
