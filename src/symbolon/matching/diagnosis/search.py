"""Looks match keys up where they could be: in the kept digests first, then among digests made of the profiles' values.

Every form is tried on an even sample of the profiles, which shows any fault of a good part of the IDs in a moment; what
shows there, and what is likeliest, is then looked up in all profiles. Everything stops in time, and what was not tried
is told.

Invariant: a match key is compared whole, at least 128 bits of it: what is found is no chance. An engine is given
digests of IDs, never an ID in clear, and gives back digests that were asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.ids import field_for
from symbolon.matching.diagnosis import forms as profile_forms
from symbolon.matching.diagnosis.forms import BASE, Form
from symbolon.matching.diagnosis.sample import Hit, Target
from symbolon.matching.reconcile import words_of
from symbolon.profiles.vocabulary import digest_of, trim

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import ibis

    from symbolon.lake import Engine
    from symbolon.matching.diagnosis.sample import Candidates
    from symbolon.profiles import Profiles
    from symbolon.records import DataSource, Progress

    #: values in, normalised values out; None where there is none
    Normalise = Callable[[Sequence[str]], list[str | None]]

#: profiles in the sample
MOST_VALUES = 500_000
_CHUNK = 20_000
#: first guess of digests a second, by the engine and here; afterwards it is measured
_ENGINE_RATE, _OWN_RATE = 1_500_000.0, 200_000.0
#: what a pass over all profiles may take longer than was measured: others use the machine too
_CAUTION = 1.5
#: profile fields that hold an ID
_FIELDS = ("email", "mobile_phone", "phone", "external_id", "fax")
_MOST_FIELDS = 12


@dataclass(frozen=True, slots=True, repr=False)
class Values:
    """Values of a field of an even sample of the profiles, with their normalised forms."""

    raw: list[str]
    base: list[str | None]
    #: share of the profiles they are of
    share: float
    #: `value` and `base`, of those that have both
    relation: ibis.Table


class Clock:
    """Knows how much time is left."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._end = now() + seconds
        #: seconds in all
        self.total = seconds

    @property
    def left(self) -> float:
        """Seconds left; negative when over."""
        return self._end - self._now()

    def in_time(self) -> bool:
        """Tell whether any is left."""
        return self.left > 0


