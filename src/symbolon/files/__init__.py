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
from symbolon.files.inspect import inspect_file
from symbolon.files.inspection import Inspection
from symbolon.files.lists import FORMATS, open_table, read_list, read_table
from symbolon.files.names import FileName, parse_name
from symbolon.files.rows import SegmentBatch, parse_rows, render_rows
from symbolon.files.sets import FileSet, collect_set, verify
from symbolon.files.tables import ListBatch, TableBatch

__all__ = [
    "FORMATS",
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
    "Inspection",
    "ListBatch",
    "OpenError",
    "RejectedLine",
    "SegmentBatch",
    "TableBatch",
    "blocks",
    "collect_set",
    "inspect_file",
    "open_bytes",
    "open_table",
    "parse_info",
    "parse_name",
    "parse_rows",
    "read_list",
    "read_table",
    "render_rows",
    "verify",
]
