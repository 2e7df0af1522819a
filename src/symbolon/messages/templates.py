"""Templates of messages: a small part of Jinja, read strictly, and rendered within bounds.

Invariant: what a template can do takes time in proportion to its length. There is nothing that repeats (`for`,
`macro`, `include`, multiplication), nothing is called, and nothing is reached inside a value; so neither a template nor
a value can make a rendering long. Jinja's sandbox is the second fence. Values are data: what looks like a template in
the name of a person stays text, and is escaped in HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

#: longest template, in characters
MOST_SOURCE = 200_000
#: longest value of a person that a template takes
MOST_VALUE = 32_768
#: how often a template may name something
MOST_NAMES = 500
#: longest rendering, in characters
MOST_RENDERED = 500_000

_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Filter,
    nodes.Test, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat, nodes.Add, nodes.Sub,
    nodes.Neg, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip
_TESTS = ("none", "number", "string", "true", "false", "even", "odd", "in", "defined")
_FILTERS = (
    "upper", "lower", "capitalize", "title", "trim", "default", "d", "truncate", "length", "round", "int", "float",
    "abs", "escape", "e", "urlencode", "string",
)  # fmt: skip
_SAYS = {
    nodes.For: "a message has nothing to loop over",
    nodes.Call: "nothing can be called in a message",
    nodes.Getattr: "a value has nothing inside that a message may reach",
    nodes.Getitem: "a value has nothing inside that a message may reach",
    nodes.Mul: "a message does not multiply: enrich the population with a column instead",
}
_DATE = re.compile(r"(?:%[YmdBbyHMjAa%]|[^%]){1,64}")


class NotRendered(Exception):
    """A template cannot be rendered for these values. Says nothing of them."""


class TooLarge(NotRendered):
    """The rendering is larger than it may be."""


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """One fault of a template; `line` and `column` from 1, 0 = the whole of it."""

    message: str
    hint: str = ""
    line: int = 0
    column: int = 0


class Template:
    """One template, checked and ready to render.

    Args:
        source: its text, without faults (`find_faults`).
        html: whether values are escaped for HTML.
    """

    def __init__(self, source: str, *, html: bool = False) -> None:
        self._compiled = _environment(html=html).from_string(source)
        #: what it names
        self.names = names_of(source)

    def render(self, values: Mapping[str, Any], *, most: int = MOST_RENDERED) -> str:
        """Give the text for the values of one person. What has no value is an empty text.

        Raises:
            TooLarge: it has more than `most` characters, or a value is too long.
            NotRendered: the template does something that these values do not bear.
        """
        given = {name: _given(values[name]) for name in self.names}
        parts: list[str] = []
        length = 0
        try:
            for part in self._compiled.generate(given):
                length += len(part)
                if length > most:
                    raise TooLarge
                parts.append(part)
        except NotRendered:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it may quote a value
            raise NotRendered from None
        return "".join(parts)


def names_of(source: str) -> frozenset[str]:
    """Give what a template names."""
    return frozenset(node.name for node in _environment(html=False).parse(source).find_all(nodes.Name))


def find_faults(source: str, known: Collection[str], *, html: bool = False) -> list[TemplateFault]:
    """Find everything that is wrong with a template.

    Args:
        source: its text.
        known: what it may name.
        html: whether it makes HTML.
    """
    if len(source) > MOST_SOURCE:
        return [TemplateFault(f"a template has at most {MOST_SOURCE:,} characters", "say it shorter")]
    environment = _environment(html=html)
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        return [TemplateFault(message, "{{ first_name }}, {% if city %}...{% endif %}", error.lineno, 1)]
    except RecursionError:
        return [TemplateFault("it is too deeply nested", "say it simpler")]
    faults = [*_forbidden(tree), *_unknown(source, tree, known)]
    if faults:
        return sorted(faults, key=lambda one: (one.line, one.column))
    try:
        environment.from_string(source)
    except (TemplateError, SyntaxError, RecursionError, ValueError):
        return [TemplateFault("it is too deeply nested, or uses a filter wrongly", "say it simpler")]
    return []


def _forbidden(tree: nodes.Template) -> Iterator[TemplateFault]:
    waiting: list[nodes.Node] = [tree]
    count = 0
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _NODES):
            word = type(node).__name__.lower()
            says = _SAYS.get(type(node), f"`{word}` is nothing that a message may use")
            yield TemplateFault(says, "{{ field }}, {{ field | upper }}, {% if field %}...{% endif %}", node.lineno, 1)
            continue
        count += isinstance(node, nodes.Name)
        if count > MOST_NAMES:
            yield TemplateFault(f"a template names at most {MOST_NAMES} values", "say it shorter")
            return
        if isinstance(node, nodes.Filter) and node.name not in _environment(html=False).filters:
            yield _near(f"there is no filter `{node.name}`", node.name, (*_FILTERS, "date"), node.lineno)
        if isinstance(node, nodes.Test) and node.name not in _TESTS:
            yield _near(f"there is no test `{node.name}`", node.name, _TESTS, node.lineno)
        if isinstance(node, nodes.Filter) and node.name == "date":
            yield from _wrong_date(node)
        waiting += node.iter_child_nodes()


def _wrong_date(node: nodes.Filter) -> Iterator[TemplateFault]:
    pattern = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else None
    if len(node.args) != 1 or node.kwargs or not isinstance(pattern, str) or not _DATE.fullmatch(pattern):
        yield TemplateFault(
            "`date` takes a pattern of %Y %m %d %B %b %y %H %M %j %A %a",
            "{{ birth_date | date('%d.%m.%Y') }}",
            node.lineno,
            1,
        )


def _unknown(source: str, tree: nodes.Template, known: Collection[str]) -> Iterator[TemplateFault]:
    wrong = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"} - set(known)
    for name, line, column in _places(source, wrong):
        fault = _near(f"there is no field or column `{name[:64]}`", name, known, line)
        yield TemplateFault(fault.message, fault.hint, line, column)


def _places(source: str, names: Collection[str]) -> Iterator[tuple[str, int, int]]:
    """Find where names stand in a template: name, line, column."""
    if not names:
        return
    offset, before, found = 0, "", set()
    text = re.sub(r"\r\n?", "\n", source)
    for line, kind, value in _environment(html=False).lex(source):
        if kind == "name" and value in names and before not in ("|", ".", "is"):
            column = offset - (text.rfind("\n", 0, offset) + 1) + 1
            found.add(value)
            yield value, line, column
        if kind != "whitespace":
            before = value
        offset += len(value)
    for name in sorted(set(names) - found):
        yield name, 0, 0


def _near(message: str, name: str, known: Collection[str], line: int) -> TemplateFault:
    near = get_close_matches(name, list(known), n=3, cutoff=0.6)
    if near:
        return TemplateFault(message, "did you mean " + " or ".join(f"`{one}`" for one in near) + "?", line, 1)
    names = sorted(known)
    return TemplateFault(message, "known: " + ", ".join(names[:20]) + (" ..." if len(names) > 20 else ""), line, 1)


def _given(value: Any) -> Any:
    """Give a value as a template sees it: what is missing is an empty text, so that nobody is greeted as `None`."""
    if value is None:
        return ""
    if isinstance(value, str) and len(value) > MOST_VALUE:
        raise TooLarge
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC) if value.tzinfo else value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else value


def _dated(value: Any, pattern: str) -> str:
    return "" if value == "" else str(value.strftime(pattern))


def _bounded(work: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter give no more than a rendering may have: a chain of them could grow a text at each link."""

    def bounded(*given: Any, **named: Any) -> Any:
        found = work(*given, **named)
        if isinstance(found, str) and len(found) > MOST_RENDERED:
            raise TooLarge
        return found

    # how Jinja hands over its context and environment is written on the function
    bounded.__dict__.update(getattr(work, "__dict__", {}))
    return bounded


@cache
def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=html, undefined=StrictUndefined, finalize=_shown, keep_trailing_newline=True
    )
    made.filters = {name: _bounded(made.filters[name]) for name in _FILTERS} | {"date": _bounded(_dated)}
    made.tests = {name: made.tests[name] for name in _TESTS}
    made.globals.clear()
    return made
