"""From a syntax to a tree: columns are found, kinds compared, functions looked up. All faults are told at once.

Invariant: a part that is wrong counts as fitting everywhere, so one fault does not make others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.calls import Calls, describe, described, is_literal
from symbolon.targeting.conditions.columns import Columns, listed, nearest
from symbolon.targeting.conditions.kinds import ANY, BOOLEAN, DATE, INTEGER, MOMENT, NULL, NUMBER, TEXT
from symbolon.targeting.conditions.literals import DAY_HINT, midnight, read_number, read_time
from symbolon.targeting.conditions.tree import (
    Arithmetic,
    Between,
    Case,
    Column,
    Compare,
    Comparison,
    Date,
    Exists,
    Group,
    In,
    IsNull,
    Like,
    Node,
    Not,
    Null,
    Number,
    Text,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbolon.targeting.conditions.errors import Fault
    from symbolon.targeting.conditions.syntax import Syntax

_LITERALS: dict[str, tuple[Node, str]] = {
    "true": (Truth(True), BOOLEAN),
    "false": (Truth(False), BOOLEAN),
    "null": (Null(), NULL),
    "broken": (Null(), ANY),
    "absent": (Null(), ANY),
}
_COMPARISONS = get_args(Comparison)
_COMBINED = {"AND": "and", "OR": "or", "EXCEPT": "except"}
#: EXISTS in EXISTS
_MOST_EXISTS = 5
_LIKE = "LIKE 'A%', or LIKE '50!%' ESCAPE '!' for signs that are meant as they are"


class Checker:
    """Checks syntax against the columns there are.

    Args:
        schema: columns of the rows.
        linked: columns of each linked table.
        faults: where to put what is wrong.
    """

    def __init__(self, schema: Mapping[str, Any], linked: Mapping[str, Mapping[str, Any]], faults: list[Fault]) -> None:
        self.faults = faults
        self.columns = Columns(schema)
        self._linked = linked
        self._calls = Calls(self)

    def condition(self, one: Syntax) -> Node:
        """Give a predicate; anything else is a fault."""
        node, kind = self.value(one)
        if kind not in {BOOLEAN, ANY}:
            what = describe(one)
            mend = f"did you mean `{what.strip('`')} IS NOT NULL`?" if one.kind in {"column", "call"} else "compare it"
            if kind == NULL:
                mend = "write TRUE or FALSE"
            self.faults.append(one.fault(f"{described(one, kind)}, not a condition", mend))
            return Truth(False)
        return node

    def value(self, one: Syntax) -> tuple[Node, str]:
        """Give a value, or a predicate, and its kind."""
        kind = one.kind
        if kind in _LITERALS:
            return _LITERALS[kind]
        if kind in _COMPARISONS:
            return self._compare(one), BOOLEAN
        if kind in _COMBINED:
            return self._combined(one), BOOLEAN
        if kind in {"+", "-", "*", "/", "minus"}:
            return self._arithmetic(one)
        if kind == "column":
            return self.columns.find(one, self.faults)
        found: tuple[Node, str] = getattr(self, f"_{kind if kind != '||' else 'joined'}")(one)
        return found

    def together(self, parts: Sequence[Syntax], what: str) -> tuple[list[Node], str | None]:
        """Give values that are compared or chosen from, and the kind they have together; None after a fault."""
        found = [self.value(part) for part in parts]
        return self.fitted(parts, found, what)

    def fitted(
        self, parts: Sequence[Syntax], found: list[tuple[Node, str]], what: str
    ) -> tuple[list[Node], str | None]:
        """Read texts beside dates as dates, and bring days beside moments to midnight."""
        if any(kind in {DATE, MOMENT} for _, kind in found):
            found = [self.as_time(part, node, kind) for part, (node, kind) in zip(parts, found, strict=True)]
        if any(kind == MOMENT for _, kind in found):
            found = [(midnight(node), MOMENT) if isinstance(node, Date) else (node, kind) for node, kind in found]
        nodes, given = [node for node, _ in found], [kind for _, kind in found]
        together = kinds.joined(given)
        if together is None:
            place = next(place for place in range(len(given)) if kinds.joined(given[: place + 1]) is None)
            first = next(n for n in range(place) if given[n] not in {ANY, NULL})
            self.faults.append(_mismatch(parts[first], given[first], parts[place], given[place], what))
        return nodes, together

    def as_time(self, part: Syntax, node: Node, kind: str) -> tuple[Node, str]:
        """Read a literal text as a date or moment."""
        if not isinstance(node, Text):
            return node, kind
        time = read_time(node.value)
        if time is None:
            self.faults.append(part.fault("this text is no date", DAY_HINT))
            return Null(), ANY
        return time, DATE if isinstance(time, Date) else MOMENT

    def _text(self, one: Syntax) -> tuple[Node, str]:
        return Text(one.text), TEXT

    def _number(self, one: Syntax, *, negative: bool = False) -> tuple[Node, str]:
        node = read_number(one, self.faults, negative=negative)
        if isinstance(node, Null):
            return node, ANY
        return node, INTEGER if isinstance(getattr(node, "value", None), int) else NUMBER

    def _date(self, one: Syntax) -> tuple[Node, str]:
        time = read_time(one.text, one.kind)
        if time is None:
            self.faults.append(
                one.fault("this text is no date" if one.kind == "date" else "this is no moment", DAY_HINT)
            )
            return Null(), ANY
        return time, DATE if one.kind == "date" else MOMENT

    _timestamp = _date

    def _star(self, one: Syntax) -> tuple[Node, str]:
        self.faults.append(one.fault("`*` has no place here", "name a column"))
        return Null(), ANY

    def _list(self, one: Syntax) -> tuple[Node, str]:
        self.faults.append(one.fault("a list has no place here", "a list stands behind IN"))
        return Null(), ANY

    def _call(self, one: Syntax) -> tuple[Node, str]:
        return self._calls.call(one)

    def _joined(self, one: Syntax) -> tuple[Node, str]:
        return self._calls.joined(one)

    def _not(self, one: Syntax) -> tuple[Node, str]:
        inner = self.condition(one.parts[0])
        return (inner.rule if isinstance(inner, Not) else Not(inner)), BOOLEAN

    def _group(self, one: Syntax) -> tuple[Node, str]:
        return self.value(one.parts[0])

    def _combined(self, one: Syntax) -> Node:
        mixed = {"AND", "OR"} if one.kind == "EXCEPT" else {"EXCEPT"}
        for part in one.parts:
            if part.kind in mixed:
                hint = "write brackets: (a AND b) EXCEPT c, or a AND (b EXCEPT c)"
                self.faults.append(part.fault(f"`{part.kind}` beside `{one.kind}`: which comes first?", hint))
        rules = tuple(self.condition(part) for part in one.parts)
        return Group(cast("Any", _COMBINED[one.kind]), rules)

    def _compare(self, one: Syntax) -> Node:
        for part in one.parts:
            if part.kind == "null":
                hint = "write IS NULL" if one.kind == "=" else "write IS NOT NULL"
                self.faults.append(part.fault("nothing is ever equal to NULL, larger or smaller", hint))
        (left, right), kind = self.together(one.parts, "compared")
        if kind == BOOLEAN and one.kind not in {"=", "<>"}:
            self.faults.append(one.fault("true and false are not larger or smaller", "compare them with = or <>"))
        return Compare(cast("Comparison", one.kind), left, right)

    def _arithmetic(self, one: Syntax) -> tuple[Node, str]:
        if one.kind == "minus" and one.parts[0].kind == "number":
            return self._number(one.parts[0], negative=True)
        found = [self.value(part) for part in one.parts]
        for part, (_, kind) in zip(one.parts, found, strict=True):
            if not kinds.fits(kind, NUMBER):
                is_time = kind in {DATE, MOMENT}
                hint = "write add_days(date, number) or days_between(a, b)" if is_time else ""
                hint = "write `||`, or concat(a, b), to join texts" if kind == TEXT and one.kind == "+" else hint
                self.faults.append(part.fault(f"{described(part, kind)}, not a number", hint))
                return Null(), ANY
        whole = all(kind in {INTEGER, ANY} for _, kind in found) and one.kind != "/"
        nodes = [node for node, _ in found]
        if one.kind == "minus":
            nodes.insert(0, Number(0))
        operator = cast("Any", "-" if one.kind == "minus" else one.kind)
        return Arithmetic(operator, nodes[0], nodes[1]), INTEGER if whole else NUMBER

    def _between(self, one: Syntax) -> tuple[Node, str]:
        (value, low, high), kind = self.together(one.parts, "compared")
        if kind == BOOLEAN:
            self.faults.append(one.fault("true and false are not larger or smaller", "compare them with = or <>"))
        return Between(value, low, high), BOOLEAN

    def _in(self, one: Syntax) -> tuple[Node, str]:
        value, listed_items = one.parts
        items = listed_items.parts
        if not items:
            self.faults.append(listed_items.fault("the list is empty", "write at least one item"))
        for item in items:
            if item.kind == "null":
                self.faults.append(item.fault("nothing is ever equal to NULL", "write OR ... IS NULL"))
            elif not is_literal(item) and item.kind != "broken":
                hint = "write a OR b, or take it out"
                self.faults.append(item.fault("only literals stand in a list", hint))
        good = [item for item in items if is_literal(item)]
        nodes, _ = self.together([value, *good], "compared")
        return In(nodes[0], tuple(cast("Any", nodes[1:]))), BOOLEAN

    def _like(self, one: Syntax) -> tuple[Node, str]:
        value, kind = self.value(one.parts[0])
        if not kinds.fits(kind, TEXT):
            what = described(one.parts[0], kind)
            self.faults.append(one.fault(f"{what}; LIKE is for text", "compare it with = or BETWEEN"))
        pattern, *escapes = one.parts[1:]
        escape = escapes[0].text if escapes else ""
        if pattern.kind != "text":
            if pattern.kind != "broken":
                hint = "contains, starts_with and ends_with take any text"
                self.faults.append(pattern.fault("the pattern of LIKE is a text, written out", hint))
            return Like(value, ""), BOOLEAN
        if escapes and (len(escape) != 1 or escape in "%_"):
            self.faults.append(escapes[0].fault("behind ESCAPE stands one sign, and not % or _", _LIKE))
        elif escape:
            rest = pattern.text.replace(escape * 2, "")
            if any(rest[at + 1 : at + 2] not in {"%", "_"} for at, sign in enumerate(rest) if sign == escape):
                message = "behind the sign of ESCAPE stands %, _ or the sign itself"
                self.faults.append(pattern.fault(message, _LIKE))
        return Like(value, pattern.text, escape), BOOLEAN

    def _isnull(self, one: Syntax) -> tuple[Node, str]:
        inner = one.parts[0]
        name = self.columns.name_of(inner.text) if inner.kind == "column" else None
        return IsNull(Column(name) if name else self.value(inner)[0]), BOOLEAN

    def _exists(self, one: Syntax) -> tuple[Node, str]:
        table = one.parts[0]
        names = {name.lower(): name for name in self._linked}
        name = table.text if table.text in self._linked else names.get(table.text.lower())
        if name is None:
            hint = nearest(table.text, self._linked) or listed(self._linked)
            self.faults.append(table.fault(f"there is no linked table `{table.text[:64]}`", hint))
            return Truth(False), BOOLEAN
        if len(one.parts) == 1:
            return Exists(name), BOOLEAN
        outside = self.columns
        if outside.deep >= _MOST_EXISTS:
            message = f"EXISTS stands in EXISTS more than {_MOST_EXISTS} deep"
            self.faults.append(one.fault(message, "all of them are about the same profile: join them with AND"))
            return Truth(False), BOOLEAN
        self.columns = Columns(self._linked[name], name, outside)
        try:
            return Exists(name, self.condition(one.parts[1])), BOOLEAN
        finally:
            self.columns = outside

    def _case(self, one: Syntax) -> tuple[Node, str]:
        count = len(one.parts) // 2
        conditions = [self.condition(part) for part in one.parts[: count * 2 : 2]]
        results = [*one.parts[1 : count * 2 : 2], *one.parts[count * 2 :]]
        nodes, kind = self.together(results, "results of one CASE")
        branches = tuple(zip(conditions, nodes[:count], strict=True))
        return Case(branches, nodes[count] if len(nodes) > count else None), kind or ANY


def _mismatch(first: Syntax, first_kind: str, second: Syntax, second_kind: str, what: str) -> Fault:
    """Say that two values are of different kinds, and how to mend it."""
    text = f"{described(first, first_kind)}, {described(second, second_kind)}"
    hint = "both must be of one kind"
    literals = {one.kind for one in (first, second)}
    if {first_kind, second_kind} <= {TEXT, INTEGER, NUMBER}:
        hint = "write the number in quotes" if "number" in literals else "write the number without quotes"
        hint = hint if literals & {"number", "text"} else "there is no way to read text as a number"
    elif TEXT in {first_kind, second_kind} and {first_kind, second_kind} & {DATE, MOMENT}:
        hint = "to_date(...) reads a text as a date"
    elif BOOLEAN in {first_kind, second_kind}:
        hint = "write TRUE or FALSE, or the column alone"
    return second.fault(f"{text}: they cannot be {what}", hint)
