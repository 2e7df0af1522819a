"""Values that are digests already: recognised, with the evidence, so that they are not hashed again.

Invariant: a value of an e-mail or telephone field is a digest or it is not; of any other field it may be a customer
number that looks like one, and is never taken for a digest by itself.

Source: values hashed twice are the most reported fault of connectors (action-destinations #1252 to #2846).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from dataclasses import field as one_field
from typing import TYPE_CHECKING, Literal

import numpy as np

from symbolon.columns import borders, column, flags
from symbolon.ids.words import SIZES
from symbolon.later import pc

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

#: fields whose valid values can never be read as a digest
ADDRESSES = ("email", "phone")
_BY_HEX = {2 * size: name for name, size in SIZES.items()}
_BY_BASE64 = {len(base64.b64encode(bytes(size))): name for name, size in SIZES.items()}
_HEX = re.compile(r"[0-9a-fA-F]+")
_SHORTEST = min(*_BY_HEX, *_BY_BASE64)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a value looks like, and why."""

    #: `sha256`, ...
    algorithm: str
    #: `hex` or `base64`
    encoding: Literal["hex", "base64"]
    #: `certain`: the field can hold no such value otherwise; `possible`: a customer number may look like this
    confidence: Literal["certain", "possible"]
    #: the evidence, in words
    evidence: str
    #: the digest; it is somebody's ID, and never shown
    raw: bytes = one_field(repr=False)


def written(raw: bytes, encoding: str) -> str:
    """Write a digest in `hex` or `base64`."""
    return base64.b64encode(raw).decode() if encoding == "base64" else raw.hex()


def recognise(value: str, field: str) -> Recognised | None:
    """Say what digest a value is, if it looks like one.

    Args:
        value: as it came; blanks at the ends do not count.
        field: the normalisation field: `email`, `phone`, `text`, `exact`.
    """
    text = value.strip()
    confidence: Literal["certain", "possible"] = "certain" if field in ADDRESSES else "possible"
    because = {"email": "an e-mail address has an @", "phone": "a telephone number has at most 15 digits"}.get(
        field, "a customer number may look like this too"
    )
    algorithm = _BY_HEX.get(len(text))
    if algorithm and _HEX.fullmatch(text):
        evidence = f"{len(text)} hexadecimal digits, as many as {algorithm} has; {because}"
        return Recognised(algorithm, "hex", confidence, evidence, bytes.fromhex(text))
    algorithm = _BY_BASE64.get(len(text))
    if algorithm:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) == SIZES[algorithm] and not text.isalnum():
            evidence = f"{len(text)} characters of base64 that hold {len(raw)} bytes, as many as {algorithm}; {because}"
            return Recognised(algorithm, "base64", confidence, evidence, raw)
    return None


def ready_digests(values: pa.Array, field: str, algorithm: str) -> tuple[NDArray[np.bool_], NDArray[np.intp], bytes]:
    """Find the values of a column that are digests already.

    Args:
        values: string; nulls are none.
        field: only `email` and `phone` can be sure of it.
        algorithm: the one that is wanted.

    Returns:
        Which values are a digest of any algorithm; where those of the wanted one stand; their bytes in a row.
    """
    found = np.zeros(len(values), dtype=bool)
    if field not in ADDRESSES or not len(values):
        return found, np.empty(0, dtype=np.intp), b""
    suspects = np.diff(borders(values)[1]) >= _SHORTEST
    if field == "email" and suspects.any():
        suspects &= ~flags(pc.match_substring(values, pattern="@"))
    places = np.flatnonzero(suspects)
    digests: list[bytes] = []
    wanted: list[int] = []
    for place, value in zip(places.tolist(), values.filter(column(suspects)).to_pylist(), strict=True):
        known = recognise(value, field) if value is not None else None
        if known is not None:
            found[place] = True
            if known.algorithm == algorithm and known.raw != _nothing(algorithm):
                wanted.append(place)
                digests.append(known.raw)
    return found, np.asarray(wanted, dtype=np.intp), b"".join(digests)


def _nothing(algorithm: str) -> bytes:
    return hashlib.new(algorithm, b"").digest()
