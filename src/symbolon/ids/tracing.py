"""One value on its way through a rule, step by step, for a person who wants to know why it does not match.

Invariant: what it finds is what an import makes: the same rule, and a digest is not digested again. A trace holds the
value, so it never shows itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbolon.ids.normalise import rule
from symbolon.ids.recognise import ADDRESSES, Recognised, recognise, written

if TYPE_CHECKING:
    from symbolon.ids.normalise import Rule


@dataclass(frozen=True, slots=True, repr=False)
class Done:
    """One step, done."""

    #: what was done
    words: str
    #: the value afterwards; None = the step refused it, or nothing is left
    value: str | None
    #: whether it did anything to this value
    changed: bool


@dataclass(frozen=True, slots=True, repr=False)
class Digest:
    """A digest as a party takes it."""

    algorithm: str
    #: `hex` or `base64`
    encoding: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Trace:
    """What became of one value."""

    rule: Rule
    steps: tuple[Done, ...]
    #: None = there is none, or the value is a digest already
    normal: str | None
    #: in every way in which the party takes them; none = not hashed, or no normalised form
    digests: tuple[Digest, ...]
    #: why there is no normalised form; empty = there is one
    reason: str
    #: what digest the value is, or may be
    recognised: Recognised | None


def trace(value: str, scheme: str, field: str, region: str = "") -> Trace:
    """Normalise one value and tell how.

    Args:
        value: as it came.
        scheme: a scheme, with or without a version.
        field: one that it has.
        region: of telephone numbers without a country code.

    Raises:
        UnknownNameError: there is no such scheme, or it has no rule for this field.
    """
    entry = rule(scheme, field)
    known = recognise(value, field)
    if known is not None and field in ADDRESSES:
        return _ready(entry, known)
    steps: list[Done] = []
    current, reason = value, "" if value else "it is empty"
    for step in entry.steps if value else ():
        after = step.apply(current, region) or None
        if after is None:
            reason = reason_of(step.refusal, blank=not value.strip())
        steps.append(Done(step.words, after, after != current))
        if after is None:
            break
        current = after
    if reason:
        return Trace(entry, tuple(steps), None, (), reason, known)
    digests = tuple(Digest(name, form, entry.digest(current, name, form)) for name, form in entry.hashes)
    return Trace(entry, tuple(steps), current, digests, "", known)


def reason_of(refusal: str, *, blank: bool) -> str:
    """Say why a step refused: of nothing but blanks nothing more is to be told."""
    return "there is nothing but blanks" if blank else refusal


def _ready(entry: Rule, known: Recognised) -> Trace:
    """Take a digest as it is, if the party takes its algorithm."""
    taken = [(name, form) for name, form in entry.hashes if name == known.algorithm]
    reason = ""
    if known.raw == hashlib.new(known.algorithm, b"").digest():
        reason = f"it is the {known.algorithm} digest of nothing"
    elif not taken:
        algorithms = " or ".join(dict.fromkeys(name for name, _ in entry.hashes)) or "no digest"
        reason = f"it is a {known.algorithm} digest already, and {entry.party} takes {algorithms}"
    digests = () if reason else tuple(Digest(name, form, written(known.raw, form)) for name, form in taken)
    return Trace(entry, (), None, digests, reason, known)
