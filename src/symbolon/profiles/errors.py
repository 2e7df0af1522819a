"""What can go wrong with profiles."""

from __future__ import annotations

from symbolon.errors import DefinitionError, InputError


class FieldError(DefinitionError):
    """A header can be no column of profiles, or two of them mean the same field."""

    code = "profiles.field"


class KeyColumnMissing(InputError):
    """The file has no column with the key by which profiles are found."""

    code = "profiles.key"


class ProfilesRejected(InputError):
    """More rows were rejected than `--max-rejected` allows; nothing was changed."""

    code = "profiles.rejected"


class LinkColumnMissing(InputError):
    """The file has no column with visitor IDs."""

    code = "profiles.visitor_id"
