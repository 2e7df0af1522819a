"""From a few tokens without brackets to a syntax: sqlglot knows what binds stronger.

Brackets, functions, CASE and EXISTS were put together before (`reader`), so each of them is one leaf here. That keeps
sqlglot's parser flat, whose recursion would not bear fifty brackets, and gives every leaf its place in the text.

Invariant: of sqlglot's expressions only those listed here are understood, and only their listed parts; all others are
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from symbolon.targeting.conditions.syntax import MOST_DEEP, Source, Syntax, checked_depth, made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.targeting.conditions.errors import Fault


class _Parser(Parser):
    """sqlglot's parser, for which EXCEPT stands between predicates, in the dress of XOR, which we do not offer."""

    CONJUNCTION: ClassVar[dict[Any, Any]] = {**Parser.CONJUNCTION, TokenType.EXCEPT: exp.Xor}


#: expression -> operator; all have `this` and `expression` and nothing else
_BINARY: dict[type[Any], str] = {
    exp.And: "AND",
    exp.Or: "OR",
    exp.Xor: "EXCEPT",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.DPipe: "||",
}
#: operators of which many in a row are one group
_CHAINS = {"AND", "OR", "EXCEPT", "||"}
#: expression and what it consists of -> our kind, and the parts in order
_SHAPES: dict[tuple[type[Any], frozenset[str]], tuple[str, tuple[str, ...]]] = {
    (exp.Not, frozenset({"this"})): ("not", ("this",)),
    (exp.Neg, frozenset({"this"})): ("minus", ("this",)),
    (exp.Is, frozenset({"this", "expression"})): ("isnull", ("this", "expression")),
    (exp.Between, frozenset({"this", "low", "high"})): ("between", ("this", "low", "high")),
    (exp.In, frozenset({"this", "expressions"})): ("in", ("this", "expressions")),
}
#: further settings that sqlglot gives these expressions, which mean nothing to us
_SETTINGS = {"typed", "safe"}
_EXPECTED = "an operator between two values, or a comparison, is missing, or there is one too many"


def read_segment(source: Source, pieces: Sequence[Token | Syntax], faults: list[Fault], at: int) -> Syntax:
    """Read tokens and leaves without brackets.

    Args:
        source: the text they are from.
        pieces: operators and words as tokens, everything else as it was read already.
        faults: where to put what is wrong.
        at: where the segment begins, for one that is empty.
    """
    if not pieces:
        faults.append(source.fault(at, "something is missing here", "write a value or a condition"))
        return Syntax("broken", source, at)
    broken = Syntax("broken", source, _place(pieces[0]))
    if any(isinstance(piece, Syntax) and piece.kind == "broken" for piece in pieces):
        return broken  # it was told already
    if len(pieces) == 1 and isinstance(pieces[0], Syntax) and pieces[0].kind != "list":
        return pieces[0]
    if len(pieces) == 1 and isinstance(pieces[0], Token) and pieces[0].token_type == TokenType.STAR:
        return Syntax("star", source, at)
    leaves: list[Syntax] = []
    tokens: list[Token] = []
    for piece in pieces:
        escape = bool(tokens) and tokens[-1].token_type == TokenType.ESCAPE
        tokens += _tokens(piece, leaves, TokenType.STRING if escape else TokenType.VAR)
    try:
        parsed = _Parser(error_level=ErrorLevel.IMMEDIATE).parse_into(exp.Condition, tokens, "")
        if len(parsed) != 1 or parsed[0] is None:
            raise SqlglotError("")
        return _Reading(source, leaves, faults).syntax(parsed[0])
    except _Refused as refused:
        faults.append(source.fault(_place(pieces[0]), refused.args[0], refused.args[1]))
    except RecursionError:
        faults.append(source.fault(_place(pieces[0]), f"this is nested more than {MOST_DEEP} deep", "take it apart"))
    except (SqlglotError, AttributeError, ValueError, IndexError) as error:
        place, shown = _stumbled(error, pieces)
        faults.append(source.fault(place, f"the condition cannot be read {shown}", _EXPECTED))
    return broken


class _Refused(Exception):
    """Parsed, but not part of the language."""


