"""The normalised forms that can be made by columns, in Arrow here and by any engine that has the same few words.

Invariant: a form is only asked for values that match a rule's pattern of simple values, all of them ASCII.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from symbolon.columns import column, flags
from symbolon.later import pc

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

#: values of printable ASCII and spaces
PRINTABLE = r"^[!-~ ]*$"
#: the same with an `@`: what cannot be an address (a digest, say) is looked at one by one
PRINTABLE_ADDRESS = r"^[!-~ ]*@[!-~ ]*$"
#: a plain address: it keeps a local part when dots and what follows a `+` are taken out
ADDRESS = r"^ *[A-Za-z0-9][!-?A-~]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ *$"
#: a telephone number with its country code, well formed
E164 = r"^ *\+[1-9][0-9]{6,14} *$"

#: how the normalised form of a simple value is made. All but `identity` take the spaces off both ends.
#: `lower_trim`: lower case; `gmail`: also, at gmail.com, no dots and nothing from the first `+` on in the local part;
#: `gmails`: the same at googlemail.com too; `digits`: no `+`
SimpleForm = Literal["identity", "trim", "lower_trim", "gmail", "gmails", "digits"]
#: form -> domains whose local parts are written in several ways
ALIASED: dict[str, tuple[str, ...]] = {"gmail": ("@gmail.com",), "gmails": ("@gmail.com", "@googlemail.com")}


def formed(values: pa.Array, form: SimpleForm) -> pa.Array:
    """Give the form of a column of simple strings."""
    return _FORMS[form](values)


def _lower_trim(values: pa.Array) -> pa.Array:
    return pc.ascii_lower(pc.utf8_trim(values, " "))


def _unaliased(values: pa.Array, domains: tuple[str, ...]) -> pa.Array:
    values = _lower_trim(values)
    for domain in domains:
        hit = flags(pc.ends_with(values, pattern=domain))
        if hit.any():
            local = pc.replace_substring_regex(values.filter(column(hit)), pattern=r"[+@].*$", replacement="")
            bare = pc.replace_substring(local, pattern=".", replacement="")
            # appended by a pattern: a scalar among a kernel's arguments would load pandas
            made = pc.replace_substring_regex(bare, pattern=r"\z", replacement=domain)
            values = pc.replace_with_mask(values, column(hit), made)
    return values


_FORMS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "identity": lambda values: values,
    "trim": lambda values: pc.utf8_trim(values, " "),
    "lower_trim": _lower_trim,
    "gmail": lambda values: _unaliased(values, ALIASED["gmail"]),
    "gmails": lambda values: _unaliased(values, ALIASED["gmails"]),
    "digits": lambda values: pc.replace_substring(pc.utf8_trim(values, " "), pattern="+", replacement=""),
}
