"""Functions of text. Letters are counted as Unicode code points.

Engines do not agree about a few letters: Java writes `ß` as `SS` and a sigma at the end of a word as `ς`, DuckDB takes
the dot off `İ`. So these letters are dealt with here, and an engine never sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from symbolon.profiles import vocabulary
from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions.function import Function, Parameter, nothing, whole

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 2_000_000_000
#: letters whose capital is written with several letters: they stay as they are
STAY = "ßŉǰΐΰևẖẗẘẙẚὐὒὔὖᾀᾁᾂᾃᾄᾅᾆᾇᾈᾉᾊᾋᾌᾍᾎᾏᾐᾑᾒᾓᾔᾕᾖᾗᾘᾙᾚᾛᾜᾝᾞᾟᾠᾡᾢᾣᾤᾥᾦᾧᾨᾩᾪᾫᾬᾭᾮᾯᾲᾳᾴᾶᾷᾼῂῃῄῆῇῌῒΐῖῗῢΰῤῦῧῲῳῴῶῷῼﬀﬁﬂﬃﬄﬅﬆﬓﬔﬕﬖﬗ"
#: what they are written as meanwhile: the end of the last private plane, which no text uses
_AWAY = "".join(chr(0x10FF00 + place) for place in range(len(STAY)))
_TEXT = Parameter("text", kinds.TEXT)


@ibis.udf.scalar.builtin
def translate(value: str, letters: str, others: str) -> str:  # type: ignore[empty-body]
    """Write the second letters for the first."""


@ibis.udf.scalar.builtin
def substring(value: str, start: int, length: int) -> str:  # type: ignore[empty-body]
    """Give letters from a place on, which counts from 1: Ibis writes the place several times."""


def lower(value: Any) -> Any:
    """Give text in small letters."""
    return value.replace("İ", "i\u0307").replace("Σ", "σ").lower()  # noqa: RUF001


def upper(value: Any) -> Any:
    """Give text in capitals; letters without a capital of one letter stay as they are."""
    away: Any = translate(value, STAY, _AWAY)
    return translate(away.upper(), _AWAY, STAY)


def _substring(values: list[Any], _: Any) -> Any:
    return substring(values[0], whole(values[1], 1, _MOST), whole(values[2], 0, _MOST) if len(values) > 2 else _MOST)


def _smart(value: Any) -> Any:
    first: Any = substring(value, 1, 1)
    return upper(first).concat(lower(substring(value, 2, _MOST)))


def _email_domain(value: Any) -> Any:
    return ibis.ifelse(value.contains("@"), value.re_extract(r"@([^@]*)\z", 1), nothing(kinds.TEXT))


def _text(
    name: str, words: str, compiled: Callable[[Any], Any], result: str = kinds.TEXT, mentions: int = 1
) -> Function:
    return Function(name, (_TEXT,), result, lambda values, _: compiled(values[0]), words, mentions=mentions)


def _test(name: str, words: str, compiled: Callable[[Any, Any], Any]) -> Function:
    parameters = (_TEXT, Parameter("part", kinds.TEXT))
    return Function(name, parameters, kinds.BOOLEAN, lambda values, _: compiled(*values), words)


def _digest(name: str, noun: str) -> Function:
    words = f"{noun} of the text as UTF-8, in lower-case hexadecimal"
    return _text(name, words, lambda value: vocabulary.digest_of(name, value))


FUNCTIONS = (
    _text("lower", "in small letters", lower),
    _text("upper", "in capitals; `ß`, `ﬁ` and other letters without a capital of one letter stay", upper),
    _text(
        "smart",
        "the first letter as a capital, all others small",
        _smart,
        mentions=2,
    ),
    _text("trim", "without the spaces at both ends; no other blanks", vocabulary.trim),
    _text("ltrim", "without the spaces at the beginning", lambda value: value.re_replace(r"\A +", "")),
    _text("rtrim", "without the spaces at the end", lambda value: value.re_replace(r" +\z", "")),
    _text("length", "number of letters", lambda value: value.length().cast("int64"), kinds.INTEGER),
    Function(
        "substring",
        (_TEXT, Parameter("start", kinds.INTEGER), Parameter("length", kinds.INTEGER)),
        kinds.TEXT,
        _substring,
        "so many letters from a place on, which counts from 1; all up to the end without a length",
        optional=1,
        mentions=3,
    ),
    Function(
        "left",
        (_TEXT, Parameter("length", kinds.INTEGER)),
        kinds.TEXT,
        lambda values, _: substring(values[0], 1, whole(values[1], 0, _MOST)),
        "so many letters of the beginning",
        mentions=3,
    ),
    Function(
        "right",
        (_TEXT, Parameter("length", kinds.INTEGER)),
        kinds.TEXT,
        lambda values, _: values[0].right(whole(values[1], 0, _MOST)),
        "so many letters of the end",
        mentions=3,
    ),
    Function(
        "replace",
        (_TEXT, Parameter("part", kinds.TEXT), Parameter("other", kinds.TEXT)),
        kinds.TEXT,
        lambda values, _: values[0].replace(values[1], values[2]),
        "with the other text wherever the part stands",
    ),
    Function(
        "concat",
        (_TEXT, _TEXT),
        kinds.TEXT,
        lambda values, _: values[0].concat(*values[1:]),
        "the texts behind each other, the same as `||`; NULL if one of them is",
        repeats=1,
    ),
    _test("contains", "whether the part stands somewhere in the text", lambda value, part: value.contains(part)),
    _test("starts_with", "whether the text begins with the part", lambda value, part: value.startswith(part)),
    _test("ends_with", "whether the text ends with the part", lambda value, part: value.endswith(part)),
    _text("email_domain", "what stands behind the last `@`; NULL without one", _email_domain, mentions=2),
    _text(
        "is_empty",
        "whether there is no text: NULL, or of length 0; true or false, never NULL",
        lambda value: value.isnull() | (value == "").fill_null(False),
        kinds.BOOLEAN,
        mentions=2,
    ),
    _digest("md5", "MD5 digest"),
    _digest("sha1", "SHA-1 digest"),
    _digest("sha256", "SHA-256 digest"),
    _digest("sha384", "SHA-384 digest"),
    _digest("sha512", "SHA-512 digest"),
)
