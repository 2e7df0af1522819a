"""Ibis's SQL compilers, loaded one by one.

`ibis.backends.sql.compilers` imports the compilers of twenty databases, and with them as many dialects of SQLGlot: a
seventh of the start-up of a command that needs one of them.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from typing import Any

_PACKAGE = "ibis.backends.sql.compilers"


def load_one_by_one() -> None:
    """Let the package of compilers import a compiler when it is asked for, and all where that is not possible.

    To be called before a backend of Ibis is loaded; does nothing where the package is loaded already.
    """
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.loader is None:  # another Ibis: it knows what it needs
        return
    package, loader, lock, is_whole = importlib.util.module_from_spec(spec), spec.loader, threading.RLock(), False

    def found(name: str) -> Any:
        nonlocal is_whole
        if name.startswith("__"):
            raise AttributeError(name)
        if not name.startswith("_") and importlib.util.find_spec(f"{_PACKAGE}.{name}") is not None:
            return importlib.import_module(f"{_PACKAGE}.{name}")
        with lock:
            if not is_whole:
                is_whole = True  # before: the compilers may ask each other
                try:
                    loader.exec_module(package)
                except BaseException:
                    is_whole = False
                    raise
        try:
            return vars(package)[name]
        except KeyError:
            raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}") from None

    package.__getattr__ = found  # type: ignore[method-assign]
    sys.modules[_PACKAGE] = package
    parent, _, own = _PACKAGE.rpartition(".")
    setattr(sys.modules[parent], own, package)
