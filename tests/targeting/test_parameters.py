"""Parameters: literals of their types, the same in a check, a plan and a run, and never read as anything else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_shop import members

from symbolon.cli.workflow_shown import public_run
from symbolon.targeting import read_workflow
from symbolon.targeting.conditions import ConditionError, parse_condition, parse_expression, parse_order
from symbolon.targeting.faults import WorkflowInvalid
from symbolon.targeting.parameters import filled, loaded, shown, stored

SCHEMA = {"country": "string", "age": "int64", "rate": "float64", "day": "date", "at": "timestamp('UTC')"}
INJECTED = ["x\nOR TRUE --", "' OR TRUE OR '", "= OR TRUE OR country =", "*/ OR TRUE /*", '" OR TRUE OR "', "#} OR {#"]


def refused(text: str, value: object) -> list[tuple[str, str, int]]:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCHEMA, parameters={"c": value})
    return [(one.message, one.hint, one.column) for one in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "where", "mend"),
    [
        ("country = 'NOWHERE' -- for ${c}", "comment", "out of the comment"),
        ("country = 'NOWHERE' /* for ${c} */", "comment", "out of the comment"),
        ("country = 'NOWHERE' {# for ${c} #}", "comment", "out of the comment"),
        ("country = '${c}'", "a text in quotes", "write ${c} without the quotes"),
        ("country = 'it''s ${c}'", "a text in quotes", "write ${c} without the quotes"),
        ('"${c}" = country', "a quoted name", "write ${c} without the quotes"),
    ],
)
@pytest.mark.parametrize("value", ["FR", *INJECTED])
def test_a_placeholder_in_quotes_or_a_comment_is_a_fault(text: str, where: str, mend: str, value: str) -> None:
    found = refused(text, value)
    at = text.index("${c}") + 1
    assert any(where in message and mend in hint and column == at for message, hint, column in found)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20) | st.sampled_from(INJECTED))
def test_a_text_is_bound_whole(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    for text in ("country = ${c}", "country=${c}", "country IN ('x', ${c})"):
        found = parse_condition(text, SCHEMA, parameters={"c": value})
        assert found.text == parse_condition(text.replace("${c}", quoted), SCHEMA).text


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("age > ${c}", -5, "age > -5"),
        ("age -${c} > 0", -5, "age - -5 > 0"),
        ("rate < ${c}", 1e-7, "rate < 1e-7"),
        ("(country IS NULL) = ${c}", True, "(country IS NULL) = TRUE"),
        ("day >= ${c}", date(2026, 7, 1), "day >= DATE '2026-07-01'"),
        ("at >= ${c}", datetime(2026, 7, 1, 8, 0, 0, 5, tzinfo=UTC), "at >= TIMESTAMP '2026-07-01 08:00:00.000005'"),
        ("country LIKE ${c}", "F%", "country LIKE 'F%'"),
        ("${c} IS NULL OR country = ${c}", "FR", "'FR' IS NULL OR country = 'FR'"),
    ],
)
def test_a_value_is_a_literal_of_its_type(text: str, value: object, written: str) -> None:
    assert parse_condition(text, SCHEMA, parameters={"c": value}).text == parse_condition(written, SCHEMA).text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    assert "finite" in refused("rate < ${c}", value)[0][0]


def test_a_parameter_without_a_value_is_a_null_of_any_type() -> None:
    for text in ("${c} IS NULL OR day >= ${c}", "country = ${c}", "age BETWEEN ${c} AND 9", "lower(${c}) = country"):
        assert "NULL" in parse_condition(text, SCHEMA, parameters={"c": None}).text


@pytest.mark.parametrize("text", ["country = ${d}", "country = ${}", "country = ${c d}", "country ${c} 'FR'", "${c"])
def test_what_is_no_parameter_is_a_fault(text: str) -> None:
    assert refused(text, "=")


def test_expressions_and_orders_take_parameters() -> None:
    values = {"c": "'x"}
    written = parse_expression("country || '''x'", SCHEMA).text
    assert parse_expression("country || ${c}", SCHEMA, parameters=values).text == written
    orders = parse_order("country || ${c} DESC", SCHEMA, parameters=values)
    assert [(one.expression.text, one.descending) for one in orders] == [(written, True)]


def test_conditions_without_parameters_leave_texts_alone() -> None:
    assert parse_condition("country = '${c}'", SCHEMA).text == "country = '${c}'"


BEGUN = """\
name: begun
activities:
  - {id: begin, type: external_signal, parameters: {c: {type: text, required: true}}}
  - {id: chosen, type: query, from: begin, where: "WHERE"}
  - {id: save, type: save_audience, from: chosen, audience: Chosen}
"""


@pytest.mark.parametrize("where", ["country = 'NOWHERE' -- for ${c}", "country = '${c}'", "country = ${c}"])
def test_a_run_never_reads_a_value_as_a_condition(shop, where: str) -> None:
    workflow = shop.workflows.read(BEGUN.replace("WHERE", where))
    if where.endswith("= ${c}"):
        shop.workflows.run(workflow, {"c": INJECTED[0]})
        assert members(shop, "Chosen") == set()
        return
    for value in INJECTED:
        with pytest.raises(WorkflowInvalid, match="has no place"):
            shop.workflows.run(workflow, {"c": value})


TIMED = """\
name: timed
activities:
  - id: begin
    type: external_signal
    parameters: {at: {type: moment, required: true}, day: {type: date}, n: {type: integer, default: 7}}
  - {id: chosen, type: query, from: begin, where: "last_changed_at >= ${at} OR external_id = 'P001'"}
  - {id: again, type: query, from: chosen, where: "${day} IS NULL OR ${day} > DATE '2020-01-01'"}
  - {id: save, type: save_audience, from: again, audience: "Since ${at} ${n}"}
