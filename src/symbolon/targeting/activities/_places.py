"""Files that activities may touch: below the inbox, the outbox, or the root of a transport; nothing else.

Invariant: a name is taken apart before it is used, and what it leads to is looked at after links were followed.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from symbolon.targeting.activities._errors import PathRefused
from symbolon.targeting.activity import Mode

if TYPE_CHECKING:
    from symbolon.targeting.activity import Context

WILD = frozenset("*?[")
_LONGEST = 1024
_PARAMETER = re.compile(r"\$\{[^{}]*\}")
_TRANSPORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*|(s3|sftp)://\S+")


def relative(name: str, place: str) -> str:
    """Give a name as a path below some root, with `/`.

    Args:
        name: as a person wrote it, parameters filled in.
        place: the root, in words.

    Raises:
        PathRefused: it is empty, absolute, has `..`, a drive, a hidden part, or signs that no name should have.
    """
    shown = f"`{name[:80]}`" if name.isprintable() else "the name"
    if not name.strip() or len(name) > _LONGEST:
        raise PathRefused(f"{shown} is no name of a file in the {place}")
    if not name.isprintable() or "\\" in name:
        raise PathRefused(f"{shown} holds signs that a name of a file must not have")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name.startswith("~") or ":" in path.parts[0]:
        raise PathRefused(f"{shown} leads out of the {place}")
    if any(part.startswith(".") for part in path.parts):
        raise PathRefused(f"{shown} is hidden: temporary files are named like that")
    if name.endswith("/"):
        raise PathRefused(f"{shown} is a folder; name a file")
    return path.as_posix()


def inside(root: Path, name: str, place: str) -> Path:
    """Give the path of a name below a folder, links followed.

    Raises:
        PathRefused: it leads out of the folder.
    """
    path = root / relative(name, place)
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise PathRefused(f"`{name[:80]}` is a link that leads out of the {place}")
    return resolved


def matching(root: Path, name: str, place: str) -> list[tuple[str, Path]]:
    """Give the files below a folder whose name is this one, or whose last part matches it, sorted: name and path.

    Raises:
        PathRefused: the name leads out of the folder.
    """
    wanted = PurePosixPath(relative(name, place))
    if WILD & set(str(wanted.parent)):
        raise PathRefused(f"`{name[:80]}`: only the last part of a path may have `*`, `?` or `[`")
    if not WILD & set(wanted.name):
        path = inside(root, name, place)
        return [(str(wanted), path)] if path.exists() else []
    folder = root if str(wanted.parent) == "." else inside(root, str(wanted.parent), place)
    if not folder.is_dir():
        return []
    return [
        ((wanted.parent / path.name).as_posix(), path.resolve())
        for path in sorted(folder.glob(wanted.name))
        if path.is_file() and not path.name.startswith(".") and path.resolve().is_relative_to(root.resolve())
    ]


def check_transport(context: Context, name: str) -> None:
    """Fault what is neither the name of a transport nor a URL of another machine: folders are not for workflows."""
    if name and not _TRANSPORT.fullmatch(name):
        context.fault(
            "transport",
            "this is neither the name of a transport nor an address (`s3://`, `sftp://`)",
            "`symbolon transport list` names them; `symbolon transport add` makes one of a folder",
        )


def split(name: str) -> tuple[str, str]:
    """Take a name apart: the folder (empty = the root) and the last part."""
    path = PurePosixPath(name)
    return ("" if str(path.parent) == "." else str(path.parent)), path.name


def named(context: Context, template: str, path: str, place: str) -> str | None:
    """Give a name with its parameters filled in; None where a check finds it wrong, or cannot know it yet.

    Raises:
        PathRefused: in a plan or a run, it leads out of its place.
    """
    name = context.text(template, path)
    if context.mode is not Mode.CHECK:
        return relative(name, place)
    try:
        # what a parameter will be is not known yet; what stands around it must be right all the same
        found = relative(_PARAMETER.sub("x", template), place)
    except PathRefused as error:
        context.fault(path, error.summary, error.hint)
        return None
    return None if "${" in template else found


def fresh(context: Context, name: str) -> Path:
    """Make a folder of one's own in the activity's folder."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=context.directory))
