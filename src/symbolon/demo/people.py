"""The retailer's customers: columns of made-up people, and the browsers they were seen with.

Invariant: the same generator gives the same people. Everything is drawn as whole columns.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from symbolon.demo.countries import COUNTRIES, UNASSIGNED, Country

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

DOMAINS = ("example.com", "example.net", "example.org")
TIERS = ("", "Deckhand", "Bosun", "Captain")
#: the day of the demo: 3 February 2017, the day in the files' names
TODAY = np.datetime64("2017-02-03", "D")
HALF_MAX = 2**63 - 1


class People(NamedTuple):
    """People as the retailer's database exports them, and what partners know of them."""

    #: columns of the profiles file, one row a person
    table: pa.Table
    #: e-mail address in the form everybody agrees on (trimmed, lower case); null = none
    emails: pa.Array
    #: mobile number, E.164; null = none
    phones: pa.Array
    #: visitor_id, external_id, last_seen
    links: pa.Table


def pick(
    rng: np.random.Generator, values: Sequence[str], count: int, weights: Sequence[float] | None = None
) -> pa.Array:
    """Draw `count` of `values`, as a column of text."""
    codes = rng.choice(len(values), count, p=weights) if weights else rng.integers(0, len(values), count)
    return pa.array(values, pa.string()).take(pa.array(codes))


def where(mask: NDArray[np.bool_], yes: pa.Array | None, no: pa.Array) -> pa.Array:
    """Give `yes` where the mask holds and `no` elsewhere; no `yes` = null."""
    return pc.if_else(pa.array(mask), pa.scalar(None, no.type) if yes is None else yes, no)


def concat(*parts: pa.Array | str) -> pa.Array:
    """Join columns and texts row by row."""
    return pc.binary_join_element_wise(*[p if isinstance(p, pa.Array) else pa.scalar(p) for p in parts], "")


def numbers(values: Ints, digits: int) -> pa.Array:
    """Write numbers with leading zeros."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), digits, "0")


def folded(names: Iterable[str]) -> list[str]:
    """Write names as in an address: ASCII, lower case, no blanks."""
    plain = [
        unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode() for name in names
    ]
    return ["".join(c for c in name.lower() if c.isalnum() or c == "-") for name in plain]


def rank_in_group(groups: Ints) -> Ints:
    """Number the rows of each group from 0, in order of appearance."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))
    return ranks


