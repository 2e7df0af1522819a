"""All functions by name, and what to say of those that are not offered."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from symbolon.targeting.conditions.functions import choices, dates, numbers, texts

if TYPE_CHECKING:
    from symbolon.targeting.conditions.functions.function import Function

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for group in (dates.FUNCTIONS, texts.FUNCTIONS, numbers.FUNCTIONS, choices.FUNCTIONS)
    for function in group
}
#: what looks like a function, but is a part of the language
FORMS = {
    "in_audience": "in_audience('VIP'): the profile is a member of the audience, at the moment of the run",
    "named": "named('Adults', condition): the condition, with a name for people",
    "except": "except(a, b): the same as `a EXCEPT b`",
    "all_of": "all_of(a, b): the same as `(a AND b)`; also of a single condition",
    "any_of": "any_of(a, b): the same as `(a OR b)`; also of a single condition",
}
_AGGREGATES = "they are for enrichment only; EXISTS (SELECT 1 FROM table WHERE ...) asks whether there is a row"
_DECRYPTION = "decrypting needs a permission; compare digests, or reconcile with a data source that has the key"
#: function that is not offered -> why, and what to do
NOT_OFFERED = {
    **dict.fromkeys(
        ("count", "countall", "countdistinct", "count_distinct", "sum", "avg", "min", "max", "stringagg", "string_agg"),
        ("is an aggregate", _AGGREGATES),
    ),
    **dict.fromkeys(
        ("row_number", "rownum", "rank", "dense_rank", "lag", "lead", "ntile", "partitionby", "first_value"),
        ("is a window function", "window functions have no place in a condition"),
    ),
    **dict.fromkeys(
        ("aes_decrypt", "decrypt", "encryption_aescbcdecrypt", "encryption_aescbcencrypt", "aes_encrypt"),
        ("is not offered in a condition", _DECRYPTION),
    ),
}
#: what others call them
_ELSEWHERE = {
    "getdate": "now",
    "current_timestamp": "now",
    "current_date": "today",
    "curdate": "today",
    "md5digest": "md5",
    "sha1digest": "sha1",
    "sha256digest": "sha256",
    "sha384digest": "sha384",
    "sha512digest": "sha512",
    "getemaildomain": "email_domain",
    "isemptystring": "is_empty",
    "startwith": "starts_with",
    "endwith": "ends_with",
    "ceiling": "ceil",
    "char_length": "length",
    "len": "length",
    "substr": "substring",
    "ifnull": "coalesce",
    "nvl": "coalesce",
    "if": "iif",
    "ucase": "upper",
    "lcase": "lower",
    "initcap": "smart",
    "datediff": "days_between",
    "date_diff": "days_between",
    "daysdiff": "days_between",
    "age": "years_old",
    "dayofweek": "weekday",
    "sha2": "sha256",
    "truncdate": "to_date",
}


def mend(name: str) -> str:
    """Say which functions come near to a name that none has."""
    known = [*FUNCTIONS, *FORMS]
    squashed = {one.replace("_", ""): one for one in known}
    bare = name.lower().replace("_", "")
    near = _ELSEWHERE.get(name.lower()) or _ELSEWHERE.get(bare) or squashed.get(bare)
    names = [near] if near else get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    if names:
        return "did you mean " + " or ".join(f"`{one}`" for one in names) + "?"
    return "docs/reference/conditions.md lists the functions"
