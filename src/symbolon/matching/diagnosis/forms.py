"""How a sender may have written a value before he hashed it, or just afterwards: the profiles' side of a diagnosis.

A form has a definition in Python, for the values of a bounded sample, and where an engine can do the same, an
expression, for all profiles. A test holds both against each other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import phonenumbers

from symbolon.errors import UnknownNameError
from symbolon.ids import rule, schemes
from symbolon.profiles.vocabulary import digest_of, trim

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

#: the form of the data source itself
BASE = "base"
#: inner algorithms of a value that was hashed twice
_INNER = ("sha256", "md5", "sha1")
_CALLING_CODES = 8
_REGIONS = ("US", "GB", "FR", "DE", "ES", "IT", "NL", "BE", "CH", "AT", "IN", "BR", "AU", "JP")
_MOST_REGIONS = 16
#: values that are compared to tell two forms apart
_COMPARED = 2000
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a value.

    `make` and `engine` take the value as the profile has it, and its normalised form by the source's scheme.
    """

    name: str
    make: Callable[[str, str], str | bytes]
    #: the same as an expression; None = the engines have no words for it
    engine: Callable[[Any, Any], Any] | None = None
    #: whether it can only differ from the normalised form for few values
    rare: bool = False


def _around(before: str, after: str, _: Any, base: Any) -> Any:
    made = before + base if before else base
    return made + after if after else made


_BASE = Form(BASE, lambda _, base: base, lambda _, base: base)
_TYPED = Form("as_typed", lambda value, _: value, lambda value, _: value, rare=True)
_CASE = Form("case_kept", lambda value, _: value.strip(" "), lambda value, _: trim(value), rare=True)
_SPACES = Form("spaces_kept", lambda value, _: value.lower(), lambda value, _: value.lower(), rare=True)
_UPPER = Form("upper", lambda _, base: base.upper(), lambda _, base: base.upper())
_LOWER = Form("lower", lambda _, base: base.lower(), lambda _, base: base.lower())
_AROUND = tuple(
    Form(name, partial(_around, before, after), partial(_around, before, after))
    for name, before, after in (
        ("newline", "", "\n"),
        ("space_after", "", " "),
        ("space_before", " ", ""),
        ("crlf", "", "\r\n"),
        ("quoted", '"', '"'),
    )
)
_WIDE = Form("utf16", lambda _, base: base.encode("utf-16-le"))
NO_PLUS = Form("no_plus", lambda _, base: base.lstrip("+"), lambda _, base: base.re_replace(r"^\+", ""))
_ZEROS_FOR_PLUS = Form(
    "zeros_for_plus", lambda _, base: re.sub(r"^\+", "00", base), lambda _, base: base.re_replace(r"^\+", "00")
)
_NO_ZEROS = Form(
    "no_zeros",
    lambda _, base: re.sub(r"^0+(.)", r"\1", base),
    lambda _, base: base.re_replace(r"^0+(.)", r"\1"),
    rare=True,
)


def base_form() -> Form:
    """Give the form of the data source itself."""
    return _BASE


def forms(kind: str, known: Collection[str], codes: Sequence[str] = ()) -> list[Form]:
    """Give the forms of a kind of field, the likely and the quick ones first.

    Args:
        kind: `email`, `phone` or `text`.
        known: digests that the engine has.
        codes: calling codes that the profiles' telephone numbers have.
    """
    twice = [_hashed(inner, known, upper=upper) for inner in _INNER for upper in (False, True)]
    shared = [twice[0], *_AROUND[:2], *twice[1:], *_AROUND[2:], _WIDE, *[_raw(inner) for inner in _INNER]]
    if kind == "email":
        return [_TYPED, _CASE, _SPACES, _UPPER, *shared]
    if kind == "phone":
        return [NO_PLUS, _TYPED, *_national(codes), _ZEROS_FOR_PLUS, *shared]
    return [_TYPED, _NO_ZEROS, _LOWER, _UPPER, *shared]


def plain_forms(kind: str) -> list[Form]:
    """Give the forms in which a plain value and the profile's could be compared, beside the source's own."""
    return [_LOWER, _NO_ZEROS] if kind == "text" else []


