"""What can go wrong with rows: the lake's files, its commits, its engine and the disk below them.

Invariant: no text of an engine or of a file reaches a message before values are taken out of it.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symbolon.errors import ConflictError, DefinitionError, EngineError, InputError, InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = (errno.ENOSPC, errno.EDQUOT)


class LakeCorrupt(EngineError):
    """A table of the lake cannot be read: its log or one of its files is missing, cut or not what it should be."""

    code = "engine.lake_corrupt"
    default_hint = (
        "restore the lake folder from a backup, or import again what the table holds; "
        "`symbolon doctor` lists the tables that cannot be read"
    )


class LakeVersionError(InputError):
    """The lake was written in a format that this release does not read."""

    code = "lake.version"


class LakeMissing(InputError):
    """The folder is no lake: it does not exist, or holds other files and no FORMAT marker."""

    code = "lake.missing"
    default_hint = "name the project with --project, or make one with `symbolon init`"


class LakePathError(InputError):
    """The path of the lake has a character that Delta tables cannot be kept under."""

    code = "lake.path"
    default_hint = "move the project to a folder whose path has no `%` and no backslash"


class DiskFull(EngineError):
    """The disk is full. Nothing was published; the files of the attempt are removed."""

    code = "engine.disk_full"
    retryable = True
    default_hint = (
        "free space on the disk of the lake, then run the same command again; what was there before still stands"
    )


class CommitConflict(ConflictError):
    """Somebody changed the table between reading and committing; nothing was changed by this call."""

    code = "conflict.version"
    default_hint = "run the command again: it starts from the new version"


class LockHeld(ConflictError):
    """Another process holds what this one wants to change, for longer than this one waits."""

    code = "conflict.locked"
    default_hint = "wait until it has finished, then run the command again"


class StatementFailed(EngineError):
    """The engine refused or failed a statement. The text is the engine's, without values."""

    code = "engine.statement"
    default_hint = "this is most likely a bug: please report it with the output of `symbolon doctor --json`"


class OutOfMemory(EngineError):
    """The engine needs more memory than it may use, and could not go on by spilling to disk."""

    code = "engine.memory"
    retryable = True
    default_hint = "raise `memory_limit` in symbolon.toml, or lower `threads`"


class EngineUnknown(DefinitionError):
    """The settings name an engine that this release does not have."""

    code = "engine.unknown"


class EngineMissing(DefinitionError):
    """The settings name an engine whose packages are not installed."""

    code = "engine.missing"


class JavaMissing(EngineError):
    """Spark cannot run: there is no Java of a release that it supports."""

    code = "engine.java"


class EngineUnreachable(EngineError):
    """The engine did not start, or the cluster or server that the settings name does not answer."""

    code = "engine.unreachable"
    retryable = True
    default_hint = (
        "check `engine` in symbolon.toml and that the cluster runs; `symbolon doctor` tries it, and "
        "`SYMBOLON_ENGINE=duckdb` runs one command without it"
    )


class EngineLost(EngineError):
    """The engine went away or stopped answering in the middle of a statement. Nothing was published."""

    code = "engine.lost"
    retryable = True
    default_hint = (
        "run the same command again once the engine is back: it begins afresh, and what was there still stands"
    )


class PathsDiffer(EngineError):
    """The engine's workers do not see the files of the project, or write them elsewhere."""

    code = "engine.paths"
    default_hint = (
        "keep the project on storage that every machine of the cluster mounts under the same path, and run the workers "
        "as a user who may read and write it"
    )


class SchemaMismatch(InternalError):
    """A file that is to be committed has other columns than its table; nothing was committed."""

    code = "internal.schema"


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn a full disk into `DiskFull`; every other error passes.

    Args:
        what: what was being written, for the message.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFull(f"the disk is full: {what} could not be written") from None
