"""Why one ID did or did not match: the same steps as an import, for one value, each with its outcome.

Invariant: the steps run the import's own code, so an explanation cannot drift from it; and every value in it is masked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import msgspec
import pyarrow as pa

from symbolon import ids
from symbolon.records import REJECT_REASONS, DataSource, Kind, OnAmbiguous, Protection

if TYPE_CHECKING:
    from symbolon.lake import Engine
    from symbolon.profiles import Profiles


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done with the value."""

    #: `read`, `protect`, `look up`, `policy`
    name: str
    #: whether the value went on from here
    passed: bool
    #: what happened, in words; values are masked
    detail: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Which profile a value is, by which rule, or why none."""

    source: str
    #: the value as it was given, masked
    value: str
    #: whether an import would make at least one profile a member by this value
    member: bool
    #: why not: a reject reason, `unknown_id`, `ambiguous_id`, `withheld`; empty = it would
    reason: str = ""
    steps: list[Step] = []
    #: the profiles that hold it: external id (or internal number), masked
    profiles: list[str] = []


#: what each reject reason means for one value
_MEANING = {
    "malformed_id": "it is no ID of this kind: wrong length, wrong alphabet, or the digest of nothing",
    "bad_encoding": "its bytes are not written as the data source says",
    "decrypt_failed": "the key of the data source does not open it",
    "invalid_address": "it opens, but what is inside is no valid address",
}


def explain(value: str, source: DataSource, spec: ids.IdSpec, *, profiles: Profiles, engine: Engine) -> Explanation:
    """Walk one value through the import of `source`.

    Args:
        value: the ID as it would stand in a file. For a hashed or encrypted source a plain value is explained too: it
            is normalised and hashed first, as the sender should have done.
        source: the data source.
        spec: how its IDs are read, with the key.
        profiles: where it is looked up.
        engine: what looks it up.

    Raises:
        InputError: never for the value; a value that cannot be read is an explanation too.
    """
    steps: list[Step] = []
    raw = value.strip().encode()
    keys = ids.match_keys(pa.array([raw], pa.binary()), spec)
    reason = REJECT_REASONS[int(keys.reason[0])]
    words = [int(word[0]) for word in keys.words]
    kind = "visitor ID" if source.kind is Kind.VISITOR else f"{source.protection} declared ID"
    if reason:
        steps.append(Step(name="read", passed=False, detail=f"read as {kind}: {_MEANING.get(reason, reason)}"))
        plain = _as_plain(value, source, spec)
        if plain is None:
            return _ended(source, value, reason, steps)
        form, words = plain
        steps.append(
            Step(
                name="protect",
                passed=True,
                detail=f"taken as a plain value instead: normalised by scheme `{spec.scheme}` ({spec.field}) to "
                f"{ids.mask(form)}, then {spec.protection.match_algorithm}",
            )
        )
    else:
        steps.append(Step(name="read", passed=True, detail=f"read as {kind}"))
    return _looked_up(source, value, reason, words, steps, spec, profiles, engine)


def _as_plain(value: str, source: DataSource, spec: ids.IdSpec) -> tuple[str, list[int]] | None:
    """Normalise and digest a value that was given in clear where the source carries digests or ciphertext."""
    if source.kind is Kind.VISITOR or source.protection is Protection.PLAIN:
        return None
    form = ids.normalise(pa.array([value], pa.string()), spec.scheme, spec.field, spec.region)[0].as_py()
    if not form:
        return None
    words = ids.digest_words(pa.array([form], pa.string()), spec.protection.match_algorithm)
    return form, [int(word[0]) for word in words]


def _looked_up(
    source: DataSource,
    value: str,
    reason: str,
    words: list[int],
    steps: list[Step],
    spec: ids.IdSpec,
    profiles: Profiles,
    engine: Engine,
) -> Explanation:
    names = [f"d{index}" for index in range(len(words))]
    if source.kind is Kind.VISITOR:
        relation, where = profiles.visitor_index(), "the visitor links"
    else:
        algorithm = source.protection.match_algorithm
        relation = profiles.index(source.key, source.scheme, spec.region, algorithm).relation
        where = f"the {algorithm} digests of profile field `{source.key}`"
    key = engine.relation(
        pa.table({name: pa.array([word], pa.int64()) for name, word in zip(names, words, strict=True)})
    )
    found = relation.inner_join(key, names)
    if source.kind is Kind.VISITOR:
        found = found.order_by([ibis.desc("last_seen"), ibis.asc("profile_id")])
    holders = [int(number) for number in engine.fetch(found.select("profile_id"), limit=None)["profile_id"].to_pylist()]
    if not holders:
        steps.append(Step(name="look up", passed=False, detail=f"not among {where}"))
        return _ended(source, value, reason or "unknown_id", steps)
    count = "one profile holds" if len(holders) == 1 else f"{len(holders)} profiles hold"
    steps.append(Step(name="look up", passed=True, detail=f"among {where}: {count} it"))
    if len(holders) > 1 and source.kind is Kind.VISITOR:
        steps.append(Step(name="look up", passed=True, detail="the latest link wins, the others are reported"))
        holders = holders[:1]
    elif len(holders) > 1 and source.on_ambiguous is OnAmbiguous.REJECT:
        steps.append(Step(name="look up", passed=False, detail="the data source rejects ambiguous IDs"))
        return _ended(source, value, reason or "ambiguous_id", steps, _names(holders, profiles, engine))
    withheld = profiles.opted_out_of_sharing()
    out = engine.count(withheld.filter(withheld.profile_id.isin(holders)))
    if out:
        steps.append(Step(name="policy", passed=out < len(holders), detail=f"{out} opted out of sharing: withheld"))
    if reason:
        steps.append(
            Step(name="read", passed=False, detail="a file must hold the protected form; this value would be rejected")
        )
    if out == len(holders):
        reason = reason or "withheld"
    return _ended(source, value, reason, steps, _names(holders, profiles, engine))


def _names(holders: list[int], profiles: Profiles, engine: Engine) -> list[str]:
    current = profiles.current()
    some = current.filter(current.profile_id.isin(holders[:20])).select("profile_id", "external_id")
    rows = engine.fetch(some.order_by("profile_id"), limit=None).to_pylist()
    return [ids.mask(row["external_id"]) if row["external_id"] else f"profile {row['profile_id']}" for row in rows]


def _ended(
    source: DataSource, value: str, reason: str, steps: list[Step], holders: list[str] | None = None
) -> Explanation:
    return Explanation(
        source=source.name,
        value=ids.mask(value),
        member=not reason,
        reason=reason,
        steps=steps,
        profiles=holders or [],
    )
