# ruff: noqa: SLF001 - the table of what is taken belongs to the reader
"""From a text to a syntax: brackets, functions, CASE and EXISTS are put together here, innermost first.

Invariant: it works through the tokens once, with a stack of its own; however deep a text is nested, nothing recurses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot.tokenizer_core import Token, TokenType

from symbolon.targeting.conditions.literals import bound
from symbolon.targeting.conditions.ordering import directed, split_direction
from symbolon.targeting.conditions.segments import read_segment
from symbolon.targeting.conditions.syntax import MOST_DEEP, MOST_ITEMS, MOST_NODES, Source, Syntax, checked_depth, made
from symbolon.targeting.conditions.words import OPERATORS, RESERVED, Words, word_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from symbolon.targeting.conditions.errors import Fault

_SQL_EXISTS = "write EXISTS (SELECT 1 FROM table WHERE ...)"
_CASE = "write CASE WHEN condition THEN value ELSE value END"
#: words that stay tokens: sqlglot knows how strongly they bind
_BINDING = {"AND", "OR", "NOT", "EXCEPT", "IN", "IS", "BETWEEN", "LIKE", "ESCAPE"}
_CONSTANTS = {"TRUE": "true", "FALSE": "false", "NULL": "null"}


@dataclass
class _Frame:
    """Something that was begun: a bracket, a CASE, the text itself."""

    kind: str
    at: int
    text: str = ""
    #: where what is being collected begins
    begin: int = 0
    pieces: list[Token | Syntax] = field(default_factory=list)
    parts: list[Syntax] = field(default_factory=list)
    #: WHEN, THEN and ELSE, as they came
    marks: list[str] = field(default_factory=list)


class Reader:
    """Reads a text once.

    Args:
        source: the text.
        faults: where to put what is wrong with it.
        names: columns and tables there are, in capitals.
        parameters: what `${name}` stands for.
        ordering: whether each part may end with a direction, as in ORDER BY.
    """

    def __init__(
        self,
        source: Source,
        faults: list[Fault],
        names: frozenset[str],
        parameters: Mapping[str, Any] | None = None,
        *,
        ordering: bool = False,
    ) -> None:
        self._source = source
        self._faults = faults
        self._words = Words(source, faults, names, parameters)
        self._ordering = ordering
        self._stack = [_Frame("text", 0)]
        self._next = 0

    def read(self) -> list[Syntax]:
        """Give what stands between the commas: of a condition that is one syntax. Empty if nothing can be read."""
        tokens = self._words.tokens
        if not tokens:
            return []
        before = len(self._faults)
        while self._next < len(tokens):
            place = self._next
            self._next += 1
            if not self._take(place, tokens[place]):
                return []
        if len(self._stack) > 1:
            frame = self._stack[-1]
            what, end = ("CASE", "END") if frame.kind == "case" else ("bracket", ")")
            self._fault(frame.at, f"the {what} that begins here has no end", f"end it with {end}")
            return []
        self._end_segment(len(self._source.text))
        found = self._stack[0].parts
        size = sum(one.size for one in found)
        if size > MOST_NODES and len(self._faults) == before:
            self._fault(
                0, f"{size:,} columns, literals and operators; at most {MOST_NODES:,} are allowed", "take it apart"
            )
            return []
        return found

    def _take(self, place: int, token: Token) -> bool:
        """Take one token; false if it makes no sense to go on."""
        top, word = self._stack[-1], word_of(token)
        if place in self._words.refused:
            top.pieces.append(Syntax("broken", self._source, token.start))
            return True
        if place in self._words.bound:
            top.pieces.append(bound(self._words.bound[place], self._source, token.start, self._faults))
            return True
        taken = _TAKEN.get(token.token_type) or _TAKEN.get(word)
        if taken is not None:
            return taken(self, place, token)
        binds = token.token_type in OPERATORS or word in _BINDING or self._is_null_test(word, top)
        top.pieces.append(token if binds else self._leaf(place, token, word))
        return True

    def _open_case(self, _: int, token: Token) -> bool:
        return self._push(_Frame("case", token.start, begin=token.start + 4))

    def _misplaced(self, _: int, token: Token) -> bool:
        word = word_of(token)
        what = "a query of its own" if word == "SELECT" else f"`{word}`"
        hint = f"a condition is what would stand behind WHERE; for other tables {_SQL_EXISTS}"
        self._fault(token.start, f"{what} has no place here", hint)
        return False

    def _announced(self, place: int, token: Token) -> bool:
        """Take EXISTS; the bracket behind it tells the rest."""
        if self._word_at(place + 1) != "(":
            self._fault(token.start, "a bracket is missing behind EXISTS", _SQL_EXISTS)
            self._stack[-1].pieces.append(Syntax("broken", self._source, token.start))
        return True

    def _leaf(self, place: int, token: Token, word: str) -> Syntax:
        kind, at = token.token_type, token.start
        if kind == TokenType.STRING:
            return Syntax("text", self._source, at, token.text)
        if kind == TokenType.NUMBER:
            return Syntax("number", self._source, at, token.text)
        if kind == TokenType.IDENTIFIER:
            return Syntax("column", self._source, at, f'"{token.text}"')
        if word in _CONSTANTS:
            return Syntax(_CONSTANTS[word], self._source, at)
        following = self._words.tokens[place + 1] if place + 1 < len(self._words.tokens) else None
        if word in {"DATE", "TIMESTAMP"} and following is not None and following.token_type == TokenType.STRING:
            self._next += 1
            return Syntax(word.lower(), self._source, at, following.text)
        return Syntax("column", self._source, at, token.text)

    def _open(self, place: int, token: Token) -> bool:
        top, before = self._stack[-1], self._words.word(place - 1)
        if before == "EXISTS":
            return self._open_exists(place, token)
        if before == "IN":
            return self._push(_Frame("list", token.start, begin=token.end + 1))
        last = top.pieces[-1] if top.pieces else None
        if before and before not in RESERVED and isinstance(last, Syntax) and last.kind == "column":
            top.pieces.pop()
            return self._push(_Frame("call", last.at, last.text, begin=token.end + 1))
        if before == "EXCEPT" and _is_open(top.pieces[:-1]):  # written as a function
            top.pieces.pop()
            at = self._words.tokens[place - 1].start
            return self._push(_Frame("call", at, "except", begin=token.end + 1))
        return self._push(_Frame("group", token.start, begin=token.end + 1))

    def _open_exists(self, place: int, token: Token) -> bool:
        """Take `(SELECT 1 FROM table WHERE`, or everything up to the end where there is no WHERE."""
        words = [self._word_at(place + step) for step in range(1, 6)]
        table = self._words.tokens[place + 4] if place + 4 < len(self._words.tokens) else None
        fits = (
            words[0] == "SELECT"
            and words[1] in {"1", "*", "TRUE"}
            and words[2] == "FROM"
            and words[4] in {"WHERE", ")"}
        )
        if not fits or table is None or table.token_type == TokenType.STRING or not words[3]:
            self._fault(
                token.start, "inside of EXISTS stands one linked table and a condition on its rows", _SQL_EXISTS
            )
            return False
        at = self._words.tokens[place - 1].start
        frame = _Frame("exists", at, table.text, begin=table.end + 1)
        frame.parts.append(Syntax("column", self._source, table.start, table.text))
        if words[4] == "WHERE":
            frame.marks.append("WHERE")
        self._next = place + 6 if words[4] == "WHERE" else place + 5
        return self._push(frame)

    def _close(self, _: int, token: Token) -> bool:
        frame = self._stack[-1]
        if frame.kind in {"text", "case"}:
            what = (
                "ends a bracket that was not opened" if frame.kind == "text" else "stands inside of a CASE without END"
            )
            self._fault(token.start, f"`)` {what}", "take it out" if frame.kind == "text" else _CASE)
            return False
        if frame.pieces or frame.kind == "group" or (frame.parts and frame.kind != "exists") or frame.marks:
            self._end_segment(token.start)
        self._stack.pop()
        parts = tuple(frame.parts)
        if frame.kind == "list" and len(parts) > MOST_ITEMS:
            self._fault(
                frame.at, f"{len(parts):,} items; at most {MOST_ITEMS:,} are allowed", "keep them in an audience"
            )
            parts = parts[:1]
        self._add(made(frame.kind, self._source, frame.at, frame.text, parts))
        return True

    def _comma(self, _: int, token: Token) -> bool:
        frame = self._stack[-1]
        if frame.kind not in {"call", "list", "text"}:
            self._fault(token.start, "a comma has no place here", "combine conditions with AND, OR or EXCEPT")
            return False
        self._end_segment(token.start)
        frame.begin = token.end + 1
        return True

    def _mark(self, _: int, token: Token) -> bool:
        frame, word = self._stack[-1], word_of(token)
        last = frame.marks[-1] if frame.marks else "CASE"
        fits = {"WHEN": ("CASE", "THEN"), "THEN": ("WHEN",), "ELSE": ("THEN",), "END": ("THEN", "ELSE")}
        if frame.kind != "case" or last not in fits[word] or (last == "CASE" and frame.pieces):
            self._fault(token.start, f"`{word}` has no place here", _CASE)
            return False
        if last != "CASE":
            self._end_segment(token.start)
        frame.begin = token.end + 1
        frame.marks.append(word)
        if word == "END":
            self._stack.pop()
            self._add(made("case", self._source, frame.at, "", frame.parts))
        return True

    def _push(self, frame: _Frame) -> bool:
        if len(self._stack) > MOST_DEEP:
            self._fault(frame.at, f"this is nested more than {MOST_DEEP} deep", "take it apart into several activities")
            return False
        self._stack.append(frame)
        return True

    def _add(self, one: Syntax) -> None:
        self._stack[-1].pieces.append(checked_depth(one, self._faults))

    def _end_segment(self, end: int) -> None:
        frame = self._stack[-1]
        at = min(max(frame.begin, 0), end)
        pieces, direction = (
            split_direction(frame.pieces) if self._ordering and frame.kind == "text" else (frame.pieces, "")
        )
        one = read_segment(self._source, pieces, self._faults, at)
        frame.parts.append(directed(self._source, one, direction) if direction else one)
        frame.pieces = []

    def _word_at(self, place: int) -> str:
        """Give what stands at a place, words in capitals; empty at the end."""
        tokens = self._words.tokens
        return tokens[place].text.upper() if place < len(tokens) else ""

    @staticmethod
    def _is_null_test(word: str, top: _Frame) -> bool:
        """Whether this is the NULL of `IS NULL` or `IS NOT NULL`."""
        before = [word_of(piece) if isinstance(piece, Token) else "" for piece in top.pieces[-2:]]
        return word == "NULL" and bool(before) and (before[-1] == "IS" or before == ["IS", "NOT"])

    def _fault(self, at: int, message: str, hint: str) -> None:
        self._faults.append(self._source.fault(at, message, hint))


def _is_open(pieces: list[Token | Syntax]) -> bool:
    """Whether a predicate is still to come."""
    return not pieces or (isinstance(pieces[-1], Token) and word_of(pieces[-1]) in {"AND", "OR", "NOT", "EXCEPT"})


#: kinds and words of tokens that begin or end something
_TAKEN: dict[Any, Callable[[Reader, int, Token], bool]] = {
    TokenType.L_PAREN: Reader._open,
    TokenType.R_PAREN: Reader._close,
    TokenType.COMMA: Reader._comma,
    "CASE": Reader._open_case,
    **dict.fromkeys(("WHEN", "THEN", "ELSE", "END"), Reader._mark),
    **dict.fromkeys(("SELECT", "FROM", "WHERE"), Reader._misplaced),
    "EXISTS": Reader._announced,
}


def read_syntax(
    source: Source,
    faults: list[Fault],
    names: frozenset[str] = frozenset(),
    parameters: Mapping[str, Any] | None = None,
    *,
    ordering: bool = False,
) -> list[Syntax]:
    """Read a text: what stands between its commas; nothing if it cannot be read, and then there is a fault.

    Args:
        source: the text.
        faults: where to put what is wrong with it.
        names: columns and tables there are, in capitals: words that mean nothing else.
        parameters: what `${name}` stands for, as typed values.
        ordering: whether each part may end with a direction, as in ORDER BY.
    """
    return Reader(source, faults, names, parameters, ordering=ordering).read()
