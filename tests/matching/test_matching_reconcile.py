"""The definitions of reconciliation on a real engine, beside a plain dict."""

from __future__ import annotations

from collections import Counter

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolon import matching
from symbolon.lake import open_engine
from symbolon.matching import Status
from symbolon.settings import Settings

INCOMING = pa.schema([("position", pa.int64()), ("d0", pa.int64()), ("d1", pa.int64())])
INDEX = pa.schema([("profile_id", pa.int64()), ("d0", pa.int64()), ("d1", pa.int64()), ("last_seen", pa.int64())])
#: few first words, so that they are shared by different IDs as well
WORDS = st.tuples(st.integers(0, 3), st.integers(0, 2))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = open_engine(Settings(project=tmp_path_factory.mktemp("engine"), threads=1))
    yield engine
    engine.close()


def relation(engine, schema: pa.Schema, rows: list[tuple]) -> ibis.Table:
    return engine.relation(
        pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    )


@settings(max_examples=40)
@given(
    ids=st.lists(WORDS, max_size=12),
    held=st.lists(st.tuples(WORDS, st.integers(0, 3)), max_size=12),
    withheld=st.sets(st.integers(0, 11)),
    rule=st.sampled_from(["all", "reject", "latest", "one"]),
)
def test_reconciling_equals_a_dict(engine, ids, held, withheld, rule):
    incoming = relation(engine, INCOMING, [(n, *words) for n, words in enumerate(ids)])
    index = relation(engine, INDEX, [(n, *words, seen) for n, (words, seen) in enumerate(held)])
    first = {}
    for n, words in enumerate(ids):
        first.setdefault(words, n)
    again = matching.duplicates(incoming, matching.repeated(incoming))
    assert sorted(engine.fetch(again)["position"].to_pylist()) == sorted(set(range(len(ids))) - set(first.values()))
    distinct = matching.without(incoming, again)
    holders: dict[tuple, list[int]] = {}
    for n, (words, _) in enumerate(held):
        holders.setdefault(words, []).append(n)
    ambiguous = matching.ambiguous_positions(distinct, index, matching.repeated(index))
    found = sorted(engine.fetch(ambiguous)["position"].to_pylist())
    assert found == sorted(n for words, n in first.items() if len(holders.get(words, [])) > 1)
    out = relation(engine, pa.schema([("profile_id", pa.int64())]), [(n,) for n in withheld])
    rows = matching.reconciled(
        distinct, index, withheld=out, ambiguous=engine.relation(engine.fetch(ambiguous)), rule=rule
    )
    expected = Counter()
    for words, n in first.items():
        people = holders.get(words, [])
        many = len(people) > 1
        if many and rule == "latest":
            people = [min(people, key=lambda p: (-held[p][1], p))]
        elif many and rule == "one":
            people = [min(people)]
        if many and rule == "reject":
            expected[(n, None, int(Status.AMBIGUOUS_ID), True)] += 1
        elif not people:
            expected[(n, None, int(Status.UNKNOWN_ID), False)] += 1
        for person in people if not (many and rule == "reject") else []:
            status = Status.WITHHELD if person in withheld else Status.MEMBER
            expected[(n, person, int(status), many)] += 1
    got = engine.fetch(rows.select("position", "profile_id", "status", "ambiguous")).to_pylist()
    assert Counter(tuple(row.values()) for row in got) == expected
    tally = matching.read_tally(engine.fetch(matching.tally(rows, one_id_a_profile=False)))
    matched = {n for (n, _, status, _) in expected if status in (int(Status.MEMBER), int(Status.WITHHELD))}
    assert tally.matched == len(matched)
    assert tally.members == len({p for (_, p, status, _) in expected if status == int(Status.MEMBER)})
    assert tally.matched + tally.unknown + tally.ambiguous_rejected == len(first)


@given(before=st.sets(WORDS), named=st.sets(WORDS), added=st.sets(WORDS))
def test_an_incremental_file_changes_what_it_names(engine, before, named, added):
    def rows(words: set[tuple], start: int) -> ibis.Table:
        made = relation(engine, INCOMING, [(start + n, *one) for n, one in enumerate(sorted(words))])
        empty = relation(engine, INDEX, [])
        return matching.reconciled(made, empty)

    added &= named
    result = matching.applied(
        rows(before, 0), relation(engine, INCOMING, [(0, *one) for one in named]), rows(added, 100)
    )
    got = [(row["d0"], row["d1"]) for row in engine.fetch(result).to_pylist()]
    assert sorted(got) == sorted((before - named) | added)


@given(before=st.sets(st.integers(0, 9)), after=st.sets(st.integers(0, 9)))
def test_changes_are_the_difference_of_members(engine, before, after):
    people = pa.schema([("profile_id", pa.int64()), ("status", pa.int8())])
    owners = pa.schema([("d0", pa.int64()), *people])
    once = relation(engine, people, [(n, 0) for n in before] + [(99, 3)])
    often = relation(engine, owners, [(word, n, 0) for n in after for word in range(2)] + [(7, 98, 3)])
    counts = engine.fetch(matching.change_counts(once, often)).to_pylist()
    assert counts == [{"added": len(after - before), "removed": len(before - after)}]
    counts = engine.fetch(matching.change_counts(often, once)).to_pylist()
    assert counts == [{"added": len(before - after), "removed": len(after - before)}]
