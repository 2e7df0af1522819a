"""Save audience: what is asked of the library, who goes on, and that doing it again saves nothing twice."""

from __future__ import annotations

from datetime import date

import ibis
import pyarrow as pa
import pytest
from flow_context import apply, fetch, opened, visitor_source

from symbolon.errors import UnknownNameError
from symbolon.targeting.activities._errors import PathRefused
from symbolon.targeting.population import UNKNOWN, VISITOR, Population
from symbolon.targeting.publishing import Content, SaveMode, ShareMode

SHARE = {"mode": "share", "audience": "Readers", "source": "web", "segment": 4711, "to": "partner/in"}


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        flow.library.sources["web"] = visitor_source()
        yield flow


def save(flow, kind="context", inbound=None, **values):
    context = getattr(flow, kind)(inputs=[inbound or flow.people("city")], parameters={"country": "fr"})
    return context, apply("save_audience", context, **values)


def members(flow, name: str) -> list[int]:
    return sorted(flow.library.audiences[name][1]["profile_id"].to_pylist())


def test_the_request_says_what_was_asked_for(flow) -> None:
    context, outcome = save(flow, audience="${country} readers", content="replace", description="x", expires="30d")
    request = flow.library.requests[0]
    assert (request.audience, request.mode, request.content) == (
        "fr readers",
        SaveMode.CREATE_OR_UPDATE,
        Content.REPLACE,
    )
    assert (request.expires, request.description, request.workflow) == (date(2026, 7, 31), "x", "flow")
    assert request.run_id == "run-1/step"
    assert outcome["result"] is context.inputs[0]
    assert context.facts["audience"] == "fr readers"
    assert context.facts["receipt"]["members"] == 7
    assert not context.faults
    assert flow.library.audiences["fr readers"][1].column_names == ["profile_id", "city"]


def test_doing_it_again_after_a_crash_saves_nothing_twice(flow) -> None:
    for values in ({"content": "complete"}, {"mode": "create_unique"}):
        for _ in range(2):
            context = flow.context(inputs=[flow.people()], activity=str(len(values)) + next(iter(values)))
            apply("save_audience", context, audience="Readers", **values)
    assert len(flow.library.audiences) == 2
    assert len(members(flow, "Readers")) == 7
    # another run completes it again
    apply("save_audience", flow.context(inputs=[flow.people()], run_id="run-2"), audience="Readers", content="complete")
    assert len(members(flow, "Readers")) == 14


def test_rows_that_nobody_reconciled_make_a_file_audience(flow) -> None:
    rows = flow.rows(pa.table({"email": ["a@b.example"]}))
    save(flow, inbound=rows, audience="Raw")
    assert flow.library.audiences["Raw"][0].dimension == UNKNOWN


def test_updating_what_is_not_there_stops_the_run_and_is_warned_of(flow) -> None:
    context = flow.check(inputs=[flow.people()])
    apply("save_audience", context, audience="Nobody", mode="update")
    assert not context.faults
    assert len(context.warnings) == 1
    with pytest.raises(UnknownNameError):
        apply("save_audience", flow.context(inputs=[flow.people()]), audience="Nobody", mode="update")


def test_completing_a_file_audience_with_people_is_a_fault_and_replacing_it_none(flow) -> None:
    flow.library.put("Raw", pa.table({"email": ["a@b.example"]}), UNKNOWN)
    context = flow.check(inputs=[flow.people()])
    apply("save_audience", context, audience="Raw", content="complete")
    assert context.paths == ["content"]
    context = flow.check(inputs=[flow.people()])
    apply("save_audience", context, audience="Raw")
    assert not context.faults
    assert flow.library.audience("Raw").dimension == UNKNOWN
    apply("save_audience", flow.context(inputs=[flow.people()]), audience="Raw")
    assert flow.library.audience("Raw").dimension == "profile"


def test_sharing_gives_on_exactly_those_who_were_shared(flow) -> None:
    number = flow.id_of("C1")
    flow.library.ids = {number: ["1"], flow.id_of("C2"): ["2"]}
    for _ in range(2):
        context = flow.context(inputs=[flow.people("external_id")])
        outcome = apply("save_audience", context, **SHARE, share_mode="sync", max_shrink="20%")
        shared = fetch(context, outcome["result"])
        assert sorted(one["external_id"] for one in shared) == ["C1", "C2"]
        lacking = fetch(context, outcome["complement"])
        assert sorted(one["profile_id"] for one in lacking) == sorted(
            one["profile_id"] for name, one in flow.profiles().items() if name not in ("C1", "C2")
        )
        assert {one["reason"] for one in lacking} == {"no_id"}
    assert flow.library.shared == {"Readers": {number, flow.id_of("C2")}}
    request = flow.library.requests[-1]
    assert (request.mode, request.segment, request.max_shrink, request.run_id) == (
        ShareMode.SYNC,
        "4711",
        0.2,
        "run-1/step",
    )
    assert context.facts["receipt"]["shared"] == 2


