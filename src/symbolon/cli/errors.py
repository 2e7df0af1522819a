"""What can be wrong with a command itself, before any room is asked."""

from __future__ import annotations

from symbolon.errors import DefinitionError, InputError


class CommandError(DefinitionError):
    """The command as typed does not exist, or lacks something, or has something too much."""

    code = "command.usage"


class ConfirmationNeeded(DefinitionError):
    """The command takes something away for good, and nobody is there to be asked."""

    code = "command.confirm"
    default_hint = "add --yes to do it without a question"


class Declined(DefinitionError):
    """Somebody was asked, and said no. Nothing was changed."""

    code = "command.declined"


class OutputError(InputError):
    """The result cannot be written where it should go."""

    code = "command.output"


class FileAccessError(InputError):
    """The system refuses to read or write a file that the command names."""

    code = "command.file"


class DemoFolderError(DefinitionError):
    """The folder for the demo holds other things already."""

    code = "demo.folder"


class ProfileMissing(DefinitionError):
    """No profile has the value that was asked for."""

    code = "profile.missing"
    http_status = 404
