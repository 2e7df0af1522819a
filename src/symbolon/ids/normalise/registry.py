"""Which rule applies to a field of a scheme, and what counts as an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from symbolon.errors import UnknownNameError
from symbolon.ids.columns import borders, column, flags
from symbolon.ids.normalise import adobe

if TYPE_CHECKING:
    import pyarrow as pa

    from symbolon.ids.normalise.rule import Rule, SimpleForm

_RULES = {(rule.party, rule.field): rule for rule in adobe.RULES}
#: profile fields that hold telephone numbers
PHONE_FIELDS = frozenset({"mobile_phone", "phone", "fax"})
#: an address that a message can be sent to: one @, something before it, a domain with a dot after it, nothing that a
#: header or a list of addresses would take for its own, and nothing that cannot be seen (blanks, controls, formats)
_NEVER = r"@\s,;:<>()\[\]\\\"\pC\pZ"
_EMAIL = rf"^[^{_NEVER}]+@[^{_NEVER}.]+(?:\.[^{_NEVER}.]+)+$"
_PHONE = r"^\+[1-9][0-9]{6,14}$"
_LONGEST_ADDRESS = 254


def schemes() -> list[str]:
    """Name the schemes, sorted."""
    return sorted({party for party, _ in _RULES})


def rule(scheme: str, field: str) -> Rule:
    """Give the rule of a scheme for a field.

    Raises:
        UnknownNameError: there is no such scheme, or it has no rule for this field.
    """
    found = _RULES.get((scheme, field))
    if found is None:
        if scheme not in schemes():
            raise UnknownNameError.among("normalisation scheme", scheme, schemes())
        raise UnknownNameError.among(
            f"rule of scheme `{scheme}`", field, [name for party, name in _RULES if party == scheme]
        )
    return found


def field_for(profile_field: str) -> str:
    """Say how values of a profile field are normalised: as `email`, as `phone`, or else as `text`."""
    if profile_field == "email":
        return "email"
    return "phone" if profile_field in PHONE_FIELDS else "text"


def normalise(values: pa.Array, scheme: str, field: str, region: str = "") -> pa.Array:
    """Normalise a column of strings; null where a value has no normalised form: the digest of nothing is never made."""
    return rule(scheme, field).columnar(values, region)


def simple_pattern(scheme: str, field: str) -> str:
    """Give the pattern (RE2) of the values that an engine may normalise itself, by `simple_form`."""
    return rule(scheme, field).simple


def simple_form(scheme: str, field: str) -> SimpleForm:
    """Say how an engine makes the normalised form of a value that matches `simple_pattern`."""
    return rule(scheme, field).form


def valid_address(values: pa.Array, field: str) -> pa.Array:
    """Say which normalised values a message could be sent to.

    Args:
        values: string; null is no address.
        field: `email` or `phone`.
    """
    found = flags(pc.match_substring_regex(values, pattern=_EMAIL if field == "email" else _PHONE))
    if field == "email":
        found &= np.diff(borders(values)[1]) <= _LONGEST_ADDRESS
    return column(found)
