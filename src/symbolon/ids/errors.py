"""What can be wrong with a partner's values and digests."""

from __future__ import annotations

from symbolon.errors import InputError


class VectorFileError(InputError):
    """A file of values and digests cannot be read as one."""

    code = "scheme.file"
    default_hint = "give a CSV or TSV file with a column of values and a column of their digests, in UTF-8"


class VectorsDisagree(InputError):
    """A partner's digests are not those that the scheme makes of the partner's values."""

    code = "scheme.vectors"
    default_hint = "ask the sender how the values were written before they were digested"
