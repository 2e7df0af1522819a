"""How the rows of several sets are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.targeting.activities._rows import common_type, key_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.targeting.activity import Context
    from symbolon.targeting.population import Population


def compared_by(context: Context, sets: Sequence[Population], by: Sequence[str]) -> list[str]:
    """Name the columns by which rows of sets of one kind are equal; what can be none is a fault at `by`."""
    first = sets[0]
    key = key_column(first)
    if key:
        if by:
            what = "people are" if key == "profile_id" else "IDs are"
            context.fault("by", f"{what} compared by `{key}`", "leave `by` out, or deduplicate before")
        return [key]
    shared = [name for name in first.extra if all(name in one.extra for one in sets)]
    wanted = list(dict.fromkeys(by)) or shared
    found = []
    for place, name in enumerate(wanted):
        path = f"by[{place}]" if by else "by"
        if name not in shared:
            known = ", ".join(f"`{one}`" for one in shared[:12]) or "none"
            context.fault(path, f"not all sets have a column `{name[:64]}`", f"shared: {known}")
        elif common_type(one.relation[name].type() for one in sets) is None:
            context.fault(path, f"`{name}` is of different types in the sets", "bring it to one type before")
        else:
            found.append(name)
    if not wanted:
        context.fault("by", "the sets have no column in common", "give their columns the same names")
    return found
