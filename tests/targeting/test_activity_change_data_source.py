"""Change data source: an ID a row, everybody accounted for."""

from __future__ import annotations

import pyarrow as pa
import pytest
from flow_context import apply, fetch, opened, visitor_source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolon.errors import UnknownNameError
from symbolon.records import DataSource
from symbolon.targeting.population import DECLARED, VISITOR


@pytest.fixture
def flow(tmp_path):
    with opened(tmp_path) as flow:
        flow.library.sources = {"web": visitor_source(), "crm": DataSource(name="crm", key="email")}
        yield flow


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.dictionaries(st.sampled_from([f"C{n}" for n in range(1, 8)]), st.lists(st.uuids().map(str), min_size=1)))
def test_everybody_is_in_one_of_both(flow, ids: dict[str, list[str]]) -> None:
    people = flow.profiles()
    flow.library.ids = {people[name]["profile_id"]: sorted(set(given)) for name, given in ids.items()}
    context = flow.context(inputs=[flow.people("city")])
    outcome = apply("change_data_source", context, source="web")
    found = fetch(context, outcome["result"])
    expected = [
        (person["profile_id"], one, person["city"])
        for name, person in people.items()
        for one in sorted(set(ids.get(name, [])))
    ]
    assert sorted((one["profile_id"], one["id"], one["city"]) for one in found) == sorted(expected)
    lacking = {one["profile_id"] for one in fetch(context, outcome["complement"])}
    assert lacking == {person["profile_id"] for name, person in people.items() if name not in ids}
    assert context.facts == {"source": "web", "without_id": len(lacking)}
    assert (outcome["result"].dimension, outcome["result"].source) == (VISITOR, "web")


def test_ids_of_one_source_become_those_of_another(flow) -> None:
    number = flow.id_of("C1")
    flow.library.ids = {number: ["1", "2"]}
    context = flow.context(inputs=[flow.people()])
    browsers = apply("change_data_source", context, source="web")["result"]
    context = flow.context(inputs=[browsers])
    again = apply("change_data_source", context, source="crm")["result"]
    assert again.dimension == DECLARED
    assert sorted(one["id"] for one in fetch(context, again)) == ["1", "2"]


def test_a_check_composes_the_same_columns_and_reads_nothing(flow) -> None:
    context = flow.check(inputs=[flow.people("city")])
    outcome = apply("change_data_source", context, source="web")
    assert outcome["result"].relation.columns == ("profile_id", "id", "city")
    assert outcome["complement"].relation.columns == ("profile_id", "reason")
    assert fetch(context, outcome["result"]) == []
    assert not context.faults
    context = flow.check(inputs=[flow.people()])
    apply("change_data_source", context, source="wbe")
    assert context.paths == ["source"]
    context = flow.check(inputs=[flow.rows(pa.table({"email": ["x"]}))])
    apply("change_data_source", context, source="web")
    assert context.paths == ["from"]
    with pytest.raises(UnknownNameError):
        apply("change_data_source", flow.context(inputs=[flow.people()]), source="wbe")
