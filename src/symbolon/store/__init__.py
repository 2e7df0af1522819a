"""Control records: what exists, which version of it counts, and what was done. Never rows of people."""

from symbolon.store.errors import (
    NameTaken,
    SourceInUse,
    StoreBusy,
    StoreConflict,
    StoreCorrupt,
    StoreFailed,
    StoreFull,
    StoreMissing,
    StoreVersionError,
)
from symbolon.store.state import TableState
from symbolon.store.store import Store, migrate, open_store

__all__ = [
    "NameTaken",
    "SourceInUse",
    "Store",
    "StoreBusy",
    "StoreConflict",
    "StoreCorrupt",
    "StoreFailed",
    "StoreFull",
    "StoreMissing",
    "StoreVersionError",
    "TableState",
    "migrate",
    "open_store",
]
