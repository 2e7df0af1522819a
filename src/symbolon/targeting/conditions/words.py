"""From text to tokens: sqlglot takes the text apart, and whatever has no place in a condition is refused here.

Invariant: what comes out consists of names, literals and the few operators and words of the language; nothing else
ever reaches a parser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from symbolon.targeting.conditions.syntax import MOST_CHARACTERS, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbolon.targeting.conditions.errors import Fault

#: words with a meaning; a column of such a name is written in double quotes
RESERVED = frozenset(
    "AND OR NOT EXCEPT IN IS NULL TRUE FALSE BETWEEN LIKE ESCAPE CASE WHEN THEN ELSE END EXISTS SELECT FROM WHERE".split()  # noqa: SIM905, E501 - a list of words
)
#: kinds of operators
OPERATORS = {
    TokenType.EQ: "=",
    TokenType.NEQ: "<>",
    TokenType.LT: "<",
    TokenType.LTE: "<=",
    TokenType.GT: ">",
    TokenType.GTE: ">=",
    TokenType.PLUS: "+",
    TokenType.DASH: "-",
    TokenType.STAR: "*",
    TokenType.SLASH: "/",
    TokenType.DPIPE: "||",
}
_ALLOWED = {
    *OPERATORS,
    TokenType.L_PAREN,
    TokenType.R_PAREN,
    TokenType.COMMA,
    TokenType.NUMBER,
    TokenType.STRING,
    TokenType.IDENTIFIER,
}
#: texts in other notations: hexadecimal, national, raw ...
_STRINGS = {kind for kind in TokenType if kind.name.endswith("_STRING")} | {TokenType.HINT}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_PARAMETERS = {"?", "@", ":", "$", "@@", ":=", "{", "}", "{{", "}}", "{%", "%}"}
_CAST = "there are no casts; `to_date(...)` reads a date, everything else is compared in its own type"
_QUERY = "write only what would stand behind WHERE; other tables are asked with EXISTS (SELECT 1 FROM table WHERE ...)"
#: what people try -> what to do instead
_MENDS = {
    ";": "a condition is one predicate: take out `;` and what follows",
    "::": _CAST,
    "%": "`mod(a, b)` gives the remainder",
    ".": "write the column's name alone; columns of linked tables stand inside of EXISTS",
    "!": "write NOT",
    "`": "names of columns stand without quotes",
    "[": "a list stands in round brackets: IN ('a', 'b')",
    "ILIKE": "compare lower(...) with LIKE",
    "RLIKE": "LIKE, contains, starts_with and ends_with are offered, patterns are not",
    "SIMILAR": "LIKE, contains, starts_with and ends_with are offered, patterns are not",
    "GLOB": "LIKE, contains, starts_with and ends_with are offered, patterns are not",
    "INTERVAL": "write add_days(date, number), add_months, add_years or add_hours",
    "CAST": _CAST,
    "TRY_CAST": _CAST,
    "OVER": "window functions have no place in a condition",
    "FILTER": "window functions and aggregates have no place in a condition",
    "DISTINCT": "compare with =, <> and IS NULL",
    "XOR": "write (a AND NOT b) OR (b AND NOT a)",
    "DIV": "write floor(a / b)",
    "ANY": "write IN (...)",
    "ALL": "write IN (...)",
    "SOME": "write IN (...)",
    "COLLATE": "texts are compared letter by letter; lower(...) makes them alike",
}
_STATEMENTS = frozenset(
    [
        "UNION",
        "INTERSECT",
        "JOIN",
        "GROUP",
        "ORDER",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "WITH",
        "QUALIFY",
        "VALUES",
        "TABLE",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "DROP",
        "CREATE",
        "ALTER",
        "ATTACH",
        "DETACH",
        "COPY",
        "INSTALL",
        "LOAD",
        "SET",
        "RESET",
        "PRAGMA",
        "CALL",
        "EXECUTE",
        "EXPLAIN",
        "DESCRIBE",
        "SHOW",
        "USE",
        "GRANT",
        "REVOKE",
        "TRUNCATE",
        "VACUUM",
        "EXPORT",
        "IMPORT",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "PIVOT",
        "UNPIVOT",
        "LATERAL",
        "RETURNING",
        "INTO",
    ]
)


class Words:
    """A text taken apart.

    Args:
        source: the text.
        faults: where to put what is wrong with it.
        names: columns and tables there are, in capitals: a word that is one is not refused.
        parameters: what `${name}` stands for; None = there are no parameters where this text stands.
    """

    def __init__(
        self,
        source: Source,
        faults: list[Fault],
        names: frozenset[str] = frozenset(),
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.tokens: list[Token] = []
        #: places, in `tokens`, of what was refused
        self.refused: set[int] = set()
        #: places of `${name}` -> the value; no value is ever a part of a text that is read
        self.bound: dict[int, Any] = {}
        text = source.text
        if len(text) > MOST_CHARACTERS:
            message = f"{len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed"
            faults.append(source.fault(MOST_CHARACTERS, message, "keep long lists in an audience: in_audience('...')"))
            return
        try:
            self.tokens = Tokenizer().tokenize(text)
        except (SqlglotError, ValueError):
            faults.append(_unfinished(source))
            return
        if not self.tokens:
            faults.append(source.fault(0, "nothing is asked", "write a condition, such as `email IS NOT NULL`"))
        if parameters is not None:
            self._bind(parameters, faults)
        for place, token in enumerate(self.tokens):
            if place not in self.bound and word_of(token) not in names and not _is_fine(token):
                self.refused.add(place)
                faults.append(source.fault(token.start, *_refusal(token)))

    def _bind(self, parameters: Mapping[str, Any], faults: list[Fault]) -> None:
        """Make one token of each `${name}` that stands by itself; one inside of something else is a fault."""
        first = {token.start: place for place, token in enumerate(self.tokens)}
        last = {token.end: place for place, token in enumerate(self.tokens)}
        marks: dict[int, tuple[int, str, str]] = {}
        for found in _PLACEHOLDER.finditer(self.source.text):
            begin, end = first.get(found.start()), last.get(found.end() - 1)
            if begin is None or end is None:
                faults.append(self.source.fault(found.start(), *self._hidden(found.start(), found[1])))
            else:
                marks[begin] = (end, found[1], found[0])
        tokens: list[Token] = []
        place = 0
        while place < len(self.tokens):
            token = self.tokens[place]
            if place in marks:
                end, name, text = marks[place]
                if name not in parameters:
                    known = ", ".join(f"`{one}`" for one in sorted(parameters)) or "none is declared"
                    message = f"there is no parameter `{name[:64]}`"
                    faults.append(self.source.fault(token.start, message, f"known: {known}"))
                # the braces keep it from being a word; what is not known stands for nothing
                self.bound[len(tokens)] = parameters.get(name)
                token = Token(TokenType.PLACEHOLDER, text, token.line, token.col, token.start, self.tokens[end].end)
                place = end
            tokens.append(token)
            place += 1
        self.tokens = tokens

    def _hidden(self, at: int, name: str) -> tuple[str, str]:
        shown = f"${{{name[:64]}}}"
        around = next((token for token in self.tokens if token.start <= at <= token.end), None)
        if around is None:
            return "a parameter has no place in a comment", f"take {shown} out of the comment"
        what = "a quoted name" if around.token_type == TokenType.IDENTIFIER else "a text in quotes"
        hint = f"write {shown} without the quotes; to put texts together: 'a' || {shown}"
        return f"a parameter has no place inside of {what}", hint

    def word(self, place: int) -> str:
        """Give a bare word at a place in capitals; empty if there is something else."""
        if not 0 <= place < len(self.tokens):
            return ""
        return word_of(self.tokens[place])


def word_of(token: Token) -> str:
    """Give a bare word in capitals; empty if the token is something else."""
    quoted = token.token_type in {TokenType.STRING, TokenType.IDENTIFIER}
    return token.text.upper() if not quoted and _WORD.fullmatch(token.text) else ""


def is_plain(name: str) -> bool:
    """Whether a column of this name can stand without quotes."""
    return bool(_WORD.fullmatch(name)) and name.upper() not in RESERVED


def _is_fine(token: Token) -> bool:
    if token.token_type in _ALLOWED:
        return True
    word = word_of(token)
    return bool(word) and token.token_type not in _STRINGS and word not in _STATEMENTS | _MENDS.keys()


def _refusal(token: Token) -> tuple[str, str]:
    """Say why a token has no place in a condition, and what to do instead."""
    kind, text = token.token_type, token.text
    word = word_of(token)
    if kind in _STRINGS:  # what stands in it may be an address
        return "texts have no letter in front and no other quotes", "write 'text'"
    if (len(text) <= 2 and text in _PARAMETERS) or text.startswith(("$", "@")):
        return "a condition has no parameters", "write the value itself; the moment of the run is now()"
    mend = _MENDS.get(word) or _MENDS.get(text)
    if mend:
        return f"`{text}` is not offered in a condition", mend
    if word in _STATEMENTS or " " in text:
        return f"`{text[:32].upper()}` belongs to a whole statement, not to a condition", _QUERY
    shown = f"`{text[:16]}`" if text.isprintable() else "this"
    return f"{shown} has no place in a condition", "see docs/reference/conditions.md for operators and functions"


def _unfinished(source: Source) -> Fault:
    """Find what was begun and not ended: a text, a quoted name or a comment."""
    ends = {"'": "'", '"': '"', "/*": "*/", "--": "\n"}
    at, text = 0, source.text
    while at < len(text):
        begin = next((mark for mark in ends if text.startswith(mark, at)), "")
        if not begin:
            at += 1
            continue
        end = text.find(ends[begin], at + len(begin))
        if end < 0 and begin != "--":
            noun = "comment" if begin == "/*" else "text" if begin == "'" else "quoted name"
            return source.fault(at, f"the {noun} that begins here has no end", f"end it with {ends[begin]}")
        at = len(text) if end < 0 else end + len(ends[begin])
    return source.fault(0, "this cannot be read as a condition", "texts stand in single quotes: 'FR'")
