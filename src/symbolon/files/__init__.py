"""Files and their formats: names, control files, sets, blocks of lines, rows of segment files, simple lists."""

from symbolon.files.blocks import Block, RejectedLine, blocks, open_bytes
from symbolon.files.errors import (
    ColumnNeeded,
    ColumnsError,
    FileCut,
    FileEmpty,
    FileFormatError,
    FileKindError,
    FileMissing,
    FileNameError,
    FileTooLarge,
    FileUnreadable,
    IncompleteSet,
    InfoError,
    InfoMismatch,
    OpenError,
)
from symbolon.files.info import Info, InfoPart, parse_info
from symbolon.files.names import FileName, parse_name
from symbolon.files.rows import SegmentBatch, parse_rows, render_rows
from symbolon.files.sets import FileSet, collect_set, verify

__all__ = [
    "Block",
    "ColumnNeeded",
    "ColumnsError",
    "FileCut",
    "FileEmpty",
    "FileFormatError",
    "FileKindError",
    "FileMissing",
    "FileName",
    "FileNameError",
    "FileSet",
    "FileTooLarge",
    "FileUnreadable",
    "IncompleteSet",
    "Info",
    "InfoError",
    "InfoMismatch",
    "InfoPart",
    "OpenError",
    "RejectedLine",
    "SegmentBatch",
    "blocks",
    "collect_set",
    "open_bytes",
    "parse_info",
    "parse_name",
    "parse_rows",
    "render_rows",
    "verify",
]
