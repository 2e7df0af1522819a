"""Segmentation against a loop over people: disjoint and covering, exact limits, lots, overlap, codes, faults."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from activity_context import HOSTILE, apply, bag, fetch, ids, opened, people_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon.targeting.activity import Mode

TEXT = pa.string()
PEOPLE = {row["profile_id"]: row for row in people_of(60)}
SEEN = datetime(2026, 6, 1, tzinfo=UTC)
members = st.frozensets(st.integers(1, 60), max_size=60)
#: condition -> the same in Python
WHERE = {
    "": lambda _: True,
    "country = 'FR'": lambda row: row["country"] == "FR",
    "NOT opt_out_email": lambda row: row["opt_out_email"] is False,
    "points > 4 OR city IS NULL": lambda row: (row["points"] or 0) > 4 or row["city"] is None,
    "FALSE": lambda _: False,
    "EXISTS (SELECT 1 FROM links)": lambda row: row["profile_id"] % 4 == 0,
    "city = 'Paris' OR in_audience('vips')": lambda row: row["city"] == "Paris" or row["profile_id"] < 9,
}
limits = st.none() | st.integers(0, 30) | st.sampled_from(["0%", "10%", "33.3%", "50 %", "100%"])
segments = st.lists(
    st.tuples(st.sampled_from(list(WHERE)), limits, st.sampled_from(["random", "points DESC", "RANDOM"])),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("segmentation")) as bench:
        bench.people(PEOPLE.values())
        bench.links([{"d0": 0, "d1": one, "profile_id": one, "last_seen": SEEN} for one in PEOPLE if one % 4 == 0])
        bench.library.put("vips", bench.set(range(9)).relation)
        yield bench


def described(drawn) -> list[dict]:
    return [
        {"name": f"s{place}", "where": where, "limit": limit, **({} if limit is None else {"order": order})}
        for place, (where, limit, order) in enumerate(drawn)
    ]


def room(limit, fitting: int) -> int:
    if limit is None:
        return fitting
    if isinstance(limit, int):
        return limit
    return int(fitting * round(float(limit.strip(" %")) * 10) // 1000)


@settings(max_examples=40)
@given(chosen=members, drawn=segments, overlap=st.booleans(), data=st.data())
def test_against_a_loop(bench, chosen, drawn, overlap, data) -> None:
    inbound = bench.set(data.draw(st.permutations(sorted(chosen))))
    context = bench.context([inbound])
    outcome = apply("segmentation", context, segments=described(drawn), overlap=overlap)
    assert not context.faults
    found = {name: ids(context, population) for name, population in outcome.items()}
    taken: set[int] = set()
    for place, (where, limit, order) in enumerate(drawn):
        fitting = {one for one in chosen if WHERE[where](PEOPLE[one])}
        left = fitting if overlap else fitting - taken
        segment = found[f"s{place}"]
        size = min(len(left), room(limit, len(fitting)))
        assert len(segment) == len(set(segment)) == size
        assert set(segment) <= left
        if limit is not None and order == "points DESC":
            by_points = sorted(
                left, key=lambda one: (PEOPLE[one]["points"] is None, -(PEOPLE[one]["points"] or 0), one)
            )
            assert segment == sorted(by_points[:size])
        taken |= set(segment)
    assert found["complement"] == sorted(chosen - taken)


def drawn_by(bench, run_id: str, **segment) -> list[int]:
    context = bench.context([bench.set(range(1, 61))], run_id=run_id)
    return ids(context, apply("segmentation", context, segments=[{"name": "test", **segment}])["test"])


def test_lots_are_the_same_for_a_run_and_differ_for_others(bench) -> None:
    draws = {tuple(drawn_by(bench, f"run-{number}", limit="25%")) for number in range(6)}
    assert len(draws) == 6
    assert {len(draw) for draw in draws} == {15}
    assert drawn_by(bench, "run-0", limit="25%") == drawn_by(bench, "run-0", limit=15)


def test_lots_are_fair(bench) -> None:
    """Everybody is drawn about as often; two who stand beside each other are not drawn together."""
    runs = 120
    counts = dict.fromkeys(range(1, 61), 0)
    together = 0
    for number in range(runs):
        draw = set(drawn_by(bench, f"fair-{number}", limit=30))
        together += sum(one + 1 in draw for one in draw)
        for one in draw:
            counts[one] += 1
    # binomial, one half: a deviation of 5 sigma is met once in two million
    assert all(abs(count - runs / 2) < 5 * (runs / 4) ** 0.5 for count in counts.values())
    assert abs(together / runs - 59 * 30 * 29 / (60 * 59)) < 1.5


def test_two_segments_of_one_activity_draw_apart(bench) -> None:
    context = bench.context([bench.set(range(1, 61))])
    both = [{"name": "one", "limit": 20}, {"name": "two", "limit": 20}]
    outcome = apply("segmentation", context, segments=both, overlap=True)
    assert ids(context, outcome["one"]) != ids(context, outcome["two"])


loose = st.lists(
    st.fixed_dictionaries({"email": st.sampled_from(HOSTILE), "n": st.none() | st.integers(0, 3)}), max_size=15
)


@settings(max_examples=15)
@given(rows=loose, limit=limits, order=st.sampled_from(["random", "n"]), data=st.data())
def test_rows_of_files(bench, rows, limit, order, data) -> None:
    columns = {"email": TEXT, "n": pa.int64(), "when": pa.timestamp("us", tz="UTC"), "part": pa.float64()}
    rows = [{**row, "when": SEEN if row["n"] else None, "part": row["n"] / 3 if row["n"] else None} for row in rows]
    segment = {"name": "some", "where": "n > 0", "limit": limit, **({} if limit is None else {"order": order})}
    found = run(bench, "segmentation", [bench.rows(rows, columns)], segments=[segment])
    fitting = [row for row in rows if row["n"]]
    assert bag([*found["some"], *found["complement"]]) == bag(rows)
    assert len(found["some"]) == min(len(fitting), room(limit, len(fitting)))
    assert all(row["n"] for row in found["some"])
    if limit is not None and order == "n":
        assert sorted(row["n"] for row in found["some"]) == sorted(row["n"] for row in fitting)[: len(found["some"])]
    again = run(bench, "segmentation", [bench.rows(data.draw(st.permutations(rows)), columns)], segments=[segment])
    assert bag(again["some"]) == bag(found["some"])


def test_rows_of_files_that_know_their_people(bench) -> None:
    """A column `profile_id` of a file may be asked for links; rows that are twice there are kept twice."""
    columns = {"profile_id": pa.int64(), "email": TEXT}
    rows = [{"profile_id": one, "email": None} for one in (4, 4, 5, None)]
    segment = {"name": "seen", "where": "EXISTS (SELECT 1 FROM links)"}
    found = run(bench, "segmentation", [bench.rows(rows, columns)], segments=[segment])
    assert bag(found["seen"]) == bag(rows[:2])
    assert bag(found["complement"]) == bag(rows[2:])


def test_codes_become_a_column(bench) -> None:
    columns = {"profile_id": pa.int64(), "segment_code": TEXT, "city": TEXT}
    rows = [{"profile_id": one, "segment_code": "old", "city": "x"} for one in (1, 2, 3)]
    inbound = bench.rows(rows, columns, "profile")
    some = [{"name": "a", "where": "profile_id = 1", "code": "A'"}, {"name": "b", "where": "profile_id = 2"}]
    found = run(bench, "segmentation", [inbound], segments=some)
    assert found["a"] == [{"profile_id": 1, "city": "x", "segment_code": "A'"}]
    assert found["b"] == [{"profile_id": 2, "city": "x", "segment_code": None}]
    assert found["complement"] == [rows[2]]
    plain = run(bench, "segmentation", [inbound], segments=[{"name": "a"}], complement=False)
    assert bag(plain.pop("a")) == bag(rows)
    assert plain == {}
    other = run(bench, "segmentation", [inbound], segments=[{"name": "a", "code": "1"}], code_column="wave")
    assert {row["wave"] for row in other["a"]} == {"1"}


@pytest.mark.parametrize("mode", list(Mode))
def test_faults(bench, mode) -> None:
    def paths(*segments, **values) -> list[str]:
        context = bench.context([bench.set([1, 2])], mode=mode)
        chosen = [{"name": f"s{place}", **segment} for place, segment in enumerate(segments)]
        for population in apply("segmentation", context, segments=chosen, **values).values():
            assert fetch(context, population) is not None
        assert all(one.hint for one in context.faults)
        return context.paths

    assert paths({"where": "nobody = 1"}, {"where": "city ="}) == ["segments[0].where", "segments[1].where"]
    for limit in (-1, "-1", "many", "101%", "10 percent", "1e3", "%", "NaN%", "99999999999999999999"):
        assert paths({"limit": limit}) == ["segments[0].limit"]
    assert paths({"limit": " 7 "}) == []
    assert paths({"order": "points"}) == ["segments[0].order"]
    assert paths({"order": "pionts", "limit": 1}) == ["segments[0].order"]
    assert paths({"name": "complement"}, {"name": "s0"}, {"name": "s0"}) == ["segments[0].name", "segments[2].name"]
    assert paths({"name": "Not; a name"}) == ["segments[0].name"]
    assert paths({"code": "x"}, code_column="profile_id") == ["code_column.profile_id"]
    context = bench.context([], mode=mode)
    apply("segmentation", context, segments=[{"name": "a"}])
    assert context.paths == ["from"]


def test_plain_conditions_need_no_join(bench) -> None:
    """Computed once and kept; before that, one pass over the rows."""
    asked: list[str] = []
    context = bench.context([bench.rows([], {"profile_id": pa.int64(), "city": TEXT}, "profile")])
    keep = context.keep
    context.keep = lambda relation, name: asked.append(bench.engine.sql(relation)) or keep(relation, name)
    apply("segmentation", context, segments=[{"name": "a", "where": "city = 'x'"}, {"name": "b", "limit": 5}])
    assert len(asked) == 1
    assert "JOIN" not in asked[0]
