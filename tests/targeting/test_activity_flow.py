"""External signal, wait, fork, join, test and end: what goes on, over which transition, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from flow_context import NOW, apply, opened, options
from hypothesis import given
from hypothesis import strategies as st

from symbolon.targeting.activities._errors import SignalRefused
from symbolon.targeting.activities.external_signal import typed_parameters
from symbolon.targeting.kinds import known
from symbolon.targeting.parameters import MOST_BYTES, stored

PARAMETERS = {
    "country": {"type": "text", "required": True},
    "limit": {"type": "integer", "default": 1000},
    "rate": {"type": "number"},
    "dry": {"type": "boolean"},
    "day": {"type": "date"},
    "at": {"type": "moment"},
}


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        yield flow


def declared(parameters=PARAMETERS):
    return options("external_signal", parameters=parameters).parameters


def test_parameters_are_read_by_their_types() -> None:
    values = {
        "country": "FR",
        "limit": "5",
        "rate": "0.5",
        "dry": "yes",
        "day": "2026-07-01",
        "at": "2026-07-01T08:00:00+02:00",
    }
    assert typed_parameters(declared(), values) == {
        "country": "FR",
        "limit": 5,
        "rate": 0.5,
        "dry": True,
        "day": date(2026, 7, 1),
        "at": datetime(2026, 7, 1, 6, tzinfo=UTC),
    }
    assert typed_parameters(declared(), {"country": ""}) == {"country": "", "limit": 1000}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(given_=st.dictionaries(st.sampled_from([*PARAMETERS, "other"]), json_values))
def test_a_signal_is_read_whole_or_refused_and_no_value_is_told(given_: dict[str, object]) -> None:
    refused = ""
    try:
        values = typed_parameters(declared(), {**given_, "country": "secret-value"})
    except SignalRefused as error:
        refused = str(error)
    if refused:
        assert "secret-value" not in refused
        return
    assert "other" not in given_
    assert typed_parameters(declared(), values) == values
    json.dumps(stored(values), allow_nan=False)
    assert typed_parameters(declared(), stored(values)) == values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "`country` is missing"),
        ({"country": "FR", "contry": "FR"}, "`contry` isn't declared (did you mean `country`?)"),
        ({"country": 5}, "`country` is no text"),
        ({"country": "FR", "limit": True}, "`limit` is no integer"),
        ({"country": "FR", "limit": 2**63}, "`limit` is no integer"),
        ({"country": "FR", "limit": 1.5}, "`limit` is no integer"),
        ({"country": "FR", "rate": float("inf")}, "`rate` is no number"),
        ({"country": "FR", "day": "2026-07-01T00:00:00"}, "`day` is no date"),
        ({"country": "FR", "at": "now"}, "`at` is no moment"),
        ({"country": "FR", "dry": "maybe", "rate": "x"}, "`rate` is no number"),
    ],
)
def test_what_a_signal_must_not_hold_is_told(values: dict[str, object], said: str) -> None:
    with pytest.raises(SignalRefused) as refused:
        typed_parameters(declared(), values)
    assert said in str(refused.value)


def test_a_signal_has_at_most_64_kibibytes() -> None:
    fits = {"country": "x" * (MOST_BYTES - len('{"country":""}'))}
    assert typed_parameters(declared(), fits)["country"] == fits["country"]
    with pytest.raises(SignalRefused, match="65,537 bytes"):
        typed_parameters(declared(), {"country": fits["country"] + "x"})
    with pytest.raises(SignalRefused):
        typed_parameters(declared(), {"country": object()})


def test_a_run_begins_with_its_parameters(flow) -> None:
    context = flow.context(parameters={"country": "FR"})
    assert apply("external_signal", context, parameters=PARAMETERS) == {"result": None}
    assert context.topics == []
    with pytest.raises(SignalRefused):
        apply("external_signal", flow.context(parameters={"land": "FR"}), parameters=PARAMETERS)


def test_a_run_waits_for_its_signal(flow) -> None:
    inbound = flow.people()
    context = flow.context(inputs=[inbound], signal={"country": "FR"}, activity="approval")
    assert apply("external_signal", context, parameters=PARAMETERS, timeout="2d") == {"result": inbound}
    assert context.topics == [("approval", 172_800.0)]
    assert context.facts == {"received": True, "parameters": ["country", "limit"]}
    context = flow.context(inputs=[inbound])
    assert apply("external_signal", context, parameters=PARAMETERS, timeout="2d") == {"timeout": inbound}
    with pytest.raises(SignalRefused):
        apply("external_signal", flow.context(inputs=[inbound], signal={"limit": 1}), parameters=PARAMETERS)
    context = flow.plan(inputs=[inbound])
    assert apply("external_signal", context, parameters=PARAMETERS, timeout="2d") == {"result": inbound}


def test_faults_of_a_signal_are_told(flow) -> None:
    context = flow.check()
    wrong = {"Bad": {}, "count": {}, "n": {"type": "integer", "default": "x"}, "r": {"required": True, "default": "x"}}
    outcome = apply("external_signal", context, parameters=wrong, timeout="soon")
    assert context.paths == [
        "parameters.Bad",
        "parameters.count",
        "parameters.n.default",
        "parameters.r.required",
        "timeout",
    ]
    assert outcome == {"result": None, "timeout": None}


def test_a_wait_counts_from_the_arrival_and_keeps_its_end(flow) -> None:
    inbound = flow.people()
    context = flow.context(inputs=[inbound], now=NOW - timedelta(days=300))
    before = datetime.now(UTC)
    assert apply("wait", context, **{"for": "1d12h"}) == {"result": inbound}
    assert before + timedelta(hours=36) <= context.waited[0] <= datetime.now(UTC) + timedelta(hours=36)
    # what was kept before the crash is taken, not the clock
    kept = flow.project.engine.relation(pa.table({"moment": pa.array([NOW], pa.timestamp("us", tz="UTC"))}))
    context = flow.context()
    context.keep = lambda _relation, _name: kept
    apply("wait", context, **{"for": "2h"})
    assert context.waited == [NOW]


def test_a_wait_until_a_moment(flow) -> None:
    for until in ("2026-07-02T10:00:00+02:00", datetime(2026, 7, 2, 8, tzinfo=UTC), "${when}"):
        context = flow.context(parameters={"when": "2026-07-02T08:00:00Z"})
        assert apply("wait", context, until=until) == {"result": None}
        assert context.waited == [datetime(2026, 7, 2, 8, tzinfo=UTC)]
    context = flow.plan()
    apply("wait", context, until="2026-07-02T08:00:00Z")
    assert context.waited == []


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({}, [""]),
        ({"for": "2h", "until": "2026-07-01"}, [""]),
        ({"for": "soon"}, ["for"]),
        ({"for": "20y"}, ["for"]),
        ({"until": "soon"}, ["until"]),
        ({"until": 5}, ["until"]),
    ],
)
def test_faults_of_a_wait_are_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check()
    assert apply("wait", context, **values) == {"result": None}
    assert context.paths == paths


def test_a_fork_gives_the_same_to_all(flow) -> None:
    inbound = flow.people()
    assert apply("fork", flow.context(inputs=[inbound])) == {"first": inbound, "second": inbound}
    names = ["mail", "paper", "sms"]
    assert apply("fork", flow.context(inputs=[inbound]), transitions=names) == dict.fromkeys(names, inbound)
    assert apply("fork", flow.context()) == {"first": None, "second": None}
    for wrong, paths in ((["one"], ["transitions"]), (["a", "a", "B"], ["transitions[1]", "transitions[2]"])):
        context = flow.check()
        apply("fork", context, transitions=wrong)
        assert context.paths == paths


def test_a_join_gives_the_primary_population(flow) -> None:
    one, two = flow.people(), flow.people("city")
    assert apply("join", flow.context(inputs=[one, two])) == {"result": one}
    assert apply("join", flow.context(inputs=[one, two]), primary=2) == {"result": two}
    assert apply("join", flow.context()) == {"result": None}
    context = flow.context(inputs=[one])
    assert apply("join", context, primary=2) == {"result": one}
    assert len(context.warnings) == 1


BRANCHES = [
    {"name": "many", "if": "count > 100"},
    {"name": "french", "if": "count > 5 and country == 'FR'"},
    {"name": "some", "if": "count > 0 and count_2 > 0"},
]


@pytest.mark.parametrize(
    ("rows", "second", "country", "taken"),
    [(101, 0, "FR", "many"), (6, 1, "FR", "french"), (6, 1, "DE", "some"), (6, 0, "DE", "else"), (0, 1, "FR", "else")],
)
def test_the_first_true_branch_is_taken(flow, rows: int, second: int, country: str, taken: str) -> None:
    inputs = [flow.rows(pa.table({"n": list(range(size))}, pa.schema([("n", pa.int64())]))) for size in (rows, second)]
    for mode in (flow.context, flow.plan):
        context = mode(inputs=inputs, parameters={"country": country})
        assert apply("test", context, branches=BRANCHES) == {taken: inputs[0]}
        assert context.facts == {"taken": taken}
    assert not context.faults


def test_a_test_without_else_may_take_nothing(flow) -> None:
    context = flow.context(inputs=[flow.people()])
    assert apply("test", context, branches=[{"name": "none", "if": "count > 100"}], **{"else": ""}) == {}
    assert context.facts == {"taken": None}


def test_a_test_needs_no_population(flow) -> None:
    context = flow.context(parameters={"country": "FR"})
    taken = apply("test", context, branches=[{"name": "yes", "if": "country == 'FR'"}])
    assert taken == {"yes": None}


def test_a_check_of_a_test_gives_all_branches_and_all_faults(flow) -> None:
    inbound = flow.people()
    context = flow.check(inputs=[inbound], parameters={"country": ""})
    assert set(apply("test", context, branches=BRANCHES[:2])) == {"many", "french", "else"}
    context = flow.check(inputs=[inbound])
    apply("test", context, branches=[{"name": "A", "if": "cuont > 1"}, {"name": "else", "if": "count > 1"}])
    assert context.paths == ["branches[0].name", "else", "branches[0].if"]
    context = flow.check(inputs=[inbound])
    apply("test", context, branches=[])
    assert context.paths == ["branches"]


def test_an_end_gives_nothing_on(flow) -> None:
    assert apply("end", flow.context(inputs=[flow.people()])) == {}
    assert known()["end"].outputs(None) == []