def other_schemes(kind: str, scheme: str) -> list[str]:
    """Name the schemes, beside the source's own, that have a rule for this kind of field."""
    found = []
    for name in schemes():
        try:
            rule(name, kind)
        except UnknownNameError:
            continue
        if name != scheme:
            found.append(name)
    return found


def normal(values: Iterable[str], scheme: str, kind: str, region: str) -> list[str | None]:
    """Normalise values of a sample; a scheme without a rule for the kind gives them trimmed."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        found: list[str | None] = rule(scheme, kind).columnar(pa.array(values, pa.string()), region).to_pylist()
    except UnknownNameError:
        return [value.strip() or None for value in values]
    return found


def digests(
    form: Form, values: Sequence[str], bases: Sequence[str | None], algorithm: str
) -> Iterable[tuple[int, bytes]]:
    """Give the digest of each value in a form, with its number; a value without a normalised form has none."""
    for number, (value, base) in enumerate(zip(values, bases, strict=True)):
        if base is not None:
            made = form.make(value, base)
            if made:
                data = made if isinstance(made, bytes) else made.encode()
                yield number, hashlib.new(algorithm, data).digest()


def telephone_codes(numbers: Iterable[str | None]) -> list[str]:
    """Give the calling codes of E.164 numbers, the most frequent first."""
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    counts: Counter[str] = Counter()
    for number in numbers:
        if number is not None and _E164.fullmatch(number):
            code = next((number[1 : 1 + size] for size in (1, 2, 3) if int(number[1 : 1 + size]) in known), None)
            if code is not None:
                counts[code] += 1
    return [code for code, _ in counts.most_common(_CALLING_CODES)]


def regions(codes: Iterable[str], known: Iterable[str]) -> list[str]:
    """Give the regions that national numbers may be of: those that are known, those of the profiles, the large ones."""
    found = [one for one in known if re.fullmatch("[A-Z]{2}", one)]
    found += [phonenumbers.region_code_for_country_code(int(code)) for code in codes]
    return [one for one in dict.fromkeys([*found, *_REGIONS]) if re.fullmatch("[A-Z]{2}", one)][:_MOST_REGIONS]


def is_e164(value: str) -> bool:
    """Tell whether a number needs no region."""
    return _E164.fullmatch(value.strip()) is not None


def same_as_scheme(
    form: Form, values: Sequence[str], bases: Sequence[str | None], kind: str, scheme: str, region: str
) -> bool:
    """Tell whether a scheme writes the values of a sample as the form does, and otherwise than the source's own."""
    some = values[:_COMPARED]
    pairs = list(zip(some, bases, normal(some, scheme, kind, region), strict=False))
    made = [(form.make(value, base), base, other) for value, base, other in pairs if base is not None]
    return all(one == other for one, _, other in made) and any(base != other for _, base, other in made)


def _hashed(inner: str, known: Collection[str], *, upper: bool) -> Form:
    def make(_: str, base: str) -> str:
        found = hashlib.new(inner, base.encode()).hexdigest()
        return found.upper() if upper else found

    def expression(_: Any, base: Any) -> Any:
        found = digest_of(inner, base)
        return found.upper() if upper else found

    return Form(f"{'HASHED' if upper else 'hashed'}:{inner}", make, expression if inner in known else None)


def _raw(inner: str) -> Form:
    return Form(f"raw:{inner}", lambda _, base: hashlib.new(inner, base.encode()).digest())


def _national(codes: Sequence[str]) -> list[Form]:
    if not codes:
        return []
    pattern = rf"^\+({'|'.join(sorted(codes, key=len, reverse=True))})"
    return [
        Form(name, partial(_without_code, pattern, put), partial(_code_replaced, pattern, put))
        for name, put in (("national", "0"), ("significant", ""))
    ]


def _without_code(pattern: str, put: str, _: str, base: str) -> str:
    return re.sub(pattern, put, base)


def _code_replaced(pattern: str, put: str, _: Any, base: Any) -> Any:
    return base.re_replace(pattern, put)
