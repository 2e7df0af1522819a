"""Exceptions from a suite of conformance, said where the subclass is, with their reason.

Invariant: the suite's own functions stay as they are; the subclass gets marked copies. So one subclass's exception is
nobody else's, and the suite tells what everybody else must do.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


def notimpl(reason: str) -> pytest.MarkDecorator:
    """Say that a test fails because something is still to be done by us; it is told as soon as it passes."""
    return pytest.mark.xfail(reason=_given(reason), strict=True)


def never(reason: str) -> pytest.MarkDecorator:
    """Say that a test makes no sense for this implementation and never will; it is not run."""
    return pytest.mark.skip(reason=_given(reason))


class Conformance:
    """A suite of tests that implementations prove themselves by.

    Example:
        >>> class TestMyStore(StoreConformance):  # doctest: +SKIP
        ...     exceptions = {"test_runs": never("it keeps no runs")}
    """

    #: name of a test -> `notimpl(reason)` or `never(reason)`; subclasses inherit it, and may add to it
    exceptions: ClassVar[Mapping[str, pytest.MarkDecorator]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Mark copies of the tests that are named.

        Raises:
            TypeError: the suite has no test of that name.
        """
        super().__init_subclass__(**options)
        for name, mark in cls.__dict__.get("exceptions", {}).items():
            test = getattr(cls, name, None) if name.startswith("test") else None
            if not isinstance(test, types.FunctionType):
                raise TypeError(f"{cls.__name__}.exceptions names `{name}`, which is no test of the suite")
            setattr(cls, name, mark(_copy(test)))


def _given(reason: str) -> str:
    if not reason.strip():
        raise ValueError("an exception needs its reason")
    return reason


def _copy(test: types.FunctionType) -> types.FunctionType:
    copied = types.FunctionType(test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)
    copied.__kwdefaults__ = test.__kwdefaults__
    copied.__annotations__ = test.__annotations__
    copied.__doc__ = test.__doc__
    copied.__module__ = test.__module__
    copied.__qualname__ = test.__qualname__
    copied.__dict__.update({name: list(value) if name == "pytestmark" else value for name, value in vars(test).items()})
    return copied