def phones_of(rng: np.random.Generator, country: Country, count: int) -> pa.Array:
    """Give distinct numbers of the country's ranges, then of a country code that nobody has."""
    prefixes = [prefix for prefix, _ in country.numbers]
    digits = country.numbers[0][1]
    size = 10**digits
    chosen = rng.permutation(len(prefixes) * size)[:count]
    inside = concat(pa.array(prefixes).take(pa.array(chosen // size)), numbers(chosen % size, digits))
    prefix, digits = UNASSIGNED
    start = COUNTRIES.index(country) * 10**8
    beyond = concat(prefix, numbers(start + 10**7 + np.arange(count - len(chosen), dtype=np.int64), digits))
    return pa.concat_arrays([inside, beyond.cast(pa.string())])


def names_of(rng: np.random.Generator, country: Country, count: int) -> list[pa.Array]:
    """Give first name, last name, gender, both names as in an address, city."""
    female = rng.random(count) < 0.53
    first_names = country.female + country.male
    first = np.where(female, rng.integers(0, len(country.female), count), 0)
    first = np.where(female, first, len(country.female) + rng.integers(0, len(country.male), count))
    last = rng.integers(0, len(country.last), count)
    gender = pa.array(("male", "female")).take(pa.array(female.astype(np.int64)))
    return [
        pa.array(first_names).take(pa.array(first)),
        pa.array(country.last).take(pa.array(last)),
        where(rng.random(count) < 0.06, None, gender),
        pa.array(folded(first_names)).take(pa.array(first)),
        pa.array(folded(country.last)).take(pa.array(last)),
        pick(rng, country.cities, count),
    ]


def addresses(rng: np.random.Generator, first: pa.Array, last: pa.Array) -> pa.Array:
    """Give distinct addresses such as `zoe.petit7@example.net`."""
    stem = concat(first, ".", last)
    domain = rng.integers(0, len(DOMAINS), len(stem))
    groups = stem.dictionary_encode().indices.to_numpy().astype(np.int64) * len(DOMAINS) + domain
    rank = rank_in_group(groups)
    suffix = where(rank == 0, pa.array([""] * len(stem), pa.string()), pa.array(rank + 1).cast(pa.string()))
    return concat(stem, suffix, "@", pa.array(DOMAINS).take(pa.array(domain)))


def make_people(rng: np.random.Generator, count: int) -> People:
    """Draw `count` people and their browsers."""
    shares = np.array([country.share for country in COUNTRIES])
    sizes = np.diff(np.r_[0, np.round(np.cumsum(shares) * count)].astype(np.int64))
    mixed = pa.array(rng.permutation(count))
    blocks = [names_of(rng, country, int(size)) for country, size in zip(COUNTRIES, sizes, strict=True)]
    first, last, gender, first_plain, last_plain, city = (
        pa.concat_arrays(list(c)).take(mixed) for c in zip(*blocks, strict=True)
    )
    pairs = list(zip(COUNTRIES, sizes, strict=True))
    phones = pa.concat_arrays([phones_of(rng, country, int(size)) for country, size in pairs]).take(mixed)
    country, language = (
        pa.array([text[0] for text in values]).take(pa.array(np.repeat(np.arange(len(COUNTRIES)), sizes))).take(mixed)
        for values in ([(c.code,) for c in COUNTRIES], [(c.language,) for c in COUNTRIES])
    )
    emails = where(rng.random(count) < 0.04, None, addresses(rng, first_plain, last_plain))
    emails = share_addresses(rng, emails)
    phones = where(rng.random(count) < 0.12, None, phones)
    keys = concat("HH", numbers(np.arange(1, count + 1) * 7 + 20_000, 8))
    born = TODAY - rng.integers(18 * 365, 85 * 365, count).astype("timedelta64[D]")
    table = pa.table(
        {
            "external_id": keys,
            "email": as_typed(rng, emails),
            "mobile_phone": phones,
            "first_name": first,
            "last_name": last,
            "birth_date": where(rng.random(count) < 0.1, None, pa.array(born)),
            "gender": gender,
            "city": city,
            "country": country,
            "preferred_language": language,
            "opt_out_email": pa.array(rng.random(count) < 0.12),
            "opt_out_sms": pa.array(rng.random(count) < 0.21),
            "do_not_share": pa.array(rng.random(count) < 0.01),
            "loyalty_tier": pick(rng, TIERS, count, (0.45, 0.3, 0.2, 0.05)),
        }
    )
    return People(table, emails, phones, make_links(rng, keys))


def share_addresses(rng: np.random.Generator, emails: pa.Array) -> pa.Array:
    """Give about one person in 2,000 the address of somebody else, as families do."""
    count = len(emails)
    pairs = (
        rng.permutation(count)[: 2 * max(1, count // 2_000)].reshape(2, -1) if count > 1 else np.empty((2, 0), np.int64)
    )
    owner = np.arange(count)
    owner[pairs[0]] = pairs[1]
    return emails.take(pa.array(owner))


def as_typed(rng: np.random.Generator, emails: pa.Array) -> pa.Array:
    """Write some addresses as people type them: capitals, a blank at the end."""
    capitals = where(rng.random(len(emails)) < 0.03, pc.utf8_title(emails), emails)
    return where(rng.random(len(emails)) < 0.01, concat(capitals, " "), capitals)


def visitor_ids(rng: np.random.Generator, count: int) -> pa.Array:
    """Draw visitor IDs: 38 digits, two halves of 63 bits."""
    halves = rng.integers(0, HALF_MAX, (2, count), endpoint=True)
    halves[0, ::50] //= 10**6  # leading zeros count
    return concat(numbers(halves[0], 19), numbers(halves[1], 19))


def make_links(rng: np.random.Generator, keys: pa.Array) -> pa.Table:
    """Give six people in ten one to three browsers; a few browsers are shared."""
    count = len(keys)
    browsers = np.where(rng.random(count) < 0.6, rng.integers(1, 4, count), 0)
    owner = np.repeat(np.arange(count), browsers)
    ids = visitor_ids(rng, len(owner))
    seen = TODAY - rng.integers(1, 400, len(owner)).astype("timedelta64[D]") + np.timedelta64(0, "s")
    seen = seen + rng.integers(0, 86_400, len(owner)).astype("timedelta64[s]")
    shared = rng.permutation(len(owner))[: len(owner) // 200]
    again = np.r_[np.arange(len(owner)), shared]
    owners = np.r_[owner, rng.integers(0, count, len(shared))]
    seen = np.r_[seen, seen[shared] + np.timedelta64(1, "h")]
    return pa.table(
        {
            "visitor_id": ids.take(pa.array(again)),
            "external_id": keys.take(pa.array(owners)),
            "last_seen": concat(pc.strftime(pa.array(seen), "%Y-%m-%dT%H:%M:%S"), "Z"),
        }
    )
