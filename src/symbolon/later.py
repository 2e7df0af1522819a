"""Modules that take long to load and that many commands do without, loaded at their first use.

`from symbolon.later import pc` gives a name that behaves as the module does, but for one thing: what it holds is not
known at import time, so nothing of it may be used outside functions.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import phonenumbers
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
else:

    class _Later(ModuleType):
        def __getattr__(self, name: str) -> Any:
            value = getattr(import_module(self.__name__), name)
            setattr(self, name, value)
            return value

    phonenumbers = _Later("phonenumbers")
    pc = _Later("pyarrow.compute")
    pq = _Later("pyarrow.parquet")

__all__ = ["pc", "phonenumbers", "pq"]
