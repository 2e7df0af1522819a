"""What is kept of a run, as JSON: small values, never rows, and never a pickle that could run code when it is read."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec
from dbos import Serializer

from symbolon.errors import InternalError, SymbolonError
from symbolon.runs.errors import StepLost

#: largest result of a step, in bytes of JSON: references and counts fit, rows do not
MOST_BYTES = 65_536
_ERROR = "symbolon_error"


class JsonSerializer(Serializer):
    """Keeps arguments, results and errors as JSON."""

    def serialize(self, data: Any) -> str:
        """Write a value; of an error that is not ours only its type."""
        if isinstance(data, BaseException):
            data = failed(data)
        return msgspec.json.encode(data).decode()

    def deserialize(self, serialized_data: str) -> Any:  # the base class takes no self
        """Read a value."""
        value = msgspec.json.decode(serialized_data)
        return raised(value) if isinstance(value, dict) and _ERROR in value else value

    def name(self) -> str:
        """Give the name that is kept beside the values."""
        return "symbolon_json"


def checked(name: str, result: Any) -> dict[str, Any]:
    """Give the result of a step, if it can be kept.

    Raises:
        InternalError: it is no small mapping of JSON values.
    """
    try:
        size = len(msgspec.json.encode(result))
    except (TypeError, ValueError):
        size = -1
    if not isinstance(result, dict) or not 0 <= size <= MOST_BYTES:
        raise InternalError(f"step `{name}` gave something that cannot be kept: a step gives references, never rows")
    return result


def failed(error: BaseException) -> dict[str, Any]:
    """Give an error as it is kept."""
    if not isinstance(error, SymbolonError):
        return {_ERROR: {"class": "", "summary": type(error).__name__}}
    kind = f"{type(error).__module__}:{type(error).__qualname__}"
    details = msgspec.json.decode(msgspec.json.encode(error.details, enc_hook=str))
    return {_ERROR: {"class": kind, "summary": error.summary, "hint": error.hint, "details": details}}


def raised(kept: dict[str, Any]) -> SymbolonError:
    """Give a kept error as it was."""
    facts = kept[_ERROR]
    module, _, name = facts["class"].partition(":")
    if not module.startswith("symbolon."):
        return StepLost(f"a step had failed with {facts['summary']}")
    kind = getattr(import_module(module), name, StepLost)
    error: SymbolonError = kind.__new__(kind)
    SymbolonError.__init__(error, facts["summary"], hint=facts["hint"], details=facts["details"])
    return error


def is_failed(value: Any) -> bool:
    """Say whether a kept value is an error."""
    return isinstance(value, dict) and _ERROR in value
