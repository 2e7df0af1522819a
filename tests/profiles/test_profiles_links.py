"""Visitor links: which browser is whose, beside a dict of the last time each was seen."""

from __future__ import annotations

from datetime import UTC, datetime

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from symbolon.errors import UnknownNameError
from symbolon.profiles import KeyColumnMissing, LinkColumnMissing

VISITORS = [f"{n:038d}" for n in (1, 2, 9_223_372_036_854_775_807)] + [
    "1" * 38,
    "59767559181262060060278870901087098252",
]
BAD = ["", "1" * 37, "9" * 38, "1" * 37 + "x"]
ROWS = st.lists(
    st.tuples(st.sampled_from(VISITORS + BAD), st.sampled_from(["1", "2", "3", "nobody", ""]), st.integers(0, 5)),
    max_size=12,
)


@pytest.fixture
def link(project, put, tmp_path):
    put("external_id,email,line\n1,a@x.com,11\n2, b@x.com,22\n3,c@x.com,33\n")

    def linking(text: str, **options):
        path = tmp_path / "links.csv"
        path.write_text(text)
        return project.profiles.link_file(path, **options)

    return linking


def links_of(project) -> dict[tuple[str, str], datetime]:
    profiles = project.engine.fetch(project.profiles.current())
    names = dict(zip(profiles["profile_id"].to_pylist(), profiles["external_id"].to_pylist(), strict=True))
    rows = project.engine.fetch(project.profiles.visitor_index()).to_pylist()
    found = {(f"{row['d0']:019d}{row['d1']:019d}", names[row["profile_id"]]): row["last_seen"] for row in rows}
    assert len(found) == len(rows) == project.profiles.link_count
    return found


@given(several=st.lists(ROWS, min_size=1, max_size=4))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_links_are_those_of_a_dict(project, link, several):
    known = links_of(project)  # of the examples before
    for rows in several:
        text = "".join(f"{visitor},{key},2026-01-0{day + 1}T00:00:00Z\n" for visitor, key, day in rows)
        before = dict(known)
        rejected = {"malformed_id": 0, "missing_key": 0, "unknown_profile": 0}
        for visitor, key, day in rows:
            if visitor in BAD:
                rejected["malformed_id"] += 1
            elif not key:
                rejected["missing_key"] += 1
            elif key == "nobody":
                rejected["unknown_profile"] += 1
            else:
                seen = datetime(2026, 1, day + 1, tzinfo=UTC)
                known[visitor, key] = max(seen, known.get((visitor, key), seen))
        revision = project.profiles.revision
        receipt = link("visitor_id,external_id,last_seen\n" + text)
        assert receipt.rejected == {reason: count for reason, count in rejected.items() if count}
        assert receipt.lines == len(rows) == receipt.accepted + sum(receipt.rejected.values())
        assert receipt.created == len(known.keys() - before.keys())
        assert receipt.updated == sum(known[pair] > seen for pair, seen in before.items())
        assert receipt.links == len(known)
        assert links_of(project) == known
        if before:
            assert (receipt.revision > revision) == (known != before)


def test_a_link_without_a_time_was_seen_now(project, link):
    before = datetime.now(UTC)
    link(f"ECID;Customer Number;1st note\n{VISITORS[0]};1;x\n")
    (seen,) = links_of(project).values()
    assert before <= seen <= datetime.now(UTC)
    assert project.profiles.show("1")["visitor_ids"] == [VISITORS[0]]


def test_links_by_any_field(project, link):
    link(f"visitor_id,email\n{VISITORS[0]},b@x.com \n", key="email")
    link(f"visitor_id,line,line 2\n{VISITORS[1]},33,1\n", key="line")
    assert set(links_of(project)) == {(VISITORS[0], "2"), (VISITORS[1], "3")}


def test_rejected_links_are_kept_with_their_reason(project, link):
    receipt = link(f"visitor_id,external_id,last_seen\nx1,1,\n{VISITORS[0]},77,\n{VISITORS[0]},1,never\n")
    assert receipt.rejected == {"invalid_value": 1, "malformed_id": 1, "unknown_profile": 1}
    rows = [row for batch in project.profiles.rejects() for row in batch.to_pylist()]
    assert [(row["line"], row["reason"], row["raw"]) for row in rows] == [
        (2, "malformed_id", b"x1"),
        (3, "unknown_profile", b"77"),
        (4, "invalid_value", VISITORS[0].encode()),
    ]


def test_typed_columns_of_parquet(project, link, tmp_path):
    path = tmp_path / "links.parquet"
    seen = pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("ms", "UTC"))
    visitors = pa.array([VISITORS[0].encode(), b"\xff"], pa.binary())
    pq.write_table(pa.table({"mid": visitors, "external_id": pa.array([2, 2]), "timestamp": seen}), path)
    assert project.profiles.link_file(path).rejected == {"malformed_id": 1}
    assert links_of(project) == {(VISITORS[0], "2"): datetime(2026, 1, 1, tzinfo=UTC)}


def test_files_that_are_no_links(project, link):
    revision = project.profiles.revision
    with pytest.raises(LinkColumnMissing):
        link("visitor,external_id\n1,1\n")
    with pytest.raises(KeyColumnMissing):
        link("visitor_id,email\n1,1\n")
    with pytest.raises(UnknownNameError):
        link("visitor_id,email\n1,1\n", key="emial")
    assert project.profiles.revision == revision
