"""Do a partner's digests come out of a scheme? Which scheme is it that the partner follows?

Invariant: a verdict tells places and reasons, never a value or a digest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from symbolon.ids.normalise import rule, scheme_rules, schemes
from symbolon.ids.recognise import ADDRESSES, Recognised, recognise
from symbolon.ids.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symbolon.ids.normalise import Rule
    from symbolon.ids.vectors import Vector

#: how else a value is digested by mistake: what happened -> what was digested
_MISTAKES: dict[str, Callable[[str], bytes]] = {
    "a line end was digested with it": lambda text: f"{text}\n".encode(),
    "a line end (CR LF) was digested with it": lambda text: f"{text}\r\n".encode(),
    "it was digested as UTF-16": lambda text: text.encode("utf-16-le"),
    "it was digested within quotation marks": lambda text: f'"{text}"'.encode(),
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One digest that a rule does not make."""

    #: place of the digest in the file, from 1
    line: int
    column: int
    #: why, in words
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of a partner's digests one rule makes."""

    #: with its version: `google@2`
    scheme: str
    field: str
    #: vectors that were compared
    rows: int
    agreed: int
    #: the first ones
    disagreements: list[Disagreement]

    @property
    def agrees(self) -> bool:
        """Whether it makes them all."""
        return self.agreed == self.rows


def rules_to_compare(scheme: str, field: str) -> list[Rule]:
    """Give the rule of a scheme for a field; of `all` every version of every scheme that has one.

    Raises:
        UnknownNameError: there is no such scheme, or it has no rule for this field.
    """
    if scheme != "all":
        return [rule(scheme, field)]
    found = [one for name in schemes() for one in scheme_rules(name) if one.field == field]
    return found or [rule("adobe", field)]


def compare(vectors: Sequence[Vector], rules: Sequence[Rule], region: str = "", *, shown: int = 5) -> list[Verdict]:
    """Compare a partner's digests with those of rules.

    Args:
        vectors: values and digests.
        rules: the rules to compare with, all of one field.
        region: of telephone numbers without a country code.
        shown: disagreements that are told for each rule.

    Returns:
        A verdict a rule, the best first.
    """
    given = [recognise(one.digest, "email") for one in vectors]
    values = pa.array([one.value for one in vectors], pa.string())
    # of long values only: a digest is taken as it is
    ready = [recognise(one.value, rules[0].field) if len(one.value) >= 24 else None for one in vectors]
    made: dict[tuple[str, str], bytes] = {}
    found = []
    for entry in rules:
        normal = entry.columnar(values, region).to_pylist()
        agreed = 0
        wrong: list[Disagreement] = []
        for index, vector in enumerate(vectors):
            if _agrees(entry, vector, given[index], normal[index], ready[index], made):
                agreed += 1
            elif len(wrong) < shown:
                wrong.append(Disagreement(vector.line, vector.column, _why(entry, vector, given[index], region)))
        found.append(Verdict(f"{entry.party}@{entry.version}", entry.field, len(vectors), agreed, wrong))
    return sorted(found, key=lambda one: (-one.agreed, one.scheme))


def _agrees(
    entry: Rule,
    vector: Vector,
    given: Recognised | None,
    normal: str | None,
    ready: Recognised | None,
    made: dict[tuple[str, str], bytes],
) -> bool:
    if ready is not None and entry.field in ADDRESSES:
        return given is not None and given.raw == ready.raw and (given.algorithm, given.encoding) in entry.hashes
    if not entry.hashes:  # such a field is given plain
        return vector.digest == (normal or "")
    if given is None:  # nothing is given where nothing is made
        return normal is None and not vector.digest.strip()
    if normal is None or (given.algorithm, given.encoding) not in entry.hashes:
        return False
    key = (normal, given.algorithm)
    if key not in made:
        made[key] = hashlib.new(given.algorithm, normal.encode()).digest()
    return made[key] == given.raw


def _why(entry: Rule, vector: Vector, given: Recognised | None, region: str) -> str:
    """Say in words why a digest is not the rule's."""
    traced = trace(vector.value, f"{entry.party}@{entry.version}", entry.field, region)
    if not entry.hashes:
        return traced.reason or f"{entry.party} takes this field plain, and writes it otherwise"
    if given is None or given.raw == hashlib.new(given.algorithm, b"").digest():
        return _no_digest(vector, given, traced.normal)
    if traced.reason:
        return f"the value has no normalised form: {traced.reason}"
    if traced.normal is None:
        return "the value is a digest already, and this is another one"
    if hashlib.new(given.algorithm, traced.normal.encode()).digest() == given.raw:
        return _other_form(entry, given)
    return _mistake(entry, vector, given, traced.normal, region)


def _no_digest(vector: Vector, given: Recognised | None, normal: str | None) -> str:
    """Say what stands there instead of a digest of something."""
    if given is not None:
        return "it is the digest of nothing: an empty value was digested"
    if not vector.digest.strip():
        return "there is no digest, and the value has a normalised form"
    if vector.digest in (vector.value, normal):
        return "the value itself stands there, not hashed"
    return f"{len(vector.digest.strip())} characters that are no digest"


def _other_form(entry: Rule, given: Recognised) -> str:
    """Say what is wrong with a digest of the right value."""
    algorithms = list(dict.fromkeys(name for name, _ in entry.hashes))
    if given.algorithm not in algorithms:
        return f"normalised alike, but digested by {given.algorithm}: {entry.party} takes {' or '.join(algorithms)}"
    encodings = [form for name, form in entry.hashes if name == given.algorithm]
    return f"the same digest, but written in {given.encoding}: {entry.party} takes {' or '.join(encodings)}"


def _mistake(entry: Rule, vector: Vector, given: Recognised, normal: str, region: str) -> str:
    """Find out what else was digested."""

    def digest(data: bytes) -> bytes:
        return hashlib.new(given.algorithm, data).digest()

    if digest(vector.value.encode()) == given.raw:
        return "the value was digested as it is written, not normalised"
    for other in rules_to_compare("all", entry.field):
        form = other.plain(vector.value, region)
        if form and digest(form.encode()) == given.raw:
            return f"it is what {other.party}@{other.version} makes: {other.words}"
    for form in (normal, vector.value):
        for words, changed in _MISTAKES.items():
            if digest(changed(form)) == given.raw:
                return words
        for name in ("md5", "sha1", "sha256", "sha512"):
            once = hashlib.new(name, form.encode())
            if given.raw in (digest(once.hexdigest().encode()), digest(once.hexdigest().upper().encode())):
                return f"it was digested twice, first by {name}"
    return "another value was digested, or the same with something added to it, such as a salt"
