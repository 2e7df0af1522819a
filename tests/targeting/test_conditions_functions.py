"""The registry of functions is honest: what it says is on the page, and what it mentions is what it writes."""

from __future__ import annotations

import os
from pathlib import Path

import condition_reference
import ibis
import pytest
from condition_oracle import CHOOSING, NOW
from condition_oracle import FUNCTIONS as REFERENCE

from symbolon.targeting.conditions import kinds
from symbolon.targeting.conditions.functions import FORMS, FUNCTIONS, Function

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "conditions.md"
COLUMNS = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "date": "date",
    "moment": kinds.UTC,
    "any": "string",
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_arguments_are_written_as_often_as_it_says(function: Function) -> None:
    for kind in {part for parameter in function.parameters for part in parameter.kind.split("|")} & {
        "text",
        "date",
        "moment",
    } or {""}:
        names, arguments = [], []
        for place, parameter in enumerate(function.parameters):
            wanted = parameter.kind.split("|")
            one = kind if kind in wanted else wanted[0]
            if one == "digits":
                arguments.append(ibis.literal(2))
            elif one == "condition":
                arguments.append(ibis.table({f"column_{place}": "boolean"}, name="t")[f"column_{place}"])
            else:
                names.append(f"column_{place}")
                arguments.append((names[-1], COLUMNS[one]))
        table = ibis.table(
            {**dict(one for one in arguments if isinstance(one, tuple)), "column_c": "boolean"}, name="t"
        )
        values = [table[one[0]] if isinstance(one, tuple) else one for one in arguments]
        values = [table.column_c if function.name == "iif" and place == 0 else one for place, one in enumerate(values)]
        statement = ibis.to_sql(table.select(value=function.compiled(values, NOW)), dialect="duckdb")
        times = max((statement.count(f'"{name}"') for name in names), default=0)
        assert times <= (3 if function.name == "decode" else function.mentions)


def test_every_function_has_a_reference() -> None:
    assert set(FUNCTIONS) == {*REFERENCE, *CHOOSING}


def test_every_function_is_reached_by_the_cases() -> None:
    from condition_cases import CONDITIONS, EXPRESSIONS, LINKED, SCHEMA

    from symbolon.targeting.conditions import parse_expression

    texts = [*CONDITIONS, *EXPRESSIONS]
    used = {name for text in texts for name in parse_expression(text, SCHEMA, linked=LINKED).functions}
    assert set(FUNCTIONS) - used == {"sha384", "sha512"}  # DuckDB has them not; the engine says so in `digests`


def test_the_page_is_what_the_registry_says() -> None:
    text = condition_reference.page(PAGE.read_text(encoding="utf-8"))
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "run the tests with UPDATE_GOLDEN=1"
    assert all(f"`{name}" in text for name in [*FUNCTIONS, *FORMS])
