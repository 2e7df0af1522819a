"""Keys of data sources as a command takes them: from a file or standard input, never as an option.

Invariant: neither the key nor a part of it reaches a message.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from symbolon.cli.errors import FileAccessError
from symbolon.cli.spool import STANDARD_INPUT

#: more than any key, its prefix and its line end
_LARGEST = 1024


@dataclass(frozen=True, slots=True)
class Secret:
    """Key and IV as bytes; None = not given."""

    key: bytes | None = None
    iv: bytes | None = None
    #: whether each ID carries its own IV; None = nothing was said
    prefixed: bool | None = None

    def __repr__(self) -> str:
        """Say only what is there."""
        return f"Secret(key={'given' if self.key else 'none'})"


def key_and_iv(file: str | None, iv: str | None) -> Secret:
    """Read `--key-hex-file` and `--iv`.

    Raises:
        FileAccessError: the file cannot be read.
        KeyInvalid: what is in it is no key, or the IV is none.
    """
    from symbolon.keys import parse_iv_hex, parse_key_hex  # noqa: PLC0415 - heavy

    key = parse_key_hex(_read(file)) if file is not None else None
    if iv is None:
        return Secret(key)
    if iv.strip().lower() == "prefixed":
        return Secret(key, None, prefixed=True)
    return Secret(key, parse_iv_hex(iv), prefixed=False)


def _read(file: str) -> str:
    if file == STANDARD_INPUT:
        return sys.stdin.read(_LARGEST).strip()
    try:
        with Path(file).open("rb") as source:
            return source.read(_LARGEST).decode("ascii", "replace").strip()
    except OSError as error:
        # the name is not repeated: it may be the key itself, given by mistake
        raise FileAccessError(
            f"the file of --key-hex-file cannot be read: {os.strerror(error.errno or 0)}",
            hint="--key-hex-file names a file that holds the key, never the key itself",
        ) from None
