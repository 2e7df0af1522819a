"""Rows: Delta tables in a folder, the engine that computes on their files, and the locks between processes."""

from symbolon.lake.engine import Engine, open_engine
from symbolon.lake.errors import (
    CommitConflict,
    DiskFull,
    EngineLost,
    EngineMissing,
    EngineUnknown,
    EngineUnreachable,
    JavaMissing,
    LakeCorrupt,
    LakeMissing,
    LakePathError,
    LakeVersionError,
    LockHeld,
    OutOfMemory,
    PathsDiffer,
    SchemaMismatch,
    StatementFailed,
)
from symbolon.lake.lake import Lake
from symbolon.lake.layered import LayeredTable
from symbolon.lake.locks import file_lock
from symbolon.lake.staging import ParquetStaging
from symbolon.lake.table import ABSENT, LakeTable
from symbolon.lake.written import WrittenFile

__all__ = [
    "ABSENT",
    "CommitConflict",
    "DiskFull",
    "Engine",
    "EngineLost",
    "EngineMissing",
    "EngineUnknown",
    "EngineUnreachable",
    "JavaMissing",
    "Lake",
    "LakeCorrupt",
    "LakeMissing",
    "LakePathError",
    "LakeTable",
    "LakeVersionError",
    "LayeredTable",
    "LockHeld",
    "OutOfMemory",
    "ParquetStaging",
    "PathsDiffer",
    "SchemaMismatch",
    "StatementFailed",
    "WrittenFile",
    "file_lock",
    "open_engine",
]
