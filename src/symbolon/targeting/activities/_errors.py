"""What can go wrong while an activity works, beyond what the rooms below it tell."""

from __future__ import annotations

from symbolon.errors import DefinitionError, InputError


class PathRefused(DefinitionError):
    """A name of a file leads out of the folder that workflows may use."""

    code = "workflow.path"
    default_hint = "name it relative to the folder, without `..`, a drive, or a link that leads out of it"


class FileColumns(InputError):
    """A file does not have the columns that an activity declares."""

    code = "workflow.columns"
    default_hint = "compare the header of the file with `columns` of the activity"


class FileGrowing(InputError):
    """A file changed while it was read. Nothing of it is used."""

    code = "workflow.growing"
    retryable = True
    default_hint = "let the sender write under another name and rename the file when it is whole; then resume the run"


class RowsRejected(InputError):
    """More rows of a file were rejected than the activity allows."""

    code = "workflow.rejected"
    default_hint = "look at the `rejects` of the activity, mend the file, or raise `max_rejected`"


class SignalRefused(DefinitionError):
    """A signal has a parameter that is not declared, is of another type, or is missing; or it is too large."""

    code = "workflow.signal"
    default_hint = "the parameters are declared by the `external_signal` of the workflow"
