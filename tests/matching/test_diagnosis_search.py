"""Looking candidates up in more profiles than the sample has: estimates, what is confirmed, and what has no time."""

from __future__ import annotations

import csv
import hashlib

import pytest

import symbolon
from symbolon.matching import diagnosis
from symbolon.matching.diagnosis import forms, search
from symbolon.records import DataSource, NoProgress, Protection

COUNT = 4000
#: a hundredth of the profiles, and of the people in the file those that are in it
SAMPLE = 1000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    with (folder / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["external_id", "email"])
        csv.writer(file).writerows([f"C{n}", f"person.{n}@example.com"] for n in range(COUNT))
    with symbolon.init(folder / "project") as project:
        project.profiles.import_file(folder / "people.csv")
        project.sources.add(DataSource(name="mail", key="email", protection=Protection.SHA256))
        yield project


def diagnosed(project, ids, *, seconds=60.0, most=SAMPLE):
    source = project.sources.show("mail")
    clock = diagnosis.Clock(seconds)
    looked = diagnosis.Search(
        engine=project.engine, profiles=project.profiles, source=source, region="", clock=clock, progress=NoProgress(),
        most_values=most,
    )  # fmt: skip
    sample = diagnosis.Sample([one.encode() for one in ids], ["unknown_id"] * len(ids))
    found = diagnosis.Tries(
        sample=sample, source=source, region="", search=looked, secrets=list, clock=clock, progress=NoProgress()
    ).run()
    return diagnosis.explained(found.hits, source, size=len(sample), least=sample.least), found


def sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def people(count, write):
    return [sha256(write(f"person.{n}@example.com")) for n in range(count)]


def test_what_shows_in_the_sample_is_counted_in_all_profiles(project):
    (first,), found = diagnosed(project, people(400, lambda one: one.upper().encode()))
    assert ([cause.code for cause in first.causes], first.count, first.low, first.high) == (["case"], 400, 400, 400)
    assert found.late == []


def test_what_no_engine_computes_is_estimated_within_its_bounds(project):
    everybody = people(400, lambda one: one.encode("utf-16-le"))
    (first,), found = diagnosed(project, [*everybody[:300], *[sha256(b"%d" % n) for n in range(100)]])
    assert [cause.code for cause in first.causes] == ["utf16"]
    assert found.tried == SAMPLE / COUNT
    assert first.low <= 300 <= first.high
    assert first.low < first.count < first.high


def test_a_fault_of_few_is_found_in_all_profiles(project):
    ids = [*people(5, lambda one: one.upper().encode()), *[sha256(b"%d" % n) for n in range(200)]]
    (first,), _ = diagnosed(project, ids, most=100)
    assert (first.causes[0].code, first.count) == ("case", 5)


def test_two_people_are_no_fault(project):
    ids = [*people(2, lambda one: one.upper().encode()), *[sha256(b"%d" % n) for n in range(98)]]
    assert diagnosed(project, ids)[0] == []


def test_two_faults_are_told_apart_the_larger_first(project):
    upper, twice = people(30, lambda one: one.upper().encode()), people(60, lambda one: sha256(one.encode()).encode())
    chosen, _ = diagnosed(project, [*upper, *twice[30:]], most=COUNT)
    assert [(one.causes[0].code, one.count) for one in chosen] == [("case", 30), ("hashed_twice", 30)]


def test_without_time_everything_is_named_as_not_tried(project):
    chosen, found = diagnosed(project, people(50, lambda one: one.upper().encode()), seconds=0)
    assert chosen == []
    assert any("upper" in one for one in found.late)


def test_the_statements_hold_no_value(project, monkeypatch):
    said = []
    fetch = project.engine.fetch
    monkeypatch.setattr(
        project.engine,
        "fetch",
        lambda relation, limit=100_000: said.append(project.engine.sql(relation)) or fetch(relation, limit),
    )
    ids = people(50, lambda one: one.upper().encode())
    diagnosed(project, ids)
    assert said
    assert not any(one in text or "person." in text for text in said for one in ids)


def test_a_scheme_that_makes_no_difference_is_not_tried(project, monkeypatch):
    monkeypatch.setattr(forms, "schemes", lambda: ["adobe", "twin"])
    adobe = forms.rule
    monkeypatch.setattr(forms, "rule", lambda _, field: adobe("adobe", field))
    asked = []
    monkeypatch.setattr(search.Search, "compare", lambda self, *given: asked.append(given) or [])
    diagnosed(project, [sha256(b"%d" % n) for n in range(50)])
    assert asked == []
