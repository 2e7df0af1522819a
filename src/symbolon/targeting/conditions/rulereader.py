"""From a tree of rules to a syntax, which is then checked like that of a text.

Invariant: every fault has the path of its rule: `$.rules[1].value`.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from symbolon.targeting.conditions.columns import listed, nearest
from symbolon.targeting.conditions.syntax import MOST_DEEP, MOST_ITEMS, MOST_NODES, Source, Syntax, checked_depth, made

if TYPE_CHECKING:
    from symbolon.targeting.conditions.language import Reading

_COMPARED = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
#: beyond any number of 64 bits
_TOO_LARGE = 10**310
_BARE = ("is null", "is not null", "is true", "is empty")
_TESTS = {"contains": "contains", "starts with": "starts_with", "ends with": "ends_with"}
OPERATORS = (*_COMPARED, "between", "not between", "in", "not in", "like", "not like", *_BARE, *_TESTS)
_GROUPS = {"and": "all_of", "or": "any_of", "except": "except"}
#: what a rule consists of; `not` and `name` may stand in each
_SHAPES = (
    {"combinator", "rules"},
    {"rules"},
    {"field", "operator", "value", "escape"},
    {"expression"},
    {"exists"},
    {"audience"},
)
_SHAPE = 'a rule has "combinator" and "rules", or "field" and "operator", or "expression", "exists" or "audience"'


class RuleReader:
    """Reads the rules of one tree.

    Args:
        reading: where faults go, and which reads the texts of expressions.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._size = 0

    def rule(self, given: Any, path: str, deep: int = 0) -> Syntax:
        """Read one rule and all below it."""
        source = Source("", path)
        self._size += 1
        if deep > MOST_DEEP:
            return self._broken(source, f"this is nested more than {MOST_DEEP} deep", "take it apart")
        if self._size > MOST_NODES:
            first = self._size == MOST_NODES + 1
            return (
                self._broken(source, f"more than {MOST_NODES:,} rules", "take it apart") if first else _nothing(source)
            )
        if not isinstance(given, dict):
            return self._broken(source, "this is no rule", _SHAPE)
        own = {str(key) for key in given} - {"not", "name"}
        shape = next((shape for shape in _SHAPES if own and own <= shape), None)
        if shape is None:
            keys = {key for one in _SHAPES for key in one}
            odd = next((key for key in sorted(own) if key not in keys), "")
            hint = nearest(odd, keys) if odd else ""
            return self._broken(
                source, f"`{odd[:64]}` is no part of a rule" if odd else "this is no rule", hint or _SHAPE
            )
        one = self._shaped(given, shape, source, deep)
        negation = given.get("not", False)
        if not isinstance(negation, bool):
            return self._broken(Source("", f"{path}.not"), "`not` is true or false", "")
        if negation:
            one = made("not", source, 0, "", [one])
        if "name" in given:
            name = self._text(given["name"], Source("", f"{path}.name"), "a name")
            one = made("call", source, 0, "named", [name, one])
        return checked_depth(one, self._reading.faults)

    def _shaped(self, given: dict[str, Any], shape: set[str], source: Source, deep: int) -> Syntax:
        if "rules" in shape:
            return self._group(given, source, deep)
        if "field" in shape:
            return self._field(given, source)
        if "expression" in shape:
            text = given["expression"]
            inner = Source(text if isinstance(text, str) else "", f"{source.path}.expression")
            return self._reading.single(inner) if isinstance(text, str) else self._broken(inner, "this is no text", "")
        if "exists" in shape:
            return self._exists(given["exists"], source, deep)
        name = self._text(given["audience"], Source("", f"{source.path}.audience"), "the name of an audience")
        return made("call", source, 0, "in_audience", [name])

    def _group(self, given: dict[str, Any], source: Source, deep: int) -> Syntax:
        rules, combinator = given.get("rules"), given.get("combinator")
        if not isinstance(rules, list) or not rules:
            return self._broken(source, "a group needs rules", "take the group out, or put a rule into it")
        parts = [self.rule(rule, f"{source.path}.rules[{place}]", deep + 1) for place, rule in enumerate(rules)]
        if "combinator" not in given:
            if len(parts) > 1:
                return self._broken(source, "a group needs a combinator", '"combinator": "and", "or" or "except"')
            return parts[0]
        if not isinstance(combinator, str) or combinator.lower() not in _GROUPS:
            path = Source("", f"{source.path}.combinator")
            return self._broken(path, "there is no such combinator", '"and", "or" or "except"')
        if combinator.lower() == "except" and len(parts) == 1:
            return self._broken(source, "`except` needs a second rule", "take the group out, or put a rule into it")
        return made("call", source, 0, _GROUPS[combinator.lower()], parts)

    def _exists(self, given: Any, source: Source, deep: int) -> Syntax:
        path = Source("", f"{source.path}.exists")
        if not isinstance(given, dict) or not {"table"} <= given.keys() <= {"table", "where"}:
            return self._broken(
                path, "`exists` has a table and may have a condition", '{"table": "links", "where": {...}}'
            )
        name = self._text(given["table"], Source("", f"{path.path}.table"), "the name of a table")
        where = given.get("where")
        parts = [] if where is None else [self.rule(where, f"{path.path}.where", deep + 1)]
        return made("exists", path, 0, "", [name, *parts])

    def _field(self, given: dict[str, Any], source: Source) -> Syntax:
        field, operator = given.get("field"), given.get("operator")
        if not isinstance(field, str) or not isinstance(operator, str):
            return self._broken(source, "a rule needs a field and an operator", _SHAPE)
        word = " ".join(operator.lower().replace("_", " ").split())
        if word not in OPERATORS:
            hint = nearest(word, OPERATORS) or listed(OPERATORS)
            return self._broken(Source("", f"{source.path}.operator"), f"there is no operator `{operator[:32]}`", hint)
        column = Syntax("column", Source("", f"{source.path}.field"), 0, f'"{field}"')
        value = Source("", f"{source.path}.value")
        if word in _BARE and "value" in given:
            return self._broken(value, f"`{word}` takes no value", "take it out")
        if word not in _BARE and "value" not in given:
            return self._broken(source, f"`{word}` needs a value", '"value": ...')
        if "escape" in given and not word.endswith("like"):
            return self._broken(Source("", f"{source.path}.escape"), "`escape` belongs to `like`", "take it out")
        return self._operated(word, column, given, value, source)

    def _operated(self, word: str, column: Syntax, given: dict[str, Any], value: Source, source: Source) -> Syntax:
        bare, negated = word.removeprefix("not ").replace("is not null", "is null"), "not" in word.split()
        if bare == "is true":
            return column
        if bare == "is null":
            one = made("isnull", source, 0, "", [column])
        elif bare == "is empty":
            one = made("call", source, 0, "is_empty", [column])
        elif bare in {"between", "in"}:
            items = given["value"]
            if not isinstance(items, list) or (bare == "between" and len(items) != 2):
                wanted = "two values" if bare == "between" else "a list"
                return self._broken(value, f"`{bare}` takes {wanted}", '"value": [1, 2]')
            if len(items) > MOST_ITEMS:
                message = f"{len(items):,} items; at most {MOST_ITEMS:,} are allowed"
                return self._broken(value, message, "keep them in an audience")
            found = [self._literal(item, Source("", f"{value.path}[{place}]")) for place, item in enumerate(items)]
            parts = found if bare == "between" else [made("list", value, 0, "", found)]
            one = made(bare, source, 0, "", [column, *parts])
        else:
            parts = [self._literal(given["value"], value)]
            if "escape" in given:
                parts.append(self._text(given["escape"], Source("", f"{source.path}.escape"), "one sign"))
            kind, name = ("call", _TESTS[bare]) if bare in _TESTS else (_COMPARED.get(bare, bare), "")
            one = made(kind, source, 0, name, [column, *parts])
        return made("not", source, 0, "", [one]) if negated else one

    def _literal(self, value: Any, source: Source) -> Syntax:
        if isinstance(value, bool):
            return Syntax("true" if value else "false", source, 0)
        if value is None:
            return Syntax("null", source, 0)
        if isinstance(value, str):
            return Syntax("text", source, 0, value)
        if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
            is_written = isinstance(value, float) or abs(value) < _TOO_LARGE  # Python does not write longer ones
            number = Syntax("number", source, 0, repr(abs(value)) if is_written else "1e999")
            is_negative = value < 0 or repr(value).startswith("-")
            return made("minus", source, 0, "", [number]) if is_negative else number
        return self._broken(source, "this is no literal", "a text, a number, true or false")

    def _text(self, value: Any, source: Source, what: str) -> Syntax:
        if isinstance(value, str):
            return Syntax("text", source, 0, value)
        return self._broken(source, f"{what} is a text", "")

    def _broken(self, source: Source, message: str, hint: str) -> Syntax:
        self._reading.faults.append(source.fault(0, message, hint))
        return _nothing(source)


def _nothing(source: Source) -> Syntax:
    return Syntax("broken", source, 0)
