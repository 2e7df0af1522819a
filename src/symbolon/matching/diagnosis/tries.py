"""The order in which hypotheses are tried: what is likely and quick first, and no more when all is explained.

The two directions of a diagnosis meet here: an ID is read in many ways, and looked up among profile values that are
written in many ways. A hashed ID can only be found the second way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from symbolon.ids import field_for
from symbolon.matching.diagnosis import forms, plain
from symbolon.matching.diagnosis.readings import Reader, worth
from symbolon.matching.diagnosis.sample import Target
from symbolon.matching.diagnosis.sealed import open_all
from symbolon.records import Protection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from symbolon.matching.diagnosis.forms import Form
    from symbolon.matching.diagnosis.sample import Candidates, Hit, Sample
    from symbolon.matching.diagnosis.sealed import Secret
    from symbolon.matching.diagnosis.search import Clock, Search
    from symbolon.records import DataSource, Progress

#: forms that are tried before other fields of the profile are
_LIKELY = frozenset(
    ("as_typed", "case_kept", "spaces_kept", "upper", "lower", "no_plus", "no_zeros", "national", "significant",
     "hashed:sha256", "newline")
)  # fmt: skip


@dataclass(slots=True, repr=False)
class Found:
    """What a diagnosis found."""

    hits: list[Hit] = field(default_factory=list)
    #: IDs that are digests of nothing
    nothing: set[int] = field(default_factory=set)
    #: hypotheses without time, in words
    late: list[str] = field(default_factory=list)
    #: share of the profiles in the sample that every hypothesis was tried on; 1 = all
    tried: float = 1.0


class Tries:
    """Tries hypotheses on one sample.

    Args:
        sample: the IDs.
        source: the data source they came by.
        region: its region of telephone numbers.
        search: looks match keys up.
        secrets: gives all keys of the project; asked only when IDs may be encrypted.
        clock: ends it.
        progress: told what is tried.
    """

    def __init__(
        self,
        *,
        sample: Sample,
        source: DataSource,
        region: str,
        search: Search,
        secrets: Callable[[], Sequence[Secret]],
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._sample = sample
        self._source = source
        self._region = region
        self._search = search
        self._secrets = secrets
        self._clock = clock
        self._progress = progress
        self._found = Found()
        self._least = sample.least

    def run(self) -> Found:
        """Try everything that there is time for."""
        reader = Reader()
        reader.read(self._sample)
        self._found.nothing = reader.nothing
        encrypted = self._source.protection is Protection.AES_CBC
        if encrypted:
            opened = Reader()
            self._open(opened)
            reader.give_way(opened)
        self._try(reader)
        if not encrypted and not self._is_enough:
            opened = Reader()
            self._open(opened)
            if opened.plain or opened.digests():
                self._try(opened)
        if self._source.key:
            values = self._search.values(self._source.key)
            self._found.tried = min(values.share, 1.0)
        self._found.late += [_late(target) for target in dict.fromkeys(self._search.late)]
        return self._found

    @property
    def _is_enough(self) -> bool:
        """Whether hardly any ID is left to be explained."""
        done = set(self._found.nothing)
        for hit in self._found.hits:
            done |= hit.ids
            if hit.tried < 1 and len(hit.ids) / hit.tried >= len(self._sample):
                return True
        return len(self._sample) - len(done) < self._least

    def _open(self, reader: Reader) -> None:
        self._progress.started("trying the keys of the project")
        own, in_time = self._source.name, self._clock.in_time
        late = open_all(self._sample, own, self._secrets(), reader, least=self._least, in_time=in_time)
        self._found.late += [f"the key of data source `{name}`" for name in late]
        self._progress.finished()

    def _try(self, reader: Reader) -> None:
        codes = self._codes()
        known = [self._region] if self._region else []
        regions = forms.regions(codes, known) if reader.plain else []
        digests = worth(reader.digests(), self._least)
        values = plain.candidates(
            reader.plain, scheme=self._source.scheme, region=self._region, regions=regions, least=self._least
        )
        every = [*digests, *values]
        if not every:
            return
        self._found.hits += self._search.visitors(every)
        self._found.hits += self._search.kept(every)
        steps = list(self._steps(every, codes))
        self._progress.started("trying hypotheses", total=len(steps), unit="hypotheses")
        for step in steps:
            if self._is_enough:
                break
            step()
            self._progress.advanced(1)
        self._progress.finished()

    def _steps(self, every: list[Candidates], codes: Sequence[str]) -> Iterator[Callable[[], None]]:
        search, own = self._search, self._source.key
        others = [name for name in search.fields if name != own]
        base = forms.base_form()
        if own:
            yield self._step(every, own, base)
            yield from (self._step(every, own, form) for form in self._forms(own, codes, likely=True))
            yield partial(self._by_rule, every, own)
        for name in others:
            yield self._step(every, name, base)
            if field_for(name) == "phone":
                yield self._step(every, name, forms.NO_PLUS)
        for name in [own] if own else []:
            yield from (self._step(every, name, form) for form in self._forms(name, codes, likely=False))
        for name in others:
            if name in ("email", "mobile_phone", "external_id"):
                yield from (self._step(every, name, form) for form in self._forms(name, codes, likely=True))
        if own:
            for form in [base, *self._forms(own, codes, likely=True)]:
                yield partial(self._everywhere, every, own, form)

    def _step(self, every: list[Candidates], name: str, form: Form) -> Callable[[], None]:
        def step() -> None:
            self._add(self._search.look_up(every, name, form), name, form)

        return step

    def _everywhere(self, every: list[Candidates], name: str, form: Form) -> None:
        """Look for what is too seldom to show in a sample of the profiles, for half of the time."""
        self._add(self._search.look_up_everywhere(every, name, form, until=self._clock.total / 2), name, form)

    def _forms(self, name: str, codes: Sequence[str], *, likely: bool) -> Iterator[Form]:
        for form in forms.forms(field_for(name), self._search.digests, codes):
            if (form.name in _LIKELY) is likely:
                yield form

    def _by_rule(self, every: list[Candidates], name: str) -> None:
        """Try the other schemes and, of telephone numbers, regions: what needs the definition of the rule."""
        source, kind = self._source, field_for(name)
        values = self._search.values(name)
        look = slice(0, 2000)
        for scheme in forms.other_schemes(kind, source.scheme):
            if forms.normal(values.raw[look], scheme, kind, self._region) != values.base[look]:
                self._found.hits += self._search.compare(
                    every,
                    name,
                    f"scheme:{scheme}",
                    partial(forms.normal, scheme=scheme, kind=kind, region=self._region),
                )
        if kind != "phone" or all(one is not None for one in values.base):
            return
        known = [self._region] if self._region else []
        for region in forms.regions(self._codes(), known):
            if region != self._region:
                self._found.hits += self._search.compare(
                    every, name, f"region:{region}", partial(_national, scheme=source.scheme, region=region)
                )

    def _add(self, hits: list[Hit], name: str, form: Form) -> None:
        """Keep hits; a form that is a scheme's as well gets its name: there is a setting for it."""
        if hits and form.name != forms.BASE and name == self._source.key:
            values = self._search.values(name)
            kind = field_for(name)
            for scheme in forms.other_schemes(kind, self._source.scheme):
                if forms.same_as_scheme(form, values.raw, values.base, kind, scheme, self._region):
                    for hit in hits:
                        hit.target = Target(name, f"scheme:{scheme}", hit.target.algorithm)
                    break
        self._found.hits += hits

    def _codes(self) -> list[str]:
        """Give the calling codes of the profiles' telephone numbers."""
        phones = [name for name in self._search.fields if field_for(name) == "phone"]
        return forms.telephone_codes(one for name in phones[:2] for one in self._search.values(name).base[:20_000])


def _national(values: Sequence[str], scheme: str, region: str) -> list[str | None]:
    """Normalise the national numbers among values; the others need no region."""
    return forms.normal([one for one in values if not forms.is_e164(one)], scheme, "phone", region)


def _late(target: Target) -> str:
    where = f"`{target.field}`" if target.field else "visitor links"
    return f"{target.algorithm} of {where}, {target.form.replace(':', ' ').replace('_', ' ')}"
