"""Which rule applies to a field of a scheme, and what counts as an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symbolon.columns import borders, column, flags
from symbolon.errors import UnknownNameError
from symbolon.ids.normalise import adobe, amazon, google, linkedin, liveramp, meta, snap, tiktok, uid2
from symbolon.later import pc

if TYPE_CHECKING:
    import pyarrow as pa

    from symbolon.ids.normalise.forms import SimpleForm
    from symbolon.ids.normalise.rule import Rule

_PARTIES = (adobe, amazon, google, linkedin, liveramp, meta, snap, tiktok, uid2)
#: scheme -> field -> rules, the oldest first
_RULES: dict[str, dict[str, list[Rule]]] = {}
for _party in _PARTIES:
    for _rule in sorted(_party.RULES, key=lambda one: (one.effective, one.version)):
        _RULES.setdefault(_rule.party, {}).setdefault(_rule.field, []).append(_rule)

#: profile fields that hold telephone numbers
PHONE_FIELDS = frozenset({"mobile_phone", "phone", "fax"})
#: fields that every scheme has: what a party says nothing of is done as the house does it
_HOUSE_FIELDS = ("text", "exact")
#: an address that a message can be sent to: one @, something before it, a domain with a dot after it, nothing that a
#: header or a list of addresses would take for its own, and nothing that cannot be seen (blanks, controls, formats)
_NEVER = r"@\s,;:<>()\[\]\\\"\pC\pZ"
_EMAIL = rf"^[^{_NEVER}]+@[^{_NEVER}.]+(?:\.[^{_NEVER}.]+)+$"
_PHONE = r"^\+[1-9][0-9]{6,14}$"
_LONGEST_ADDRESS = 254


def schemes() -> list[str]:
    """Name the schemes, sorted."""
    return sorted(_RULES)


def scheme_rules(scheme: str) -> list[Rule]:
    """Give all rules of a scheme: every field, and of each the oldest version first.

    Raises:
        UnknownNameError: there is no such scheme.
    """
    name, _, _ = scheme.partition("@")
    if name not in _RULES:
        raise UnknownNameError.among("normalisation scheme", name, schemes())
    return [rule for rules in _RULES[name].values() for rule in rules]


def rule(scheme: str, field: str, version: str = "") -> Rule:
    """Give the rule of a scheme for a field.

    Args:
        scheme: its name, `google`, or with the version of its rules, `google@1`.
        field: `email`, `phone`, `text`, `exact`, or another that the party has.
        version: a version; empty = the newest.

    Raises:
        UnknownNameError: there is no such scheme, or it has no rule for this field, or not in this version.
    """
    name, _, wanted = scheme.partition("@")
    wanted = version or wanted
    if name not in _RULES:
        raise UnknownNameError.among("normalisation scheme", name, schemes())
    found = _RULES[name].get(field) or (_RULES["adobe"][field] if field in _HOUSE_FIELDS else [])
    if not found:
        raise UnknownNameError.among(f"rule of scheme `{name}`", field, [*_RULES[name], *_HOUSE_FIELDS])
    if not wanted or found[0].party != name:
        return found[-1]
    for one in found:
        if one.version == wanted:
            return one
    # a scheme has several versions because one of its rules changed; the others stayed
    if any(one.version == wanted for rules in _RULES[name].values() for one in rules):
        return found[-1]
    known = sorted({one.version for rules in _RULES[name].values() for one in rules})
    raise UnknownNameError.among(f"version of scheme `{name}`", wanted, known)


def pinned(scheme: str, field: str) -> str:
    """Give a scheme with the version of its rule for a field, `google@2`: what is kept must not drift with it."""
    return f"{scheme.partition('@')[0]}@{rule(scheme, field).version}"


def field_for(profile_field: str) -> str:
    """Say how values of a profile field are normalised: as `email`, as `phone`, or else as `text`."""
    if profile_field == "email":
        return "email"
    return "phone" if profile_field in PHONE_FIELDS else "text"


def normalise(values: pa.Array, scheme: str, field: str, region: str = "") -> pa.Array:
    """Normalise a column of strings; null where a value has no normalised form: the digest of nothing is never made."""
    return rule(scheme, field).columnar(values, region)


def simple_pattern(scheme: str, field: str) -> str:
    """Give the pattern (RE2) of the values that an engine may normalise itself, by `simple_form`; empty = none."""
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
