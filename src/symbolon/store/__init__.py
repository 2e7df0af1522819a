"""Control records: what exists, which version of it counts, and what was done. Never rows of people."""

from symbolon.store.errors import (
    NameTaken,
    SourceInUse,
    StoreBusy,
    StoreConflict,
    StoreCorrupt,
    StoreDenied,
    StoreFailed,
    StoreFull,
    StoreMissing,
    StoreUncertain,
    StoreUnreachable,
    StoreValueError,
    StoreVersionError,
)
from symbolon.store.fault import StoreFault
from symbolon.store.sealed import SealedDefinitions
from symbolon.store.state import TableState
from symbolon.store.store import Store, migrate, open_store

__all__ = [
    "NameTaken",
    "SealedDefinitions",
    "SourceInUse",
    "Store",
    "StoreBusy",
    "StoreConflict",
    "StoreCorrupt",
    "StoreDenied",
    "StoreFailed",
    "StoreFault",
    "StoreFull",
    "StoreMissing",
    "StoreUncertain",
    "StoreUnreachable",
    "StoreValueError",
    "StoreVersionError",
    "TableState",
    "migrate",
    "open_store",
]
