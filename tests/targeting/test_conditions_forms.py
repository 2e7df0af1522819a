"""Text, tree and rules are three forms of one condition: nothing is lost between them."""

from __future__ import annotations

import json

import condition_strategies as by_chance
import pytest
from condition_cases import CONDITIONS, EXPRESSIONS, LINKED, SCHEMA
from hypothesis import HealthCheck, given, settings

from symbolon.targeting.conditions import (
    Condition,
    condition_from_tree,
    condition_to_tree,
    parse_condition,
    parse_expression,
)
from symbolon.targeting.conditions.rendering import render

MANY = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def parsed(text: str) -> Condition:
    return parse_condition(text, SCHEMA, linked=LINKED)


@MANY
@given(by_chance.conditions())
def test_a_tree_survives_its_text_and_its_rules(tree) -> None:
    text = render(tree)
    condition = parsed(text)
    assert condition.tree == tree
    assert condition.text == text
    rules = condition_to_tree(condition)
    again = condition_from_tree(json.loads(json.dumps(rules)), SCHEMA, linked=LINKED)
    assert again == condition
    assert condition_to_tree(again) == rules


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_text_is_stable_after_one_reading(text: str) -> None:
    condition = parsed(text)
    assert parsed(condition.text) == condition
    rules = condition_to_tree(condition)
    assert rules["combinator"] in {"and", "or", "except"}
    assert condition_from_tree(rules, SCHEMA, linked=LINKED) == condition


def test_an_expression_is_stable_after_one_reading() -> None:
    for text in EXPRESSIONS:
        expression = parse_expression(text, SCHEMA, linked=LINKED)
        assert parse_expression(expression.text, SCHEMA, linked=LINKED) == expression


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a AND b OR NOT c", "(a AND b) OR NOT c"),
        ("(a AND b) AND c", "(a AND b) AND c"),
        ("((a)) AND ((b AND c))", "a AND (b AND c)"),
        ("NOT NOT a", "a"),
        ("not ( x = 1 )", "NOT (x = 1)"),
        ("NOT x = 1 AND x!=2 AND x==3", "NOT (x = 1) AND x <> 2 AND x = 3"),
        ("x not in (1,-2) -- two\n/* three */ or a", "x NOT IN (1, -2) OR a"),
        ("except(a, b, c)", "a EXCEPT b EXCEPT c"),
        ("a AND except(b, c)", "a AND (b EXCEPT c)"),
        ("any_of(a, b) and all_of(a)", "(a OR b) AND all_of(a)"),
        ("s || s || 'x' = concat(s, s)", "concat(s, s, 'x') = concat(s, s)"),
        ("(x - 1) - (x - 1) * 2 / (3 / 4) > -x", "x - 1 - (x - 1) * 2 / (3 / 4) > 0 - x"),
        ("S = 'it''s' AND \"s\" = '\"'", "s = 'it''s' AND s = '\"'"),
        ('"end" = 1 AND "A b" = 2 AND date = 3', '"end" = 1 AND "A b" = 2 AND date = 3'),
        ("d = '2026-01-31' AND m > '2026-01-31'", "d = DATE '2026-01-31' AND m > TIMESTAMP '2026-01-31 00:00:00'"),
        ("m < '2026-01-31T10:00:00.5+02:00'", "m < TIMESTAMP '2026-01-31 08:00:00.500000'"),
        ("NAMED('A', a)", "named('A', a)"),
        ("(a = TRUE) = (b = FALSE)", "(a = TRUE) = (b = FALSE)"),
        ("exists (select * from T where v is not null)", "EXISTS (SELECT 1 FROM t WHERE v IS NOT NULL)"),
    ],
)
def test_the_canonical_text(text: str, written: str) -> None:
    schema = {
        **dict.fromkeys("abc", "boolean"), "x": "int64", "s": "string", "d": "date", "m": "timestamp('UTC')",
        "end": "int64", "A b": "int64", "date": "int64",
    }  # fmt: skip
    linked = {"t": {"v": "string"}}
    condition = parse_condition(text, schema, linked=linked)
    assert condition.text == written
    assert parse_condition(written, schema, linked=linked) == condition


def test_rules_as_the_builder_shows_them() -> None:
    rules = {
        "combinator": "and",
        "rules": [
            {"field": "country", "operator": "in", "value": ["FR", "DE"]},
            {"field": "email", "operator": "is not null"},
            {"expression": "years_old(birth_date) >= 18", "name": "Adults"},
            {
                "combinator": "or",
                "rules": [
                    {"field": "points", "operator": ">=", "value": 100},
                    {"field": "birth_date", "operator": "between", "value": ["2000-01-01", "2000-12-31"]},
                    {"field": "created", "operator": "<", "value": "2026-01-31T10:00:00Z"},
                    {"field": "email", "operator": "not like", "value": "50!%%", "escape": "!"},
                    {"field": "email", "operator": "starts with", "value": "a"},
                ],
                "not": True,
                "name": "Rare",
            },
            {"exists": {"table": "links", "where": {"field": "last_seen", "operator": "is null"}}, "not": True},
            {"audience": "VIP"},
            {"field": "opt_out", "operator": "is true", "not": True},
            {"combinator": "or", "rules": [{"field": "country", "operator": "is empty"}]},
        ],
    }
    condition = condition_from_tree(rules, SCHEMA, linked=LINKED)
    assert condition_to_tree(condition) == rules
    assert condition.text == (
        "country IN ('FR', 'DE') AND email IS NOT NULL AND named('Adults', years_old(birth_date) >= 18) AND "
        "named('Rare', NOT (points >= 100 OR birth_date BETWEEN DATE '2000-01-01' AND DATE '2000-12-31' OR "
        "created < TIMESTAMP '2026-01-31 10:00:00' OR email NOT LIKE '50!%%' ESCAPE '!' OR starts_with(email, 'a'))) "
        "AND NOT EXISTS (SELECT 1 FROM links WHERE last_seen IS NULL) AND in_audience('VIP') AND NOT opt_out AND "
        "any_of(is_empty(country))"
    )
    assert condition.linked == {"links"}
    assert condition.audiences == {"VIP"}
    assert condition.columns == {"country", "email", "birth_date", "points", "created", "opt_out"}
    assert condition.uses_now
    assert condition.digests == frozenset()


def test_spellings_of_rules() -> None:
    rules = {"combinator": "AND", "rules": [{"field": "points", "operator": "!=", "value": 1}], "not": False}
    assert condition_from_tree(rules, SCHEMA).text == "all_of(points <> 1)"
    assert condition_from_tree({"field": "points", "operator": "==", "value": -1.5}, SCHEMA).text == "points = -1.5"
    one = {"combinator": "and", "rules": [{"audience": "VIP"}]}
    assert condition_to_tree(condition_from_tree(one, SCHEMA)) == one
