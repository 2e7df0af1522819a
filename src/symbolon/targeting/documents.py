"""YAML and JSON as values with their places, from text that nobody vouches for.

Invariant: plain values only. No tags that build objects, no anchors (a few lines could become gigabytes), no key twice,
bounded size and depth.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from symbolon.targeting.faults import WorkflowFault, WorkflowInvalid

MOST_BYTES = 256_000
_MOST_DEPTH = 40
_BEGINS = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_ENDS = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "timestamp")}


class _Loader(yaml.SafeLoader):
    """Reads plain values as YAML 1.2 does: `no` is a country, and `06:00` a time of day, not a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if tag.rpartition(":")[2] not in ("bool", "int", "float")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+\Z"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?\Z"), list("-+0123456789")
)


class Document:
    """A document that was read.

    Args:
        text: YAML or JSON.
        file: what to call it in messages.

    Raises:
        WorkflowInvalid: it cannot be read, or holds what a definition may not.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        #: path -> line and column, from 1
        self.places: dict[str, tuple[int, int]] = {}
        self._faults: list[WorkflowFault] = []
        if len(text.encode(errors="replace")) > MOST_BYTES:
            self._fault("$", f"the file is larger than {MOST_BYTES:,} bytes", "a workflow has at most 200 activities")
            raise WorkflowInvalid.of(self._faults, file)
        loader = None
        try:
            loader = _Loader(text)
            root = None if self._refused(text) else loader.get_single_node()
            self.values: Any = None if root is None else self._value(loader, root, "$", 0)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self._fault("$", f"this is no YAML: {error.problem or error.context}", "check the indentation", place)
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
            self._fault("$", "this is no YAML: a character that has no place in a text", "take it out", place)
        except (yaml.YAMLError, RecursionError, ValueError):
            self._fault("$", "this is no YAML", "check quotes, indentation and characters")
        finally:
            if loader is not None:
                loader.dispose()
        if self._faults:
            raise WorkflowInvalid.of(self._faults, file)

    def _refused(self, text: str) -> bool:
        """Look for anchors and depth, token by token, before anything is built of them; the first fault ends it."""
        depth = 0
        for token in yaml.scan(text, Loader=_Loader):
            place = (token.start_mark.line + 1, token.start_mark.column + 1)
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
                self._fault("$", "anchors and aliases (`&`, `*`) are not allowed", "write the value out", place)
                return True
            depth += isinstance(token, _BEGINS) - isinstance(token, _ENDS)
            if depth > _MOST_DEPTH:
                self._fault("$", f"this is nested deeper than {_MOST_DEPTH} levels", "", place)
                return True
        return False

    def _value(self, loader: Any, node: Any, path: str, depth: int) -> Any:
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        self.places[path] = place
        if depth > _MOST_DEPTH:
            self._fault(path, f"this is nested deeper than {_MOST_DEPTH} levels", "", place)
            return None
        if isinstance(node, yaml.MappingNode):
            values: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
                inner = f"{path}.{key}"
                if key in values:
                    mark = key_node.start_mark
                    self._fault(inner, f"`{key}` stands here twice", "take one out", (mark.line + 1, mark.column + 1))
                values[key] = self._value(loader, value_node, inner, depth + 1)
            return values
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, one, f"{path}[{place}]", depth + 1) for place, one in enumerate(node.value)]
        if node.tag not in _PLAIN:
            self._fault(path, "tags (`!...`) are not allowed", "write a plain value", place)
            return None
        return int(node.value) if node.tag.endswith(":int") else loader.construct_object(node)

    def _fault(self, path: str, message: str, hint: str, place: tuple[int, int] = (1, 1)) -> None:
        self._faults.append(
            WorkflowFault(path=path, message=message, hint=hint, file_line=place[0], file_column=place[1])
        )
