"""Parameters of a run: declared by the external signals of its workflow, typed, and never anything else.

Invariant: a check, a plan and a run see the same values. What is kept of them with a run is JSON, and is read again by
the types that the workflow declares; moments are UTC from the first.

Source: Adobe Campaign Standard, "External signal": declared parameters; an undeclared one is an error.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.targeting.activities._values import Type, typed
from symbolon.targeting.faults import WorkflowFault, WorkflowInvalid
from symbolon.targeting.reading import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.definition import Node, Workflow

#: largest parameters of one run or signal, as JSON
MOST_BYTES = 65_536
_STAND_INS: dict[str, Any] = {
    "text": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "date": date(2000, 1, 1),
    "moment": datetime(2000, 1, 1, tzinfo=UTC),
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declared parameter."""

    type: Type = "text"
    required: bool = False
    #: used where none is given
    default: Any = None


def read(known: Mapping[str, Parameter], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Give the values of parameters by their types, defaults filled in.

    Args:
        known: what is declared.
        given: as they came, from JSON, a form or a command line.

    Returns:
        Those that have a value, and what is wrong: name (empty = the whole) and message. No message holds a value.
    """
    try:
        size = len(msgspec.json.encode(dict(given)))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return {}, [("", "the parameters cannot be written as JSON")]
    if size > MOST_BYTES:
        return {}, [("", f"the parameters have {size:,} bytes; at most {MOST_BYTES:,} are taken")]
    faults = [
        (name, f"the parameter `{name[:64]}` isn't declared{_nearest(name, known)}")
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for name, one in known.items():
        value = one.default if given.get(name) is None else given[name]
        if value is None:
            if one.required:
                faults.append((name, f"the parameter `{name}` is missing"))
            continue
        try:
            values[name] = typed(value, one.type)
        except ValueError as error:
            faults.append((name, f"the parameter `{name}` is no {one.type}: it takes {error}"))
    return values, faults


def declared(workflow: Workflow) -> dict[str, Parameter]:
    """Give the parameters that all external signals of a workflow declare."""
    return {name: one for node in workflow.nodes for name, one in _of(node).items()}


def filled(
    workflow: Workflow, given: Mapping[str, Any], *, lenient: bool = False, activity: str = ""
) -> dict[str, Any]:
    """Give all parameters of a run, typed; None for those without a value.

    Args:
        workflow: what declares them. Those of a signal that comes in the middle of a run may be given, and need not.
        given: text is converted to what is declared.
        lenient: stand in for those that are missing, so that the rest can be checked.
        activity: the signal whose parameters these are, and no others; empty = those that the run begins with.

    Raises:
        WorkflowInvalid: one is not declared, missing, or of another type.
    """
    nodes = [node for node in workflow.nodes if _of(node) and activity in ("", node.id)]
    known: dict[str, Parameter] = {}
    paths: dict[str, str] = {}
    faults: list[WorkflowFault] = []
    for node in nodes:
        waits = bool(node.sources) and not activity
        for name, one in _of(node).items():
            path = f"{node.path}.parameters.{name}"
            if name in known and known[name].type != one.type:
                message = f"`{name}` is a parameter of type {known[name].type} already"
                faults.append(_fault(workflow, path, message, "choose another name"))
                continue
            before = known.get(name)
            needed = (one.required and not waits and not lenient) or (before is not None and before.required)
            known[name] = msgspec.structs.replace(one, required=needed)
            paths.setdefault(name, path)
    values, wrong = read(known, given)
    for name, message in wrong:
        hint = f"--param {name}=..." if name in known else _known(known)
        faults.append(_fault(workflow, paths.get(name, "$"), message, hint))
    if faults:
        raise WorkflowInvalid.of(faults, workflow.file or workflow.name)
    return {name: values.get(name, _STAND_INS[one.type] if lenient else None) for name, one in known.items()}


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give parameters as JSON holds them: dates and moments as ISO text."""
    found: dict[str, Any] = msgspec.to_builtins(dict(values))
    return found


def loaded(workflow: Workflow, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Give parameters that were kept with a run, typed as they were when it began."""
    return {
        name: None if kept.get(name) is None else typed(kept[name], one.type)
        for name, one in declared(workflow).items()
    }


def shown(value: Any) -> str:
    """Give a value as it stands in a name: a moment as `20260101T003000Z`, what is missing as nothing."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat().replace("-", "").replace(":", "") + "Z"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _of(node: Node) -> dict[str, Parameter]:
    found: dict[str, Parameter] = getattr(node.options, "parameters", {})
    return found


def _fault(workflow: Workflow, path: str, message: str, hint: str) -> WorkflowFault:
    line, column = place_of(path, workflow.places)
    return WorkflowFault(path=path, message=message, hint=hint, file_line=line, file_column=column)


def _known(known: Mapping[str, Parameter]) -> str:
    return "known: " + ", ".join(f"`{one}`" for one in sorted(known)) if known else "it declares none"


def _nearest(name: str, known: Mapping[str, Parameter]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""