def test_a_plan_saves_and_shares_nothing(flow) -> None:
    context, _ = save(flow, "plan", audience="Readers")
    assert context.facts["receipt"]["members"] == 7
    context = flow.plan(inputs=[flow.people()])
    apply("save_audience", context, **SHARE)
    assert context.facts["receipt"]["population"] == 7
    assert flow.library.audiences == {}
    assert flow.library.shared == {}
    assert {request.run_id for request in flow.library.requests} == {""}


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"audience": " "}, ["audience"]),
        ({"audience": "x" * 201}, ["audience"]),
        ({"audience": "a\nb"}, ["audience"]),
        ({"audience": "x", "mode": "create_unique", "content": "complete"}, ["content"]),
        ({"audience": "x", "expires": "soon"}, ["expires"]),
        ({"audience": "x", "source": "web", "force": True}, ["source", "force"]),
        ({**SHARE, "content": "replace", "expires": "3d"}, ["content", "expires"]),
        ({**SHARE, "source": "", "segment": "", "to": " "}, ["", "", ""]),
        ({**SHARE, "max_shrink": "500%"}, ["max_shrink"]),
        ({**SHARE, "max_shrink": "few"}, ["max_shrink"]),
        ({**SHARE, "max_shrink": 1}, ["max_shrink"]),
        ({**SHARE, "max_shrink": "1"}, ["max_shrink"]),
        ({**SHARE, "max_shrink": 50}, ["max_shrink"]),
        ({**SHARE, "source": "wbe"}, ["source"]),
    ],
)
def test_every_fault_is_told(flow, values: dict[str, object], paths: list[str]) -> None:
    context = flow.check(inputs=[flow.people()])
    outcome = apply("save_audience", context, **values)
    assert context.paths == paths
    assert all(hint for _, _, hint in context.faults)
    assert "result" in outcome
    assert flow.library.requests == []


def test_ids_are_no_audience_and_rows_are_not_shared(flow) -> None:
    ids = Population(flow.people().relation.mutate(id=ibis.literal("1")), VISITOR, "web")
    for values in ({"audience": "x"}, SHARE):
        context = flow.check(inputs=[ids])
        apply("save_audience", context, **values)
        assert context.paths == ["from"]
    context = flow.check(inputs=[flow.rows(pa.table({"email": ["a"]}))])
    apply("save_audience", context, **SHARE)
    assert context.paths == ["from"]
    assert "reconciliation" in context.faults[0][2]


PLACES = {"partner": None}


@pytest.mark.parametrize(
    "to",
    [
        "${dest}",
        "${dest}/in",
        "/srv/${dest}",
        "./${dest}",
        "lake/${dest}",
        "file:///srv/${dest}",
        "s3://${dest}/in",
        "s3://bucket-${dest}/in",
        "sftp://${dest}@host/in",
        "../other",
        "partner/../other",
        "s3://bucket/../other",
        "partner/${dest}/../x",
    ],
)
def test_where_files_go_to_is_said_by_the_definition(flow, to: str) -> None:
    context = flow.check(inputs=[flow.people()], parameters={"dest": ""}, transports=PLACES)
    apply("save_audience", context, **{**SHARE, "to": to})
    assert context.paths == ["to"]
    for kind in (flow.plan, flow.context):
        context = kind(inputs=[flow.people()], parameters={"dest": "x"}, transports=PLACES)
        with pytest.raises(PathRefused):
            apply("save_audience", context, **{**SHARE, "to": to})
    assert flow.library.requests == []


@pytest.mark.parametrize("value", ["/some/../where", "..", "a/../../b", "/etc", "~root", "a\\b", ".hidden", "", "a\nb"])
@pytest.mark.parametrize("to", ["partner/${dest}", "outbox/${dest}", "s3://bucket/${dest}"])
def test_no_parameter_leads_out_of_its_place(flow, to: str, value: str) -> None:
    context = flow.context(inputs=[flow.people()], parameters={"dest": value}, transports=PLACES)
    with pytest.raises(PathRefused):
        apply("save_audience", context, **{**SHARE, "to": to})
    assert flow.library.requests == []


def test_a_parameter_brings_no_signs_of_a_url(flow) -> None:
    for value in ("in?x=1", "in#x", "%2e%2e", "user@host"):
        context = flow.context(inputs=[flow.people()], parameters={"dest": value}, transports=PLACES)
        with pytest.raises(PathRefused):
            apply("save_audience", context, **{**SHARE, "to": "sftp://host/${dest}"})


@pytest.mark.parametrize(
    ("to", "filled"),
    [
        ("partner/${dest}", "partner/fr"),
        ("outbox/${dest}/new", "outbox/fr/new"),
        ("s3://bucket/${dest}", "s3://bucket/fr"),
        ("/srv/exports", "/srv/exports"),
        ("s3://bucket", "s3://bucket"),
    ],
)
def test_places_that_are_allowed(flow, to: str, filled: str) -> None:
    context = flow.plan(inputs=[flow.people()], parameters={"dest": "fr"}, transports=PLACES)
    apply("save_audience", context, **{**SHARE, "to": to})
    assert flow.library.requests[-1].to == filled
    context = flow.check(inputs=[flow.people()], parameters={"dest": ""}, transports=PLACES)
    apply("save_audience", context, **{**SHARE, "to": to})
    assert not context.faults
