"""`symbolon condition`: what it says of a condition, and the two forms, there and back."""

from __future__ import annotations

import json

import pytest

WRITTEN = [
    "country = 'FR'",
    "country IN ('FR', 'DE') AND (years_old(birth_date) >= 18 OR NOT opt_out_email)",
    "named('Café \"à\" l''eau', email LIKE 'a!%%' ESCAPE '!') AND (country = 'FR') IS NOT NULL",
    "EXISTS (SELECT 1 FROM links WHERE last_seen >= '2026-01-31') EXCEPT in_audience('VIP')",
    "birth_date BETWEEN '1990-01-01' AND '2000-12-31'\n  -- a comment\n  AND city IS NOT NULL",
    "all_of(any_of(city = 'Paris'))",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_there_and_back_without_loss(shop, cli, tmp_path, text) -> None:
    canonical = json.loads(cli("condition", "check", "-", "--json", stdin=text.encode()).out or "{}")
    tree = cli("condition", "tree", text)
    if "VIP" in text:  # the forms can be had without the audience, the check wants it
        assert canonical == {}
    assert (tree.code, tree.err) == (0, "")
    (tmp_path / "rules.json").write_text(tree.out, encoding="utf-8")
    back = cli("condition", "text", tmp_path / "rules.json")
    assert (back.code, back.err) == (0, "")
    assert not canonical or back.out.strip("\n") == canonical["text"]
    assert cli("condition", "tree", "-", stdin=back.out.encode()).out == tree.out
    assert cli("condition", "text", "-", stdin=tree.out.encode()).out == back.out


def test_a_right_one_tells_what_it_needs(shop, cli) -> None:
    done = cli("condition", "check", "lower(country) = 'fr' AND birth_date < days_ago(30)")
    assert done.code == 0
    assert "columns: birth_date, country" in done.err
    told = json.loads(cli("condition", "check", "lower(country) = 'fr' AND birth_date < days_ago(30)", "--json").out)
    assert (told["columns"], told["functions"], told["uses_now"]) == (
        ["birth_date", "country"], ["days_ago", "lower"], True,
    )  # fmt: skip


def test_all_faults_at_once_with_their_places(shop, cli) -> None:
    wrong = cli("condition", "check", "emial = 'x'\n  AND years_old(country) > 1")
    assert wrong.code == 2
    assert "error[condition]: 1:1: there is no column `emial`" in wrong.err
    assert "2:17" in wrong.err
    assert "did you mean `email`?" in wrong.err
    told = json.loads(cli("condition", "check", "emial = 'x'", "--json").err)["error"]
    assert told["details"]["faults"][0]["column"] == 1
    assert cli("condition", "check", "in_audience('Nobody')").err.startswith("error[name.unknown]")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ('{"combinator": "and",\n "rules": [}', "2:12: this is no JSON"),
        ("[]", "$:1:1: this is no rule"),
        ('{"field": "city", "field": "email", "operator": "is null"}', '"field" stands twice'),
        ('{"combinator": "and", "rules": [{"field": "citi", "operator": "=", "value": "x"}]}', "$.rules[0]"),
        ('{"field": "city", "operator": "=", "value": NaN}', "NaN is no value of JSON"),
        ("[" * 100_000, "nested too deep"),
        ("", "1:1: this is no JSON"),
    ],
)
def test_a_tree_that_is_wrong(shop, cli, given, place) -> None:
    wrong = cli("condition", "text", "-", stdin=given.encode())
    assert wrong.code == 2
    assert wrong.err.startswith("error[condition]")
    assert place in wrong.err


def test_what_cannot_be_read(shop, cli) -> None:
    assert cli("condition", "text", "nothing.json").err.startswith("error[command.file]")
    assert cli("condition", "check", "-", stdin=b"\xff").err.startswith("error[command.usage]")
