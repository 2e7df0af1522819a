"""Read audience: each type, conditions on members, names from parameters, what a check cannot know."""

from __future__ import annotations

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, fetch, opened, people_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode
from symbolon.targeting.population import PROFILE, UNKNOWN

PEOPLE = people_of(40)
COLUMNS = {"profile_id": pa.int64(), "city": pa.string()}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("read")) as bench:
        bench.people(PEOPLE)
        rows = [{"profile_id": row["profile_id"], "city": "saved"} for row in PEOPLE[:20]]
        bench.library.put("list", bench.rows(rows, COLUMNS).relation)
        file = [{"email": text, "n": place} for place, text in enumerate(HOSTILE)]
        bench.library.put("file", bench.rows(file, {"email": pa.string(), "n": pa.int64()}).relation, "file", UNKNOWN)
        bench.library.put("french", None, "query", rule="country = 'FR'")
        yield bench


def test_each_type_is_read(bench) -> None:
    context = bench.context()
    for name, dimension, columns in (("list", PROFILE, ["profile_id", "city"]), ("file", UNKNOWN, ["email", "n"])):
        members = apply("read_audience", context, audience=name)["result"]
        assert members.dimension == dimension
        assert list(members.relation.columns) == columns
    found = run(bench, "read_audience", audience="french")["result"]
    assert bag(found) == bag({"profile_id": row["profile_id"]} for row in PEOPLE if row["country"] == "FR")
    assert not context.faults


@settings(max_examples=15)
@given(least=st.integers(-1, 12))
def test_conditions_on_members(bench, least) -> None:
    """Of people by their fields and the saved columns, which go before fields; of rows by their columns."""
    found = run(bench, "read_audience", audience="list", where=f"points >= {least} AND city = 'saved'")["result"]
    wanted = [row["profile_id"] for row in PEOPLE[:20] if row["points"] is not None and row["points"] >= least]
    assert bag(found) == bag({"profile_id": one, "city": "saved"} for one in wanted)
    rows = run(bench, "read_audience", audience="file", where=f"n < {least} OR email = ''''")["result"]
    assert bag(rows) == bag(
        {"email": text, "n": place} for place, text in enumerate(HOSTILE) if place < least or text == "'"
    )


def test_a_query_audience_takes_a_condition_too(bench) -> None:
    found = run(bench, "read_audience", audience="french", where="city = 'Paris'")["result"]
    wanted = [row for row in PEOPLE if row["country"] == "FR" and row["city"] == "Paris"]
    assert bag(found) == bag({"profile_id": row["profile_id"]} for row in wanted)


def test_the_name_may_hold_a_parameter(bench) -> None:
    context = bench.context(parameters={"which": "li"})
    members = apply("read_audience", context, audience="${which}st")["result"]
    assert len(fetch(context, members)) == 20
    assert not context.faults


def test_a_check_does_not_know_which_audience_it_will_be(bench) -> None:
    def paths(mode: Mode) -> list[str]:
        context = bench.context(mode=mode, parameters={"which": "tomorrow"})
        members = apply("read_audience", context, audience="${which}", where="points > 1")["result"]
        assert fetch(context, members) == []
        assert members.relation.columns == ("profile_id",)
        return context.paths

    assert paths(Mode.CHECK) == []
    assert paths(Mode.RUN) == ["audience"]


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    def paths(*inputs, **values) -> list[str]:
        context = bench.context(inputs, mode=mode)
        assert fetch(context, apply("read_audience", context, **values)["result"]) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    assert paths(audience="lst") == ["audience"]
    assert paths(audience=" ") == ["audience"]
    assert paths(audience="list", where="nothing = 1") == ["where"]
    assert paths(audience="file", where="city = 'Paris'") == ["where"]
    assert paths(bench.set([1]), audience="list") == ["from"]
