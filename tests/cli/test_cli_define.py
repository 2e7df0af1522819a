"""`symbolon audience create|edit|freeze|count|expire`: rules as a person types them, and what only the type allows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

import symbolon as package


@pytest.fixture
def people(shop, cli, tmp_path):
    rows = "".join(f"D{number},d{number}@example.com,{'LI' if number % 2 else 'SM'}\n" for number in range(6))
    (tmp_path / "people.csv").write_text("external_id,email,country\n" + rows)
    assert cli("profiles", "import", tmp_path / "people.csv").code == 0
    return shop


def shown(cli, *arguments) -> dict:
    result = cli("audience", *arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_rule_is_planned_made_and_changed(people, cli):
    planned = cli("audience", "create", "odd", "--where", "country = 'LI'", "--plan")
    assert planned.code == 0
    assert "PLAN: nothing was written" in planned.out
    assert "odd would have 3 members" in planned.out
    assert cli("audience", "show", "odd").code == 2
    made = cli("audience", "create", "odd", "--where", "country = 'LI'", "--description", "By lot")
    assert "odd has 3 members" in made.out
    assert "next: symbolon audience members odd" in made.err
    page = cli("audience", "show", "odd").out
    for text in ("query", "country = 'LI'", "By lot", "counted"):
        assert text in page
    assert "received" not in page  # a rule is no delivery
    facts = shown(cli, "edit", "odd", "--where", "country = 'SM' OR external_id = 'D1'", "--plan")
    assert facts == {"name": "odd", "members": 4, "added": 3, "removed": 2, "plan": True}
    facts = shown(cli, "edit", "odd", "--where", "country = 'SM' OR external_id = 'D1'")
    assert (facts["version"], facts["members"], facts["added"], facts["removed"], facts["plan"]) == (2, 4, 3, 2, False)
    members = cli("audience", "members", "odd", "--columns", "external_id").out.split()
    assert members == ["external_id", "D0", "D1", "D2", "D4"]
    assert "4 members" in cli("audience", "count", "odd").out
    assert shown(cli, "count", "odd")["members"] == 4
    assert next(one["rule"] for one in shown(cli, "list") if one["name"] == "odd").startswith("country = 'SM'")


def test_a_rule_is_frozen(people, cli):
    cli("audience", "create", "odd", "--where", "country = 'LI'")
    assert "PLAN" in cli("audience", "freeze", "odd", "--plan").out
    assert cli("audience", "show", "odd-frozen").code == 2
    assert shown(cli, "freeze", "odd")["members"] == 3
    assert "kept has 3 members" in cli("audience", "freeze", "odd", "--to", "kept").out
    cli("audience", "edit", "odd", "--where", "external_id = 'D1'")
    again = cli("audience", "freeze", "odd", "--to", "kept")
    assert "0 join, 2 leave" in again.out
    assert cli("audience", "diff", "kept", "--columns", "external_id").out.split() == [
        "change,external_id", "removed,D3", "removed,D5",
    ]  # fmt: skip
    refused = cli("audience", "edit", "kept", "--where", "TRUE")
    assert (refused.code, "only a Query audience has a rule" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("create", "new"), "command.usage", "--where"),
        (("create", "new", "--where", "contry = 'LI'"), "condition", "`country`"),
        (("create", "new", "--where", "TRUE; DROP TABLE x"), "condition", ""),
        (("create", "new", "--where", "in_audience('nobody')"), "name.unknown", "nobody"),
        (("create", "there", "--where", "TRUE"), "conflict.name", "there"),
        (("edit", "there"), "command.usage", "nothing is to be changed"),
        (("edit", "there", "--expires", "tomorrow"), "command.usage", "--expires 2099-12-31"),
        (("edit", "there", "--expires", "2020-01-01"), "audience.expiry", "has passed"),
        (("edit", "ther", "--description", "x"), "name.unknown", "`there`"),
        (("freeze", "ther"), "name.unknown", "`there`"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(people, cli, arguments, code, told):
    cli("audience", "create", "there", "--where", "country = 'LI'")
    before = cli("audience", "list", "--json").out
    result = cli("audience", *arguments)
    assert result.code == 2
    assert f"error[{code}]" in result.err
    assert told in result.err
    assert cli("audience", "list", "--json").out == before


def test_expiry(people, cli):
    cli("audience", "create", "there", "--where", "country = 'LI'", "--expires", "2099-12-31")
    assert shown(cli, "show", "there")["expires"].startswith("2099-12-31T00:00:00")
    assert "there is changed" in cli("audience", "edit", "there", "--expires", "never", "--description", "d").out
    facts = shown(cli, "show", "there")
    assert (facts["expires"], facts["description"]) == (None, "d")
    assert "no audience has expired" in cli("audience", "expire").err
    with package.open() as project:
        audience = project.store.audience("there")
        project.store.update_audience(msgspec.structs.replace(audience, expires=datetime(2020, 1, 1, tzinfo=UTC)))
    assert "there would be deleted" in cli("audience", "expire", "--plan").out
    assert shown(cli, "expire", "--plan") == {"deleted": ["there"], "plan": True}
    assert "there is deleted" in cli("audience", "expire").out
    assert cli("audience", "show", "there").code == 2
