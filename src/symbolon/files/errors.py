"""What can be wrong with a file as a whole. What is wrong with one line is a rejected record, never an exception.

Invariant: no message holds a line, a value or an ID of a file; names of files, columns and parts are all it tells.
"""

from __future__ import annotations

from symbolon.errors import DefinitionError, InputError


class FileMissing(InputError):
    """There is no such file."""

    code = "file.missing"
    default_hint = "check the path; a name with spaces or `*` needs quotation marks in the shell"


class FileUnreadable(InputError):
    """The file is there, but the system does not let us read it."""

    code = "file.unreadable"
    default_hint = "check who owns the file and its mode: it must be readable by the account that runs Symbolon"


class FileFormatError(InputError):
    """The content is not what its place asks for: an encoding, a broken Parquet file, lines of another grammar."""

    code = "file.format"
    default_hint = "`symbolon file inspect FILE` tells what the file looks like"


class FileKindError(FileFormatError):
    """It is something else than a file of lines: a folder, a pipe, a picture, an archive."""

    code = "file.kind"


class FileEmpty(FileFormatError):
    """The file has no content. An empty file is invalid in the wire format: it never means "nobody"."""

    code = "file.empty"
    default_hint = "ask the sender for the file again; an upload may have been cut off before its first byte"


class FileCut(FileFormatError):
    """A compressed file ends early or is damaged. Nothing of it is used: a part could look like the whole."""

    code = "file.cut"
    default_hint = "transfer it again in binary mode and compare its size with the sender's; `gzip -t FILE` tests it"


class FileTooLarge(FileFormatError):
    """A compressed file unpacks to more than is allowed, as a gzip bomb does."""

    code = "file.too_large"
    default_hint = "if the file is meant to be that large, unpack it first (`gunzip FILE`), or let the sender split it"


class FileNameError(InputError):
    """The name is not one of a segment file, or the files given do not belong together."""

    code = "file.name"
    default_hint = (
        "segment files are named TYPE_DESTINATION_DPID[_ALIAS]_(full|iter)_TIMESTAMP[SPLIT].sync[.gz], "
        "for example S3_1234_20914_full_1486140844000.sync.gz"
    )


class InfoError(InputError):
    """The control file (`.info`) cannot be read, contradicts itself, or is about other files."""

    code = "file.info"
    default_hint = "ask the sender for the control file again, or move it away to import without its checks"


class InfoMismatch(InputError):
    """A file is not the one that the control file (`.info`) describes: byte size, line count or md5 differ."""

    code = "file.info_mismatch"
    default_hint = "transfer the file again in binary mode; move the .info away to import without its checks"


class IncompleteSet(InputError):
    """Parts of a split file are missing. Nothing is imported before all are there."""

    code = "file.incomplete"
    retryable = True
    default_hint = "put the missing parts beside the others and run the command again"


class ColumnNeeded(DefinitionError):
    """A list has several columns and nobody said which one holds the IDs, or the one named is not there."""

    code = "file.column"


class ColumnsError(FileFormatError):
    """The header of a table cannot be used: a column has no name, or two have the same."""

    code = "file.columns"
    default_hint = "give every column a name of its own in the first line"


class OpenError(DefinitionError):
    """A reading option has a value that is not possible: a format, a limit."""

    code = "file.option"
