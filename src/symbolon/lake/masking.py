"""An engine's message with every value taken out of it.

Invariant: only plain words survive. Engines quote the value that did not fit and the statement around it; a value may
be an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_WORD = re.compile(r"[A-Za-z][a-z]{0,18}[.,:;!?]?|[A-Z_]{2,24}\d{0,3}[.,:;!?]?")
_HIDDEN = "…"


def mask(text: str, known: Collection[str] = ()) -> str:
    """Give an engine's message without values, numbers and statement text.

    Args:
        text: the message as it came.
        known: quoted words that may stay: names of columns.
    """
    first = text.strip().split("\n", 1)[0]

    def quoted(match: re.Match[str]) -> str:
        word = match.group()
        return word if word[1:-1] in known else f"{word[0]}{_HIDDEN}{word[0]}"

    words = _QUOTED.sub(quoted, first).split()
    kept = [
        word if _WORD.fullmatch(word) or word.strip("\"'.,:;!`()") in {*known, _HIDDEN} else _HIDDEN for word in words
    ]
    return re.sub(rf"{_HIDDEN}(?: {_HIDDEN})+", _HIDDEN, " ".join(kept))[:300]
