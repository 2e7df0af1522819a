"""A normalisation rule: one party's word for the form of a value that is digested, with the vectors that prove it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from symbolon.columns import as_type, borders, column, flags, nulled, strings
from symbolon.ids.normalise.forms import SimpleForm, formed
from symbolon.later import pc

if TYPE_CHECKING:
    from symbolon.ids.normalise.steps import Step

#: raw value, region, normalised value, and its digest as the party writes it (empty where it is not hashed)
Vector = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one party normalises one kind of field.

    The steps are the definition, and `plain` goes through them. Values that match `simple` are so common and so plain
    that a whole column of them is normalised by `form` instead; a property test proves that both agree on everything
    that matches.
    """

    #: whose rule it is: the scheme's name
    party: str
    #: `email`, `phone`, `text`, `exact`, or another field that the party hashes: `first_name`, `country`
    field: str
    #: version of the rule, as rules drift
    version: str
    #: day from which the party applies it, ISO 8601
    effective: str
    #: where it is written
    source: str
    #: the definition: what is done, one thing after the other; nothing = the value is taken as it is
    steps: tuple[Step, ...]
    #: pattern (RE2, and the same in Java) of the simple values; empty = there are none
    simple: str = ""
    #: the normalised form of a simple value
    form: SimpleForm = "identity"
    #: algorithms and encodings (`hex`, `base64`) of the digest, the party's first choice first; none = not hashed
    hashes: tuple[tuple[str, str], ...] = (("sha256", "hex"),)
    golden: tuple[Vector, ...] = ()
    #: values that have no normalised form
    negative: tuple[str, ...] = ()
    #: where the party's own documents or programs disagree
    notes: str = ""

    @property
    def words(self) -> str:
        """What it does, in words."""
        return "; ".join(step.words for step in self.steps) or "as it is"

    def plain(self, value: str, region: str) -> str | None:
        """Normalise one value; None if it has no normalised form."""
        current: str | None = value
        for step in self.steps:
            if not current:
                break
            current = step.apply(current, region)
        return current or None

    def digest(self, normal: str, algorithm: str = "", encoding: str = "") -> str:
        """Write the digest of a normalised value, by default as the party's first choice; empty if it is not hashed."""
        if not self.hashes:
            return ""
        first, written = self.hashes[0]
        raw = hashlib.new(algorithm or first, normal.encode()).digest()
        return base64.b64encode(raw).decode() if (encoding or written) == "base64" else raw.hex()

    def columnar(self, values: pa.Array, region: str) -> pa.Array:
        """Normalise a column of strings; null where there is no normalised form."""
        values = as_type(values, pa.string())
        odd = self._odd(values)
        if odd is None:
            normal = formed(values, self.form)
        elif odd.all():
            normal = self._one_by_one(values, region)
        else:
            mask = column(odd)  # the form is made of all, and replaced where it is not asked for
            slow = self._one_by_one(values.filter(mask), region)
            normal = pc.replace_with_mask(formed(values, self.form), mask, slow)
        there = np.diff(borders(normal)[1]) > 0
        return normal if there.all() else nulled(normal, there)

    def _odd(self, values: pa.Array) -> np.ndarray | None:
        """Say which values are not simple; None = all are."""
        if not self.simple:
            return np.ones(len(values), dtype=bool)
        odd = ~flags(pc.match_substring_regex(values, pattern=self.simple))
        return odd if odd.any() else None

    def _one_by_one(self, values: pa.Array, region: str) -> pa.Array:
        return strings([None if one is None else self.plain(one, region) for one in values.to_pylist()])
