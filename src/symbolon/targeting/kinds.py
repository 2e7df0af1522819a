"""The kinds of activities that there are: every module of `activities` that does not begin with `_`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from symbolon.targeting import activities

if TYPE_CHECKING:
    from symbolon.targeting.activity import Activity


@cache
def known() -> dict[str, Activity]:
    """Give all kinds of activities by their name in a definition."""
    found: list[Activity] = [
        import_module(f"{activities.__name__}.{module.name}").ACTIVITY
        for module in iter_modules(activities.__path__)
        if not module.name.startswith("_")
    ]
    return {activity.name: activity for activity in sorted(found, key=lambda one: one.name)}
