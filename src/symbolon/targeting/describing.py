"""The options of activities in words: for the command line, the palette of the pages and the guide."""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from symbolon.targeting.activity import Activity

_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "nothing", Any: "any"}


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option of a type of activity."""

    name: str
    #: its type in words
    type: str
    #: as it is written; empty = none, `needed` = there is no default
    default: str
    description: str


def options_of(kind: Activity) -> list[Option]:
    """Give the options of a type of activity, in the order of its definition."""
    found = []
    for field in msgspec.structs.fields(kind.options):
        default = "needed" if field.required else _written(_default(field))
        found.append(
            Option(name=field.encode_name, type=_type(field.type), default=default, description=_described(field.type))
        )
    return found


def _default(field: Any) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _written(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or value in ("", [], {}, ()):
        return ""
    return msgspec.json.encode(value, enc_hook=str).decode().strip('"')


def _described(kind: Any) -> str:
    for part in getattr(kind, "__metadata__", ()):
        if isinstance(part, msgspec.Meta) and part.description:
            return part.description
    return ""


def _type(kind: Any) -> str:
    """Write a type as a person would."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(parts[0])
    if origin is typing.Literal:
        return ", ".join(str(one) for one in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in parts if one is not type(None))
    if origin is dict:
        return f"mapping to {_type(parts[1])}"
    return f"list of {_type(parts[0])}" if origin is not None and parts else _named(kind)


def _named(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(one.value) for one in kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "{" + ", ".join(field.encode_name for field in msgspec.structs.fields(kind)) + "}"
    return _PLAIN.get(kind, getattr(kind, "__name__", str(kind)))
