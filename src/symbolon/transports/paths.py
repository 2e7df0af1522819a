"""Names of remote files: paths below the root of a transport, and nothing else.

Invariant: a checked name, joined to the root, stays below it as text. Links, which lead elsewhere in fact, are the
affair of each transport.
"""

from __future__ import annotations

import secrets
import unicodedata
from fnmatch import fnmatchcase

from symbolon.transports.errors import NameRefused

#: in front of what we write before it gets its name; such files are never listed
TEMPORARY = ".symbolon-"
_SUFFIX = ".part"
#: a file that was being written so long ago was left by a process that died; seconds
LEFT_BEHIND_S = 86_400
_LONGEST = 1024
_LONGEST_PART = 255
#: control characters, halves of characters, and the separators that end a line
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def checked(name: str) -> str:
    """Give `name` as it is, if it may be a name.

    Raises:
        NameRefused: it is empty or too long, absolute, holds `..`, `.`, an empty part, a backslash, a control
            character, or is one of our temporary names.
    """
    if reason := fault(name):
        # not repeated: it may have been built from what somebody sent
        raise NameRefused(f"a file name is refused: {reason}")
    return name


def fault(name: str) -> str:  # noqa: PLR0911 - a table, one row a line
    """Say what is wrong with a name; empty if nothing is."""
    if not name:
        return "it is empty"
    if name.startswith("/"):
        return "it is absolute"
    if "\\" in name:
        return "it holds a backslash"
    if any(unicodedata.category(one) in _FORBIDDEN for one in name):
        return "it holds a control character"
    parts = name.split("/")
    if ".." in parts:
        return "it holds `..`"
    if "" in parts or "." in parts:
        return "it has an empty part"
    if any(is_temporary(part) for part in parts):
        return "it is kept for files that are being written"
    if len(name.encode()) > _LONGEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        return f"it is longer than {_LONGEST_PART} bytes, or {_LONGEST} with its folders"
    return ""


def checked_prefix(prefix: str) -> str:
    """Give a folder below the root without a `/` at its end; empty = the root itself.

    Raises:
        NameRefused: it is no name.
    """
    bare = prefix.rstrip("/")
    if not bare:
        if prefix:
            raise NameRefused("a file name is refused: it is absolute")
        return ""
    return checked(bare)


def is_listed(name: str) -> bool:
    """Tell whether a name may appear in a listing: it can be asked for, and no part of it is hidden."""
    return not fault(name) and not any(part.startswith(".") for part in name.split("/"))


def matches(name: str, pattern: str, without: tuple[str, ...] = ()) -> bool:
    """Tell whether the last part of a name matches a shell pattern, and the name begins with none of `without`."""
    if name.startswith(without):
        return False
    return pattern == "*" or fnmatchcase(name.rpartition("/")[2], pattern)


def joined(folder: str, name: str) -> str:
    """Put a name below a folder; either may be empty."""
    return f"{folder}/{name}" if folder and name else folder or name


def is_temporary(part: str) -> bool:
    """Tell whether a name without folders is one of ours for a file that is being written."""
    return part.startswith(TEMPORARY) and part.endswith(_SUFFIX)


def temporary() -> str:
    """Give a fresh name for a file that is being written."""
    return f"{TEMPORARY}{secrets.token_hex(8)}{_SUFFIX}"