class Search:
    """Looks candidates up for one data source.

    Args:
        engine: reads the profiles.
        profiles: whose values and kept digests are looked at.
        source: the data source of the sample.
        region: its region of telephone numbers.
        clock: ends it.
        progress: told what is tried.
        most_values: size of the sample of profiles; None = `MOST_VALUES`.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        profiles: Profiles,
        source: DataSource,
        region: str,
        clock: Clock,
        progress: Progress,
        most_values: int | None = None,
    ) -> None:
        self._engine = engine
        self._profiles = profiles
        self._source = source
        self._region = region
        self._clock = clock
        self._progress = progress
        self._most_values = most_values or MOST_VALUES
        self._values: dict[str, Values] = {}
        self._engine_rate, self._own_rate = _ENGINE_RATE, _OWN_RATE
        self._tried: set[tuple[Target, int]] = set()
        self._all: set[Target] = set()
        self.count = profiles.count
        #: what was left out for lack of time
        self.late: list[Target] = []

    @property
    def digests(self) -> Collection[str]:
        """The algorithms that the engine has."""
        return self._engine.digests

    @property
    def fields(self) -> list[str]:
        """The profile fields that hold an ID, the source's own first."""
        schema = self._profiles.schema()
        fixed = set(_fixed_fields())
        extra = [one.name for one in schema if one.name not in fixed and pa.types.is_string(one.type)]
        named = [self._source.key, *_FIELDS, *extra]
        return [one for one in dict.fromkeys(named) if one in schema.names][:_MOST_FIELDS]

    def values(self, field: str) -> Values:
        """Give values of a field, read once."""
        found = self._values.get(field)
        if found is None:
            found = self._values[field] = self._read(field)
        return found

    def visitors(self, candidates: Iterable[Candidates]) -> list[Hit]:
        """Look visitor IDs up among the visitor links."""
        mine = [one for one in candidates if one.algorithm == "visitor"]
        if not mine:
            return []
        return self._joined(self._profiles.visitor_index(), Target("", BASE, "visitor"), mine)

    def kept(self, candidates: Iterable[Candidates]) -> list[Hit]:
        """Look up in the digests that an import compares with."""
        source = self._source
        algorithm = source.protection.match_algorithm
        target = Target(source.key, BASE, algorithm)
        mine = _fitting(candidates, target)
        if not source.key or not mine:
            return []
        index = self._profiles.index(source.key, source.scheme, self._region, algorithm, keep=False)
        self._tried.update((target, id(one)) for one in mine)
        self._all.add(target)
        return self._joined(index.relation, target, mine)

    def look_up(self, candidates: Sequence[Candidates], field: str, form: Form) -> list[Hit]:
        """Look up among the values of a field in one form, in the sample; what shows there in all profiles."""
        hits: list[Hit] = []
        for target, mine in self._targets(candidates, field, form):
            values = self.values(field)
            if not values.raw:
                continue
            if self._clock.left < self._work(form, target.algorithm, len(values.raw)):
                self.late.append(target)
                continue
            self._tried.update((target, id(one)) for one in mine)
            if not self._is_engines(form, target.algorithm):
                hits += self._here(target, form, mine)
                continue
            found = self._by_engine(target, form, mine, values.relation, values.share)
            hits += (self._in_all(target, form, mine) or found) if found and values.share < 1 else found
        return hits

    def look_up_everywhere(
        self, candidates: Sequence[Candidates], field: str, form: Form, *, until: float
    ) -> list[Hit]:
        """Look up in all profiles, however little the sample showed, as long as so many seconds are left."""
        hits: list[Hit] = []
        if self.values(field).share < 1 and self.values(field).raw:
            for target, mine in self._targets(candidates, field, form, again=True):
                if self._is_engines(form, target.algorithm) and target not in self._all and self._clock.left > until:
                    hits += self._in_all(target, form, mine)
        return hits

    def _targets(
        self, candidates: Sequence[Candidates], field: str, form: Form, *, again: bool = False
    ) -> Iterator[tuple[Target, list[Candidates]]]:
        for algorithm in dict.fromkeys(one.algorithm for one in candidates if one.algorithm != "visitor"):
            target = Target(field, form.name, algorithm)
            mine = [one for one in _fitting(candidates, target) if again or (target, id(one)) not in self._tried]
            if mine:
                yield target, mine

    def _is_engines(self, form: Form, algorithm: str) -> bool:
        return form.engine is not None and algorithm in self._engine.digests

    def _work(self, form: Form, algorithm: str, count: int) -> float:
        """Give the seconds that so many digests may take."""
        if self._is_engines(form, algorithm):
            return _CAUTION * count / self._engine_rate
        return count / self._own_rate

    def _in_all(self, target: Target, form: Form, mine: list[Candidates]) -> list[Hit]:
        """Look up in all profiles; nothing where there is no time."""
        if self._clock.left < self._work(form, target.algorithm, self.count):
            return []
        self._all.add(target)
        rows = self._profiles.current()
        column = rows[target.field]
        value = column if column.type().is_string() else column.cast("string")
        base: Any = trim(value)
        if field_for(target.field) == "email":
            base = base.lower()
        some = rows.select(value=value, base=base).filter(lambda t: t.value.notnull())
        return self._by_engine(target, form, mine, some, 1.0)

    def compare(
        self,
        candidates: Sequence[Candidates],
        field: str,
        name: str,
        normalise: Callable[[Sequence[str]], list[str | None]],
    ) -> list[Hit]:
        """Look up among the values of a field as another rule normalises them, in the sample of the profiles."""
        values = self.values(field)
        hits = []
        for algorithm in dict.fromkeys(one.algorithm for one in candidates if one.algorithm != "visitor"):
            target = Target(field, name, algorithm)
            mine = _fitting(candidates, target)
            if not values.raw:
                continue
            if mine and self._clock.left < len(values.raw) / self._own_rate:
                self.late.append(target)
            elif mine:
                hits += self._sampled(target, mine, self._renormalised(values, normalise), algorithm)
        return hits

    def _read(self, field: str) -> Values:
        rows = self._profiles.current().select("profile_id", field).filter(lambda t: t[field].notnull())
        step = max(1, -(-self.count // self._most_values))
        if step > 1:  # every so many, over all of them: those of one age or one import would not be like the others
            rows = rows.filter(rows.profile_id % step == 0)
        raw: list[str] = []
        for batch in self._engine.batches(rows.select(field)):
            raw += batch.column(0).cast(pa.string()).to_pylist()
            if not self._clock.in_time():
                break
        base = profile_forms.normal(raw, self._source.scheme, field_for(field), self._region)
        pairs = pa.table({"value": pa.array(raw, pa.string()), "base": pa.array(base, pa.string())})
        return Values(raw, base, 1 / step, self._engine.relation(pairs.filter(pairs["base"].is_valid())))

    def _by_engine(
        self, target: Target, form: Form, mine: list[Candidates], values: ibis.Table, share: float
    ) -> list[Hit]:
        started = time.monotonic()
        assert form.engine is not None  # noqa: S101 - asked before
        made = form.engine(values.value, values.base)
        if form.name != BASE and all(one.form == "" for one in mine):
            values = values.filter(made != values.base)  # the others were looked up in their normalised form
        wanted = pa.table({"hex": pa.array(sorted({key.hex() for one in mine for key in one.keys}), pa.string())})
        digests = values.select(hex=digest_of(target.algorithm, made))
        found = digests.inner_join(self._engine.relation(wanted), "hex").select("hex").distinct()
        keys = {bytes.fromhex(one) for one in self._engine.fetch(found, limit=None)["hex"].to_pylist()}
        count = self.count * share
        if not form.rare and count > _CHUNK:
            self._engine_rate = count / max(time.monotonic() - started, 0.001)
        return _hits(target, mine, keys, share)

    def _here(self, target: Target, form: Form, mine: list[Candidates]) -> list[Hit]:
        values = self.values(target.field)

        def chunks() -> Iterator[Iterable[bytes]]:
            for start in range(0, len(values.raw), _CHUNK):
                part = slice(start, start + _CHUNK)
                made = profile_forms.digests(form, values.raw[part], values.base[part], target.algorithm)
                yield [digest for _, digest in made]

        return self._matched(target, mine, chunks(), values)

    def _sampled(
        self, target: Target, mine: list[Candidates], made: Iterable[list[str | None]], algorithm: str
    ) -> list[Hit]:
        base = profile_forms.base_form()

        def chunks() -> Iterator[Iterable[bytes]]:
            for part in made:
                there = [one for one in part if one]
                yield [digest for _, digest in profile_forms.digests(base, there, there, algorithm)]

        return self._matched(target, mine, chunks(), self.values(target.field))

    def _renormalised(self, values: Values, normalise: Normalise) -> Iterator[list[str | None]]:
        for start in range(0, len(values.raw), _CHUNK):
            yield normalise(values.raw[start : start + _CHUNK])

    def _matched(
        self, target: Target, mine: list[Candidates], chunks: Iterable[Iterable[bytes]], values: Values
    ) -> list[Hit]:
        started, done = time.monotonic(), 0
        wanted = {key for one in mine for key in one.keys}
        found: set[bytes] = set()
        for chunk in chunks:
            found.update(wanted.intersection(chunk))
            done = min(done + _CHUNK, len(values.raw))
            if not self._clock.in_time():
                break
        if done:
            self._own_rate = max(done / max(time.monotonic() - started, 0.001), 1000)
        share = values.share * done / len(values.raw) if values.raw else 1.0
        return _hits(target, mine, found, share)

    def _joined(self, index: ibis.Table, target: Target, mine: list[Candidates]) -> list[Hit]:
        keys = sorted({key for one in mine for key in one.keys})
        words = words_of_keys(keys, target.algorithm)
        names = words_of(index)
        rows = pa.table({"key": pa.array(range(len(keys)), pa.int64())} | {
            name: ids.column(np.ascontiguousarray(word)) for name, word in zip(names, words, strict=True)
        })  # fmt: skip
        found = self._engine.relation(rows).semi_join(index.select(*names), names).select("key")
        numbers = self._engine.fetch(found, limit=None)["key"].to_pylist()
        return _hits(target, mine, {keys[number] for number in numbers}, 1.0)


def words_of_keys(keys: Sequence[bytes], algorithm: str) -> Sequence[Any]:
    """Give match keys (digests, or 38 digits) as words."""
    if algorithm == "visitor":
        return ids.visitor_words(pa.array(keys, pa.binary()))[0]
    return ids.words_of_digests(b"".join(keys), algorithm)


def _fitting(candidates: Iterable[Candidates], target: Target) -> list[Candidates]:
    kind = field_for(target.field)
    return [
        one
        for one in candidates
        if one.algorithm == target.algorithm and one.kind in ("", kind) and one.form in ("", target.form)
    ]


def _hits(target: Target, mine: Iterable[Candidates], found: set[bytes], share: float) -> list[Hit]:
    hits = []
    for one in mine:
        numbers = {number for key in found.intersection(one.keys) for number in one.keys[key]}
        if numbers:
            hits.append(Hit(one.reading, target, numbers, share))
    return hits


def _fixed_fields() -> Sequence[str]:
    from symbolon.profiles.fields import FIELDS  # noqa: PLC0415

    return ["profile_id", *FIELDS.names]