"""
moments = st.datetimes(timezones=st.timezones(), min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001


@given(moments, st.none() | st.dates(), st.integers(-9, 9))
def test_what_is_kept_with_a_run_is_read_again_as_it_was(at: datetime, day: date | None, number: int) -> None:
    workflow = read_workflow(TIMED)
    values = filled(workflow, {"at": at.isoformat(), "day": day, "n": str(number)})
    assert values == {"at": at.astimezone(UTC), "day": day, "n": number}
    assert loaded(workflow, json.loads(json.dumps(stored(values)))) == values
    assert ":" not in shown(values["at"])
    assert datetime.fromisoformat(shown(values["at"])) == values["at"]


def test_a_check_a_plan_and_a_run_see_the_same_moment(shop) -> None:
    workflow = shop.workflows.read(
        TIMED.replace("last_changed_at", "${at}").replace("OR external_id", "AND external_id")
    )
    given_ = {"at": "2026-01-01T02:30:00+02:00"}
    plan = shop.workflows.plan(workflow, given_)
    assert plan.activities[-1].facts["audience"] == "Since 20260101T003000Z 7"
    run = shop.workflows.run(workflow, given_)
    assert run.facts["parameters"] == {"at": "2026-01-01T00:30:00Z", "day": None, "n": 7}
    assert members(shop, "Since 20260101T003000Z 7") == {"P001"}


TESTED = """\
name: tested
activities:
  - id: begin
    type: external_signal
    parameters: {day: {type: date}, at: {type: moment}, rate: {type: number}, land: {type: text}}
  - {id: people, type: query, from: begin}
  - id: which
    type: test
    from: people
    branches:
      - {name: old, if: "day < DATE '2020-01-01'"}
      - {name: late, if: "at >= TIMESTAMP '2026-01-01 00:00:00' AND rate > 0.5"}
      - {name: none, if: "day IS NULL AND at IS NULL AND rate IS NULL AND land IS NULL AND ${at} IS NULL"}
  - {id: end, type: end, from: which.old}
"""


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ({"day": "2019-12-31"}, "old"),
        ({"at": "2026-01-01T01:00:00+01:00", "rate": "0.75"}, "late"),
        ({"at": "2026-01-01T00:00:00+01:00", "rate": "0.75"}, "else"),
        ({}, "none"),
    ],
)
def test_a_test_looks_at_parameters_by_their_types(shop, values: dict[str, str], taken: str) -> None:
    plan = shop.workflows.plan(shop.workflows.read(TESTED), values)
    assert {one.id: one.facts for one in plan.activities}["which"]["taken"] == taken


def test_a_run_tests_a_date(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(TESTED), {"day": "2019-12-31"})
    assert {one.step: one.facts for one in shop.workflows.steps(run.id)}["which"]["told"]["taken"] == "old"


TWICE = """\
name: twice
activities:
  - {id: begin, type: external_signal, parameters: {land: {type: text, required: true}}}
  - {id: people, type: query, from: begin, where: "country = ${land}"}
  - id: approval
    type: external_signal
    from: people
    parameters: {least: {type: integer, required: true}, by: {type: text, default: nobody}}
  - {id: chosen, type: query, from: approval, where: "length(external_id) >= ${least}"}
"""


def test_each_signal_is_asked_for_its_own_parameters(shop, monkeypatch) -> None:
    workflow = shop.workflows.read(TWICE)
    assert filled(workflow, {"land": "FR"}) == {"land": "FR", "least": None, "by": "nobody"}
    assert filled(workflow, {"least": "3"}, activity="approval") == {"least": 3, "by": "nobody"}
    for given_, activity in (({"least": 3}, ""), ({"by": "me"}, "approval"), ({"least": 3, "land": "FR"}, "approval")):
        with pytest.raises(WorkflowInvalid):
            filled(workflow, given_, activity=activity)
    assert shop.workflows.plan(workflow, {"land": "FR"}).activities[-1].transitions[0].rows == 0
    shop.workflows.submit(workflow, {"land": "FR"})
    (run,) = shop.workflows.runs()
    monkeypatch.setattr(shop.workflows, "_is_begun", lambda _: True)
    sent = []
    monkeypatch.setattr(shop.workflows.durable, "signal", lambda *told: sent.append(told))
    shop.workflows.signal("twice", "approval", {"least": "3"})
    assert sent == [(run.id, "approval", {"least": 3, "by": "nobody"})]


def test_one_name_has_one_type() -> None:
    with pytest.raises(WorkflowInvalid, match="of type text already"):
        filled(
            read_workflow(TWICE.replace("by: {type: text, default: nobody}", "land: {type: integer}")), {"land": "FR"}
        )


@pytest.mark.parametrize("kind", ["text", "integer", "number", "boolean", "date", "moment"])
def test_a_check_stands_in_for_what_has_no_default(shop, kind: str) -> None:
    column = {"date": "birth_date", "moment": "now()", "text": "email", "boolean": "opt_out_email"}.get(kind, "1")
    where = f"{column} = ${{c}}"
    text = BEGUN.replace("{type: text, required: true}", f"{{type: {kind}}}").replace("WHERE", where)
    shop.workflows.check(shop.workflows.read(text))
    shop.workflows.plan(shop.workflows.read(text))


def test_texts_of_parameters_are_not_shown(shop) -> None:
    workflow = shop.workflows.read(
        TWICE.replace("{land: {type: text, required: true}}", "{land: {}, n: {type: integer}}")
    )
    run = shop.workflows.submit(workflow, {"land": "hidden@example.com", "n": 5})
    told = public_run(run, [])
    assert told is not None
    assert told["parameters"] == {"land": "***", "n": 5, "least": None, "by": "***"}
    assert "hidden" not in str(told)
