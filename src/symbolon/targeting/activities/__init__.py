"""One file an activity. A new one is added by adding a file: nothing lists them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbolon.targeting.activity import Activity


@cache
def known() -> dict[str, Activity]:
    """Give all kinds of activities by their name in a definition."""
    found: list[Activity] = [
        import_module(f"{__name__}.{module.name}").ACTIVITY
        for module in iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return {activity.name: activity for activity in sorted(found, key=lambda one: one.name)}
