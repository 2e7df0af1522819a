"""Templates: what is refused, where, and that neither a template nor a value gets out of its fence."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.messages.templates import (
    MOST_NAMES,
    MOST_RENDERED,
    MOST_VALUE,
    NotRendered,
    Template,
    TooLarge,
    find_faults,
)

KNOWN = {"first_name", "last_name", "city", "birth_date", "points", "active"}


def rendered(source: str, *, html: bool = False, **values: object) -> str:
    assert find_faults(source, KNOWN, html=html) == []
    return Template(source, html=html).render({**dict.fromkeys(KNOWN), **values})


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("Hello {{ first_name }}!", {"first_name": "Ann"}, "Hello Ann!"),
        ("Hello {{ first_name }}!", {}, "Hello !"),
        ("{{ first_name | upper }}", {}, ""),
        ("{{ first_name or 'friend' }}", {}, "friend"),
        ("{{ first_name | default('friend', true) }}", {}, "friend"),
        ("{% if city %}in {{ city | title }}{% else %}there{% endif %}", {"city": "NICE"}, "in Nice"),
        ("{{ birth_date | date('%d.%m.%Y') }}", {"birth_date": date(1990, 2, 3)}, "03.02.1990"),
        ("{{ birth_date | date('%d') }}", {}, ""),
        ("{{ birth_date }} {{ active }}", {"birth_date": datetime(2026, 7, 1, 8, 30, tzinfo=UTC), "active": True},
         "2026-07-01 08:30 true"),
        ("{{ points + 1 }}", {"points": 3}, "4"),
        ("{{ 'many' if points > 3 else 'few' }}", {"points": 5}, "many"),
        ("{% if city in ['Nice', 'Lyon'] %}x{% endif %}\n", {"city": "Lyon"}, "x\n"),
        ("{{ first_name }}", {"first_name": "{{ last_name }}"}, "{{ last_name }}"),
        ("{# a note #}{% raw %}{{ x }}{% endraw %}", {}, "{{ x }}"),
    ],
)  # fmt: skip
def test_what_a_template_gives(source: str, values: dict[str, object], text: str) -> None:
    assert rendered(source, **values) == text


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("Hi {{ frst_name }}", (1, 7), "first_name"),
        ("a\nb {{ first_name }} {{ cty | upper }}", (2, 23), "city"),
        ("a\r\nb {{ nothing_like_it }}", (2, 6), "known: active"),
        ("{{ first_name | uper }}", (1, 1), "upper"),
        ("{{ first_name", (1, 1), "end of"),
        ("{% if city %}", (1, 1), "end of"),
        ("{{ birth_date | date('%999999d') }}", (1, 1), "date"),
        ("{{ birth_date | date(city) }}", (1, 1), "date"),
        ("{{ first_name | safe }}", (1, 1), "no filter"),
        ("{{ city | replace('a', 'aaaaaaaaaa') }}", (1, 1), "no filter"),
        ("{{ city is callable }}", (1, 1), "no test"),
        ("{% for one in city %}{{ one }}{% endfor %}", (1, 1), "loop"),
        ("{% for one in range(10 ** 9) %}x{% endfor %}", (1, 1), "loop"),
        ("{% macro x() %}{{ x() }}{% endmacro %}", (1, 1), "macro"),
        ("{% include 'secret' %}", (1, 1), "include"),
        ("{% set x = 1 %}", (1, 1), "assign"),
        ("{{ city.__class__.__mro__ }}", (1, 1), "inside"),
        ("{{ city['__class__'] }}", (1, 1), "inside"),
        ("{{ city.format(points) }}", (1, 1), "called"),
        ("{{ self }}", (1, 4), "self"),
        ("{{ cycler }} ", (1, 4), "cycler"),
        ("{{ 'x' * 1000000000 }}", (1, 1), "multiply"),
        ("{{ 10 ** 10 ** 10 }}", (1, 1), "pow"),
        ("{{ '%1000000000d' % 1 }}", (1, 1), "mod"),
        ("{{ " + "(" * 5000 + "city" + ")" * 5000 + " }}", (0, 0), "nested"),
        ("{% if city %}" * 200 + "{% endif %}" * 200, (0, 0), "nested"),
        ("{{ city }}" * (MOST_NAMES + 1), (0, 0), "at most"),
        ("x" * 200_001, (0, 0), "200,000"),
    ],
)
def test_what_is_refused_and_where(source: str, place: tuple[int, int], words: str) -> None:
    started = time.monotonic()
    faults = find_faults(source, KNOWN)
    assert time.monotonic() - started < 5
    assert faults
    assert all(fault.hint for fault in faults)
    assert any((one.line, one.column) == place and words in f"{one.message} {one.hint}" for one in faults), faults


def test_a_value_is_escaped_in_html_and_never_read_as_a_template() -> None:
    assert rendered("<p>{{ city }}</p>", html=True, city="<script>{{ 1 }}") == "<p>&lt;script&gt;{{ 1 }}</p>"
    assert rendered("{{ city | upper | escape }}", html=True, city="<i>") == "&lt;I&gt;"


def test_a_rendering_is_bounded() -> None:
    with pytest.raises(TooLarge):
        rendered("{{ city }}", city="x" * (MOST_VALUE + 1))
    with pytest.raises(TooLarge):
        rendered("{{ city }}" * 100, city="x" * MOST_VALUE)
    with pytest.raises(TooLarge):
        rendered("{{ city" + " | urlencode" * 60 + " }}", city="é" * MOST_VALUE)
    with pytest.raises(TooLarge):
        Template("{{ city }}").render({"city": "123"}, most=2)
    assert len(rendered("{{ city }}" * 15, city="x" * MOST_VALUE)) <= MOST_RENDERED


@pytest.mark.parametrize("source", ["{{ points + 1 }}", "{{ city + 1 }}", "{{ points > 3 }}", "{{ city - 1 }}"])
def test_what_values_do_not_bear_is_told_without_them(source: str) -> None:
    with pytest.raises(NotRendered) as told:
        rendered(source, city="canary", points=None)
    assert "canary" not in str(told.value)
    assert told.value.__cause__ is None


WORDS = """\
{ } % # | . ( ) [ ] ' _ = + - * ~ : , {{ }} {% %} for in if city endfor endif set macro range 999999999 ** upper loop
self __class__ points is x"""
SIGNS = st.sampled_from(WORDS.replace("\n", " ").split(" "))


@settings(max_examples=400, deadline=None)
@given(st.lists(SIGNS, max_size=25).map(" ".join), st.text(max_size=20))
def test_any_template_is_refused_or_rendered_quickly(source: str, value: str) -> None:
    started = time.monotonic()
    if not find_faults(source, KNOWN):
        try:
            found = Template(source).render({**dict.fromkeys(KNOWN), "city": value, "points": 3})
        except NotRendered:
            found = ""
        assert len(found) <= MOST_RENDERED
    assert time.monotonic() - started < 5


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_plain_text_and_values_come_out_as_they_are(text: str, value: str) -> None:
    shown = text.replace("{", "(").replace("\r\n", "\n").replace("\r", "\n")
    assert rendered(shown + "{{ city }}", city=value) == shown + value
