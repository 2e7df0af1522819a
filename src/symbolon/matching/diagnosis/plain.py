"""Match keys of values that came in clear, or came out of decryption: normalised in every way they could have to be."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from symbolon.matching.diagnosis import forms
from symbolon.matching.diagnosis.forms import BASE
from symbolon.matching.diagnosis.sample import Candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbolon.matching.diagnosis.sample import Reading

_ALGORITHM = "sha256"
_DIGITS = re.compile(r"[0-9]{7,15}", re.ASCII)
#: what a value of a kind looks like at the least
_LOOKS = {"email": re.compile(r".+@.+", re.DOTALL), "phone": re.compile(r"[-+()./0-9 ]*(?:[0-9][-+()./ ]*){6,}")}


def candidates(
    found: dict[Reading, list[tuple[int, str]]], *, scheme: str, region: str, regions: Sequence[str], least: int
) -> list[Candidates]:
    """Give the match keys of plain values, one `Candidates` for each reading, kind of field and form.

    Args:
        found: the values, with the numbers of their IDs.
        scheme: of the data source.
        region: of the data source.
        regions: regions that national telephone numbers may be of.
        least: fewer values than this are left out.
    """
    made: list[Candidates] = []
    for reading, values in found.items():
        for kind in ("email", "phone", "text"):
            look = _LOOKS.get(kind)
            some = [one for one in values if look is None or look.fullmatch(one[1].strip())]
            if len(some) < least:
                continue
            numbers, texts = [number for number, _ in some], [text for _, text in some]
            made.append(_of(reading, kind, BASE, numbers, forms.normal(texts, scheme, kind, region)))
            made += [
                _of(reading, kind, f"scheme:{name}", numbers, forms.normal(texts, name, kind, region))
                for name in forms.other_schemes(kind, scheme)
            ]
            for form in forms.plain_forms(kind):
                written = [str(form.make(text, text.strip())) for text in texts]
                made.append(_of(reading, kind, form.name, numbers, written))
            if kind == "phone":
                made += _national(reading, numbers, texts, scheme, region, regions)
    return [one for one in made if one.size >= least]


def _national(
    reading: Reading, numbers: list[int], texts: list[str], scheme: str, region: str, regions: Sequence[str]
) -> Iterable[Candidates]:
    plus = [f"+{text.strip()}" if _DIGITS.fullmatch(text.strip()) else None for text in texts]
    yield _of(replace(reading, change="plus"), "phone", BASE, numbers, plus)
    national = [(number, text) for number, text in zip(numbers, texts, strict=True) if not forms.is_e164(text)]
    for name in regions:
        if name != region:
            written = forms.normal([text for _, text in national], scheme, "phone", name)
            for form in (BASE, f"region:{name}"):
                change = replace(reading, change=f"region:{name}")
                yield _of(change, "phone", form, [number for number, _ in national], written)


def _of(reading: Reading, kind: str, form: str, numbers: Iterable[int], values: Iterable[str | None]) -> Candidates:
    made = Candidates(reading, _ALGORITHM, kind, form)
    for number, value in zip(numbers, values, strict=True):
        if value:
            made.add(number, sha256(value.encode()).digest())
    return made
