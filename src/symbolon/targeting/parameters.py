"""Parameters of a run: declared by the external signals of its workflow, typed, and never anything else.

Source: Adobe Campaign Standard, "External signal": declared parameters; an undeclared one is an error.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from symbolon.targeting.faults import WorkflowFault, WorkflowInvalid
from symbolon.targeting.reading import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.definition import Workflow

#: largest parameters of one run, as JSON
MOST_BYTES = 65_536
_TYPES: dict[str, Any] = {
    "text": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "date": date,
    "moment": datetime,
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declared parameter."""

    type: Literal["text", "integer", "number", "boolean", "date", "moment"] = "text"
    required: bool = False
    #: used where none is given
    default: str | int | float | bool | None = None
    description: str = ""


def declared(workflow: Workflow) -> dict[str, tuple[Parameter, str]]:
    """Give the parameters that the external signals of a workflow declare, with the path of their declaration."""
    found = {}
    for node in workflow.nodes:
        for name, parameter in getattr(node.options, "parameters", {}).items():
            found[name] = (parameter, f"{node.path}.parameters.{name}")
    return found


def filled(workflow: Workflow, given: Mapping[str, Any], *, lenient: bool = False) -> dict[str, Any]:
    """Give all parameters of a run, typed.

    Args:
        workflow: what declares them.
        given: text is converted to what is declared.
        lenient: stand in for those that are missing, so that the rest can be checked.

    Raises:
        WorkflowInvalid: one is not declared, missing, or of another type.
    """
    known = declared(workflow)
    faults: list[WorkflowFault] = []
    values: dict[str, Any] = {}
    if len(msgspec.json.encode(dict(given), enc_hook=str)) > MOST_BYTES:
        faults.append(WorkflowFault(path="$", message=f"the parameters are larger than {MOST_BYTES:,} bytes"))
    for name in given:
        if name not in known:
            hint = "known: " + ", ".join(f"`{one}`" for one in sorted(known)) if known else "it declares none"
            faults.append(WorkflowFault(path="$", message=f"parameter `{name[:64]}` is not declared", hint=hint))
    for name, (parameter, path) in known.items():
        line, column = place_of(path, workflow.places)
        value = given.get(name, parameter.default)
        if value is None:
            if parameter.required and not lenient:
                message = f"parameter `{name}` is needed"
                hint = f"--param {name}=..."
                faults.append(WorkflowFault(path=path, message=message, hint=hint, file_line=line, file_column=column))
            values[name] = _stand_in(parameter) if lenient and parameter.required else None
            continue
        try:
            values[name] = msgspec.convert(value, _TYPES[parameter.type], strict=False)
        except msgspec.ValidationError:
            message = f"parameter `{name}` is not of type {parameter.type}"
            faults.append(WorkflowFault(path=path, message=message, file_line=line, file_column=column))
    if faults:
        raise WorkflowInvalid.of(faults, workflow.file or workflow.name)
    return values


def _stand_in(parameter: Parameter) -> Any:
    return {"text": "", "integer": 0, "number": 0.0, "boolean": False, "date": date(2000, 1, 1)}.get(
        parameter.type,
        datetime(2000, 1, 1),  # noqa: DTZ001 - stands for any moment
    )
