"""What can go wrong with control records."""

from __future__ import annotations

from symbolon.errors import ConflictError, DefinitionError, EngineError, InputError


class NameTaken(ConflictError):
    """Something else has this name already; names are unique in a project."""

    code = "conflict.name"
    retryable = False
    default_hint = "choose another name, or change what has this one"


class StoreConflict(ConflictError):
    """Somebody changed the record between reading and writing it; nothing was changed by this call."""

    code = "conflict.store"
    default_hint = "run the command again: it starts from the new state"


class DuplicateRecord(StoreConflict):
    """A record of this name or number exists already; nothing was changed by this call."""

    default_hint = "run the command again: it starts from what is there now"


class BrokenReference(StoreConflict):
    """The record refers to one that is gone, or others refer to it; nothing was changed by this call."""


class StoreBusy(ConflictError):
    """Another process has been writing to the store for longer than this one waits."""

    code = "conflict.store_busy"
    default_hint = "wait until the other command has finished, then run this one again"


class SourceInUse(DefinitionError):
    """The data source has audiences, so it cannot be removed."""

    code = "source.in_use"
    default_hint = "delete its audiences first: symbolon audience list, symbolon audience delete NAME"


class StoreMissing(InputError):
    """There is no store where the settings say."""

    code = "store.missing"
    default_hint = "make one with `symbolon init`, or restore symbolon.db from a backup"


class StoreVersionError(InputError):
    """The store was written by another release and must be brought up to date, or needs a newer release."""

    code = "store.version"


class StoreValueError(DefinitionError):
    """A text or a number is larger than the store keeps, or holds characters that no database keeps."""

    code = "store.value"
    default_hint = "choose a shorter one"


class StoreCorrupt(EngineError):
    """The store's file is damaged, or is no store."""

    code = "engine.store_corrupt"
    default_hint = "restore symbolon.db from a backup; the rows in the lake are not affected"


class StoreFull(EngineError):
    """There is no space left to write a control record. What was there before still stands."""

    code = "engine.store_full"
    retryable = True
    default_hint = "free space on the disk of symbolon.db, then run the same command again"


class StoreFailed(EngineError):
    """The database behind the store refused or failed a statement."""

    code = "engine.store"
    retryable = True
    default_hint = "check that the database runs and that its files may be written: `symbolon doctor`"


class StoreDenied(EngineError):
    """The database server refuses the user, or does not allow it what the store needs."""

    code = "engine.store_denied"


class StoreUnreachable(EngineError):
    """The database server cannot be reached, or the connection to it was lost. The call changed nothing."""

    code = "engine.store_unreachable"
    retryable = True
    default_hint = "check that the server runs, then run the same command again"


class StoreUncertain(EngineError):
    """The connection was lost while a change was being confirmed: it counts whole or not at all."""

    code = "engine.store_uncertain"
    default_hint = "look first whether it counts (symbolon audience list, symbolon audience versions NAME), then decide"