class _Reading:
    """From sqlglot's expression to our syntax."""

    def __init__(self, source: Source, leaves: list[Syntax], faults: list[Fault]) -> None:
        self._source = source
        self._leaves = leaves
        self._faults = faults

    def syntax(self, node: Any, deep: int = 0) -> Syntax:
        if deep > MOST_DEEP:
            raise _Refused(f"this is nested more than {MOST_DEEP} deep", "take it apart into several activities")
        kind = type(node)
        if kind is exp.Column:
            return self._leaf(node)
        given = {name for name, value in node.args.items() if value} - _SETTINGS
        if kind in _BINARY and given == {"this", "expression"}:
            return self._binary(node, _BINARY[kind], deep)
        if kind is exp.Like or (kind is exp.Escape and type(node.this) is exp.Like):
            return self._like(node, deep)
        name, parts = _SHAPES.get((kind, frozenset(given)), ("", ()))
        operands = [node.args[part] for part in parts]
        if kind is exp.In:
            operands[1:] = node.expressions
        if not name or len(operands) != len(parts) or (kind is exp.Is and type(node.expression) is not exp.Null):
            raise _Refused("this is not an operator of conditions", _EXPECTED)
        return self._made(name, operands[:1] if kind is exp.Is else operands, deep)

    def _leaf(self, node: Any) -> Syntax:
        name = node.name
        if {key for key, value in node.args.items() if value} != {"this"} or not name.startswith("_"):
            raise _Refused("this is not an operator of conditions", _EXPECTED)
        return self._leaves[int(name[1:])]

    def _like(self, node: Any, deep: int) -> Syntax:
        like = node.this if type(node) is exp.Escape else node
        parts = [like.this, like.expression]
        if like is not node:
            if type(node.expression) is not exp.Literal:
                raise _Refused("behind ESCAPE stands one letter in quotes", "LIKE '50!%' ESCAPE '!'")
            parts.append(exp.column(node.expression.name))
        if {name for name, value in like.args.items() if value} - {"this", "expression", "negate"}:
            raise _Refused("this is not an operator of conditions", _EXPECTED)
        one = self._made("like", parts, deep)
        if not like.args.get("negate"):
            return one
        return checked_depth(made("not", self._source, one.at, "", [one]), self._faults)

    def _binary(self, node: Any, operator: str, deep: int) -> Syntax:
        operands = [node.expression]
        kind, first = type(node), node.this
        while type(first) is kind and operator in _CHAINS:
            operands.append(first.expression)
            first = first.this
        return self._made(operator, [first, *reversed(operands)], deep)

    def _made(self, kind: str, parts: list[Any], deep: int) -> Syntax:
        if any(part is None for part in parts):
            raise _Refused("a value is missing beside an operator", _EXPECTED)
        inside = [self.syntax(part, deep + 1) for part in parts]
        return checked_depth(made(kind, self._source, inside[0].at, "", inside), self._faults)


def _tokens(piece: Token | Syntax, leaves: list[Syntax], kind: TokenType) -> list[Token]:
    """Give a piece as tokens for sqlglot: a leaf is a name, or behind ESCAPE a text, that tells its number."""
    if isinstance(piece, Token):
        return [Token(piece.token_type, piece.text, piece.start + 1)]
    leaves.append(piece)
    name = Token(kind, f"_{len(leaves) - 1}", piece.at + 1)
    if piece.kind != "list":
        return [name]
    return [Token(TokenType.L_PAREN, "(", piece.at + 1), name, Token(TokenType.R_PAREN, ")", piece.at + 1)]


def _place(piece: Token | Syntax) -> int:
    return piece.start if isinstance(piece, Token) else piece.at


def _stumbled(error: Exception, pieces: Sequence[Token | Syntax]) -> tuple[int, str]:
    """Find where sqlglot stopped: its tokens carry their place in the line number."""
    lines = [one["line"] for one in getattr(error, "errors", []) if one.get("line")]
    at = lines[0] - 1 if lines else _place(pieces[-1])
    found = next((piece for piece in pieces if _place(piece) == at), None)
    return at, f"at `{found.text.upper()[:16]}`" if isinstance(found, Token) else "from here on"
