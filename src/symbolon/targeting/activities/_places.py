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
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_URL = re.compile(r"(?P<root>(?:s3|sftp)://[^/\s]+)(?:/(?P<below>\S*))?")
#: signs that mean something in a URL: no value of a parameter brings them
_URL_SIGNS = frozenset("?#%@")


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
    if name and not _is_far(name) and not (_NAME.fullmatch(name) and not _is_own_folder(context, name)):
        _refused(
            context,
            "transport",
            "this is neither the name of a transport nor an address (`s3://`, `sftp://`)",
            "`symbolon transport list` names them; `symbolon transport add` makes one of a folder",
        )


def destination(context: Context, template: str, path: str) -> str:
    """Give where files go: a transport with a path below it, a URL, or a folder; faulted where it may not be.

    A parameter stands only in what is below a defined transport, the outbox, or the bucket or server of a URL: where
    files go to is said by who wrote the definition, not by who sends a signal.

    Raises:
        PathRefused: in a plan or a run, what is filled in leads out of its place.
    """
    text = template.strip()
    has_parameter = _PARAMETER.search(text) is not None
    url = _URL.fullmatch(_PARAMETER.sub("x", text))
    first, _, below = text.partition("/")
    if url is not None:
        below = text.split("://", 1)[1].partition("/")[2]
    if ".." in re.split(r"[/\\]", text):
        return _refused(context, path, "`..` has no place in a path that files go to", "to: partner/in")
    if not has_parameter:
        return text
    begins = text[: len(text) - len(below)]
    if _PARAMETER.search(begins) or not (url or first == "outbox" or context.is_transport(first)):
        return _refused(
            context,
            path,
            "a parameter stands only below a defined transport, `outbox/`, or the bucket or server of a URL",
            "to: partner/${country}; `symbolon transport add` makes a transport of a folder",
        )
    if context.mode is Mode.CHECK:  # what the parameter will be is not known yet
        return text
    filled = relative(context.text(below, path).rstrip("/"), "transport")
    if url is not None and _URL_SIGNS & set(filled):
        raise PathRefused("a parameter holds signs that mean something in a URL")
    return begins + filled


def _refused(context: Context, path: str, message: str, hint: str) -> str:
    """Fault a place in a check; in a plan or a run nothing may be opened there."""
    if context.mode is not Mode.CHECK:
        raise PathRefused(message, hint=hint)
    context.fault(path, message, hint)
    return ""


def _is_far(name: str) -> bool:
    """Whether this is a URL of another machine that names no folder above its own."""
    return _URL.fullmatch(name) is not None and ".." not in name.split("/")


def _is_own_folder(context: Context, name: str) -> bool:
    """Whether this is no transport, but a folder of the project, such as its keys or its lake."""
    return not context.is_transport(name) and (context.settings.project / name).is_dir()


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
