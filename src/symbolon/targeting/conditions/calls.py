"""Calls of functions, and what looks like one: how many arguments, of which kinds, and what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions import FORMS, FUNCTIONS, NOT_OFFERED, Function, mend
from symbolon.targeting.conditions.kinds import ANY, BOOLEAN, DATE, INTEGER, MOMENT, TEXT
from symbolon.targeting.conditions.tree import Call, Group, Member, Named, Node, Null, Number, Truth

if TYPE_CHECKING:
    from symbolon.targeting.conditions.checking import Checker
    from symbolon.targeting.conditions.functions import Parameter
    from symbolon.targeting.conditions.syntax import Syntax

_GROUPS = {"except": "except", "all_of": "and", "any_of": "or"}
_MOST_NAME = 200
#: functions whose arguments are compared or chosen from, and the place of the first one
_ALIKE = {"coalesce": 0, "nullif": 0, "least": 0, "greatest": 0, "iif": 1}


def describe(one: Syntax) -> str:
    """Say what is meant, without a literal."""
    if one.kind == "column":
        return f"`{one.text.strip(chr(34))[:64]}`"
    if one.kind == "call":
        return f"`{one.text.lower()[:64]}(...)`"
    if one.kind == "group":
        return describe(one.parts[0])
    return {"text": "this text", "number": "this number", "null": "NULL"}.get(one.kind, "this")


def described(one: Syntax, kind: str) -> str:
    """Say of what kind something is, without a literal: "`country` is text", "this is a number"."""
    what = "this" if one.kind in {"text", "number", "null"} else describe(one)
    return f"{what} is {kinds.WORDS[kind]}"


def is_literal(one: Syntax) -> bool:
    """Whether it is a literal, maybe with a minus before it."""
    if one.kind == "minus":
        return one.parts[0].kind == "number"
    return one.kind in {"text", "number", "true", "false", "date", "timestamp"}


class Calls:
    """Checks calls for a checker, which knows the columns."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    def call(self, one: Syntax) -> tuple[Node, str]:
        """Give a call and the kind of its result."""
        name = one.text.lower()
        if name in FORMS:
            return self._form(one, name), BOOLEAN
        function = FUNCTIONS.get(name)
        if function is None:
            self._unknown(one, name)
            for part in one.parts:  # what is wrong inside is told too
                if part.kind != "star":
                    self._checker.value(part)
            return Null(), ANY
        return self._function(one, function)

    def joined(self, one: Syntax) -> tuple[Node, str]:
        """Give `a || b || c`."""
        parameter = FUNCTIONS["concat"].parameters[0]
        nodes = [self._argument(part, parameter, "||")[0] for part in one.parts]
        return Call("concat", tuple(nodes)), TEXT

    def _function(self, one: Syntax, function: Function) -> tuple[Node, str]:
        if not function.takes(len(one.parts)):
            count = len(one.parts)
            message = f"`{function.name}` was given {count} argument{'s' if count != 1 else ''}"
            self._fault(one, message, f"write {function.signature}")
            for part in one.parts:
                self._checker.value(part)
            return Null(), ANY
        found = [
            self._argument(part, cast("Parameter", function.parameter(place)), function.name)
            for place, part in enumerate(one.parts)
        ]
        nodes = [node for node, _ in found]
        given = [kind for _, kind in found]
        begin = _ALIKE.get(function.name)
        if begin is not None:
            chosen, together = self._checker.fitted(
                one.parts[begin:], found[begin:], f"used together in `{function.name}`"
            )
            nodes[begin:] = chosen
            if together is None:
                return Null(), ANY
            given = [*given[:begin], *[together if kind != ANY else ANY for kind in given[begin:]]]
        if ANY in given and not isinstance(function.result, str):
            return Call(function.name, tuple(nodes)), ANY
        result = function.result if isinstance(function.result, str) else function.result(given)
        if result is None:
            words = ", ".join(kinds.WORDS[kind] for kind in dict.fromkeys(given))
            self._fault(
                one, f"`{function.name}` has values that do not go together: {words}", "give it values of one kind"
            )
            return Null(), ANY
        return Call(function.name, tuple(nodes)), result

    def _argument(self, part: Syntax, parameter: Parameter, name: str) -> tuple[Node, str]:
        if parameter.kind == "condition":
            return self._checker.condition(part), BOOLEAN
        node, kind = self._checker.value(part)
        if parameter.kind == "digits":
            if not (
                isinstance(node, Number) and isinstance(node.value, int) and 0 <= node.value <= (parameter.most or 0)
            ):
                self._fault(part, f"the digits of `{name}` are a number from 0 to {parameter.most}, written out", "")
            return node, INTEGER
        wanted = parameter.kind.split("|")
        if {DATE, MOMENT} & set(wanted) and TEXT not in wanted:
            node, kind = self._checker.as_time(part, node, kind)
        if not kinds.fits(kind, parameter.kind):
            shown = "`||`" if name == "||" else f"`{name}`"
            message = f"{shown} asks for {kinds.words_of(parameter.kind)}, {described(part, kind)}"
            self._fault(part, message, _mend(kind, wanted))
            return Null(), ANY
        if parameter.most and isinstance(node, Number) and abs(node.value) > parameter.most:
            self._fault(part, f"`{name}` goes up to {parameter.most:,} {parameter.name}", "")
        return node, kind

    def _form(self, one: Syntax, name: str) -> Node:
        parts = one.parts
        if name == "in_audience":
            if len(parts) != 1 or parts[0].kind != "text" or not parts[0].text.strip():
                self._fault(one, "`in_audience` asks for the name of one audience, as a text", "in_audience('VIP')")
                return Truth(False)
            return Member(parts[0].text)
        if name == "named":
            if len(parts) != 2 or parts[0].kind != "text":
                self._fault(
                    one, "`named` asks for a name and a condition", "named('Adults', years_old(birth_date) >= 18)"
                )
                return Truth(False)
            label = parts[0].text
            if not 0 < len(label) <= _MOST_NAME or not label.isprintable():
                self._fault(parts[0], f"a name has 1 to {_MOST_NAME} letters, and no line ends", "")
            return Named(label, self._checker.condition(parts[1]))
        if len(parts) < (2 if name == "except" else 1):
            self._fault(one, f"`{name}` asks for conditions", f"write {FORMS[name].partition(':')[0]}")
            return Truth(False)
        rules = tuple(self._checker.condition(part) for part in parts)
        return Group(cast("Any", _GROUPS[name]), rules)

    def _unknown(self, one: Syntax, name: str) -> None:
        if name in NOT_OFFERED:
            what, hint = NOT_OFFERED[name]
            self._fault(one, f"`{name}` {what}", hint)
        else:
            self._fault(one, f"there is no function `{one.text[:64]}`", mend(one.text))

    def _fault(self, one: Syntax, message: str, hint: str) -> None:
        self._checker.faults.append(one.fault(message, hint))


def _mend(kind: str, wanted: list[str]) -> str:
    if kind == TEXT and DATE in wanted:
        return "take a column of type date, or to_date(...)"
    if kind == kinds.NUMBER and INTEGER in wanted:
        return "round(...), floor(...) and ceil(...) give whole numbers"
    return ""
