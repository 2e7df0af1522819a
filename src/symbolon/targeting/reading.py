"""From a document to a workflow: types, names, transitions, order. All faults are found at once.

Invariant: what comes out is a graph without circles in which each transition begins and ends somewhere; whether the
options make sense with each other and with the data is found out by `checking`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.targeting.activity import RESULT
from symbolon.targeting.definition import FORMAT, MOST_ACTIVITIES, Node, OnError, OnOverlap, Source, Workflow
from symbolon.targeting.documents import Document
from symbolon.targeting.faults import WorkflowFault, WorkflowInvalid
from symbolon.targeting.kinds import known
from symbolon.targeting.ordering import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbolon.targeting.activity import Activity

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
ACTIVITY_ID = re.compile(r"[a-z][a-z0-9_]{0,29}")
_TOP = ("symbolon", "name", "description", "on_overlap", "on_error", "keep_days", "activities")
_COMMON = ("id", "type", "from", "label", "keep", "on_error", "comment")


def read_workflow(text: str, file: str = "workflow") -> Workflow:
    """Read a definition.

    Args:
        text: YAML, or JSON of the same shape.
        file: the file's name as the person gave it.

    Raises:
        WorkflowInvalid: with all faults of its form.
    """
    document = Document(text, file)
    return _Reader(document).workflow(text)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._faults: list[WorkflowFault] = []
        #: ids of all activities, whether they could be read or not
        self._ids: set[str] = set()

    def workflow(self, text: str) -> Workflow:
        values = self._document.values
        if not isinstance(values, dict):
            self._fault("$", "a workflow is a mapping with `name` and `activities`", "see docs/guide/workflows.md")
            raise WorkflowInvalid.of(self._faults, self._document.file)
        self._unknown("$", values, _TOP, "setting")
        if values.get("symbolon", FORMAT) != FORMAT:
            self._fault("$.symbolon", f"this release reads format {FORMAT}", "use a newer release, or `symbolon: 1`")
        name = values.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            self._fault(
                "$.name" if "name" in values else "$",
                "a workflow needs a `name`: a lower-case letter, then letters, digits, `-` or `_`, at most 63",
                "name: monthly-newsletter",
            )
            name = "workflow"
        overlap = self._typed("$.on_overlap", values.get("on_overlap", "queue"), OnOverlap, OnOverlap.QUEUE)
        on_error = self._typed("$.on_error", values.get("on_error", "suspend"), OnError, OnError.SUSPEND)
        days = self._typed("$.keep_days", values.get("keep_days", 30), int, 30)
        if not 0 <= days <= 3650:
            self._fault("$.keep_days", "runs are kept for 0 to 3,650 days", "keep_days: 30")
        nodes = self._nodes(values.get("activities"))
        nodes = self._connected(nodes)
        if self._faults:
            raise WorkflowInvalid.of(self._faults, self._document.file)
        return Workflow(
            name=name,
            nodes=tuple(nodes),
            description=self._typed("$.description", values.get("description") or "", str, ""),
            on_overlap=overlap,
            on_error=on_error,
            keep_days=days,
            values=values,
            text=text,
            places=self._document.places,
            file=self._document.file,
        )

    def _nodes(self, given: Any) -> list[Node]:
        if not isinstance(given, list) or not given:
            self._fault(
                "$.activities", "a workflow needs a list of `activities`", "activities: [{id: all, type: query}]"
            )
            return []
        if len(given) > MOST_ACTIVITIES:
            self._fault("$.activities", f"{len(given)} activities; at most {MOST_ACTIVITIES} are allowed", "split it")
            return []
        nodes: list[Node] = []
        for place, one in enumerate(given):
            path = f"$.activities[{place}]"
            if not isinstance(one, dict):
                self._fault(path, "an activity is a mapping with `id` and `type`", "- {id: all, type: query}")
                continue
            node = self._node(path, one)
            if node is not None:
                nodes.append(node)
        return nodes

    def _node(self, path: str, given: dict[str, Any]) -> Node | None:
        activity = given.get("id")
        if not isinstance(activity, str) or not ACTIVITY_ID.fullmatch(activity):
            self._fault(
                f"{path}.id" if "id" in given else path,
                "an activity needs an `id`: a lower-case letter, then letters, digits or `_`, at most 30",
                "id: subscribers",
            )
            activity = ""
        elif activity in self._ids:
            self._fault(f"{path}.id", f"another activity is called `{activity}`", "ids are unique in a workflow")
        self._ids.add(activity)
        kinds = known()
        kind = kinds.get(given["type"]) if isinstance(given.get("type"), str) else None
        if kind is None:
            got = str(given.get("type", ""))[:64]
            message = f"there is no activity type `{got}`" if got else "an activity needs a `type`"
            self._fault(f"{path}.type" if "type" in given else path, message, _nearest(got, kinds))
        options = self._options(path, given, kind) if kind else None
        sources = self._sources(path, given.get("from"))
        label = self._typed(f"{path}.label", given.get("label", ""), str, "")
        keep = self._typed(f"{path}.keep", given.get("keep", False), bool, default=False)
        on_error = given.get("on_error")
        policy = None if on_error is None else self._typed(f"{path}.on_error", on_error, OnError, OnError.SUSPEND)
        if kind is None or options is None or not activity:
            return None
        return Node(
            id=activity, kind=kind, options=options, sources=sources, label=label, keep=keep, on_error=policy, path=path
        )

    def _options(self, path: str, given: dict[str, Any], kind: Activity) -> Any:
        """Convert each option by itself, so that all faults are found."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind.options)}
        own = {name: value for name, value in given.items() if name not in _COMMON}
        self._unknown(path, own, fields, f"option of `{kind.name}`")
        values: dict[str, Any] = {}
        before = len(self._faults)
        for name, field in fields.items():
            if name in own:
                try:
                    values[field.name] = msgspec.convert(own[name], field.type)
                except msgspec.ValidationError as error:
                    message, _, inner = str(error).partition(" - at `$")
                    self._fault(f"{path}.{name}{inner.rstrip('`')}", _plain(message), _described(field.type))
            elif field.required:
                self._fault(path, f"`{kind.name}` needs `{name}`", _described(field.type))
        return kind.options(**values) if len(self._faults) == before else None

    def _sources(self, path: str, given: Any) -> tuple[Source, ...]:
        if given is None:
            return ()
        listed = given if isinstance(given, list) else [given]
        found = []
        for place, one in enumerate(listed):
            inner = f"{path}.from[{place}]" if isinstance(given, list) else f"{path}.from"
            name, _, transition = one.partition(".") if isinstance(one, str) else ("", "", "")
            if not name:
                self._fault(inner, "`from` names activities", "from: subscribers, or from: [one, two.complement]")
                continue
            found.append(Source(name, transition))
        if len({(one.activity, one.transition) for one in found}) < len(found):
            self._fault(f"{path}.from", "`from` names the same transition twice", "take one out")
        return tuple(found)

    def _connected(self, nodes: list[Node]) -> list[Node]:
        """Resolve transitions, count them, and bring the activities in order."""
        by_id = {node.id: node for node in nodes}
        resolved = []
        for node in nodes:
            sources = tuple(self._resolved(node, place, by_id) for place in range(len(node.sources)))
            limits = node.kind.inputs
            if len(sources) < limits.least or (limits.most is not None and len(sources) > limits.most):
                takes = "takes none" if limits.most == 0 else f"takes {limits}"
                come = f"{len(sources)} transition{'s' if len(sources) != 1 else ''} come in"
                self._fault(f"{node.path}.from", f"{come}; `{node.kind.name}` {takes}", "from: [...]")
            resolved.append(msgspec.structs.replace(node, sources=sources))
        if self._faults:
            return resolved
        chain, circle = ordered(resolved)
        if circle:
            names = " -> ".join(f"`{name}`" for name in [*circle, circle[0]])
            first = by_id[circle[0]]
            self._fault(f"{first.path}.from", f"these activities go in a circle: {names}", "take one transition out")
        return chain

    def _resolved(self, node: Node, place: int, by_id: dict[str, Node]) -> Source:
        source = node.sources[place]
        path = f"{node.path}.from[{place}]"
        path = path if path in self._document.places else f"{node.path}.from"
        begin = by_id.get(source.activity)
        if begin is None:
            if source.activity not in self._ids:  # else its own faults are told already
                self._fault(path, f"there is no activity `{source.activity}`", _nearest(source.activity, self._ids))
            return source
        names = begin.outputs
        transition = source.transition or (RESULT if RESULT in names or not names else names[0])
        if transition not in names:
            message = f"`{begin.id}` has no transition `{transition}`"
            self._fault(path, message, _nearest(transition, names) if names else f"`{begin.kind.name}` ends a workflow")
        return Source(begin.id, transition)

    def _unknown(self, path: str, given: dict[str, Any], allowed: Iterable[str], noun: str) -> None:
        names = list(allowed)
        for name in given:
            if name not in names:
                self._fault(f"{path}.{name}", f"there is no {noun} `{name[:64]}`", _nearest(name, names))

    def _typed(self, path: str, value: Any, kind: Any, default: Any) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self._fault(path, _plain(str(error)), _choices(kind))
            return default

    def _fault(self, path: str, message: str, hint: str) -> None:
        line, column = place_of(path, self._document.places)
        self._faults.append(WorkflowFault(path=path, message=message, hint=hint, file_line=line, file_column=column))


def place_of(path: str, places: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Give line and column of a path, or of the nearest one above it; (0, 0) where nothing is known."""
    while path not in places and path:
        path = re.sub(r"(\.[^.\[\]]*|\[[^\]]*\])$", "", path) if path != "$" else ""
    return places.get(path, (0, 0))


def _plain(message: str) -> str:
    return message.replace("Expected", "expected").replace("Invalid enum value", "there is no")


def _described(kind: Any) -> str:
    for part in getattr(kind, "__metadata__", ()):
        if isinstance(part, msgspec.Meta) and part.description:
            return part.description
    return ""


def _choices(kind: Any) -> str:
    return "one of " + ", ".join(f"`{one.value}`" for one in kind) if hasattr(kind, "__members__") else ""


def _nearest(got: str, names: Iterable[str]) -> str:
    listed = sorted(names)
    near = get_close_matches(got, listed, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    return "known: " + ", ".join(f"`{name}`" for name in listed[:30]) if listed else ""
