"""A normalisation rule: one party's word for the form of a value that is digested, with the vectors that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon.ids.columns import as_type, borders, column, flags, nulled, strings

if TYPE_CHECKING:
    from collections.abc import Callable

#: values of printable ASCII and spaces
PRINTABLE = r"^[!-~ ]*$"
#: how the normalised form of a simple value is made, in words that every engine has
SimpleForm = Literal["identity", "trim", "lower_trim"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one party normalises one kind of field.

    The plain function is the definition. Values that match `simple` are so common and so plain that a whole column of
    them is normalised by `form` instead; a property test proves that both agree on everything that matches.
    """

    #: whose rule it is: the scheme's name
    party: str
    #: `email`, `phone`, `text` or `exact`
    field: str
    #: version of the rule, as rules drift
    version: str
    #: day from which the party applies it, ISO 8601
    effective: str
    #: where it is written
    source: str
    #: the definition: value and region in, normalised value or None out
    plain: Callable[[str, str], str | None]
    #: pattern (RE2) of the simple values
    simple: str
    #: the normalised form of a simple value; `trim` takes spaces only
    form: SimpleForm
    #: raw value, region, normalised value, and SHA-256 of it
    golden: tuple[tuple[str, str, str, str], ...] = ()
    #: values that have no normalised form
    negative: tuple[str, ...] = ()

    def columnar(self, values: pa.Array, region: str) -> pa.Array:
        """Normalise a column of strings; null where there is no normalised form."""
        values = as_type(values, pa.string())
        formed = _FORMS[self.form](values)
        if not (self.simple == PRINTABLE and _is_printable(values)):
            odd = ~flags(pc.match_substring_regex(values, pattern=self.simple))
            if odd.any():
                rows = values.filter(column(odd)).to_pylist()
                slow = strings([None if one is None else self.plain(one, region) for one in rows])
                formed = pc.replace_with_mask(formed, column(odd), slow)
        there = np.diff(borders(formed)[1]) > 0
        return formed if there.all() else nulled(formed, there)


def _is_printable(values: pa.Array) -> bool:
    """Whether every byte of a column is printable ASCII: then all of its values match `PRINTABLE`."""
    flat, _ = borders(values)
    return bool(((flat - np.uint8(ord(" "))) <= ord("~") - ord(" ")).all())


_FORMS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "identity": lambda values: values,
    "trim": lambda values: pc.utf8_trim(values, " "),
    "lower_trim": lambda values: pc.ascii_lower(pc.utf8_trim(values, " ")),
}
