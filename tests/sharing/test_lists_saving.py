"""Saving populations: which audience, what becomes of its content, and what its files can do afterwards."""

from __future__ import annotations

import datetime as dt

import pytest
from saved import held, lines, numbers_of, people, save

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import AudienceType, DataSource, Origin
from symbolon.sharing.errors import AudienceTypeError

RUN = "20260329T023000-abc/save"


@pytest.fixture
def ids(project) -> list[int]:
    return sorted(numbers_of(project).values())


@pytest.mark.parametrize("mode", ["update", "create_or_update"])
def test_completing_a_file_with_people_is_refused(project, ids, mode: str) -> None:
    save(project, "raw", lines("a@x.example", "b@x.example"))
    before = project.audiences.show("raw")
    with pytest.raises(AudienceTypeError, match="it stays as it was"):
        save(project, "raw", people(ids[:2]), mode=mode, content="complete")
    assert project.audiences.show("raw") == before
    assert held(project, "raw") == [("a@x.example",), ("b@x.example",)]
    assert len(project.audiences.versions("raw")) == 1


def test_updating_a_file_with_people_is_refused(project, ids) -> None:
    save(project, "raw", lines("a@x.example"))
    with pytest.raises(AudienceTypeError):
        save(project, "raw", people(ids[:2]), mode="update")
    assert held(project, "raw") == [("a@x.example",)]


def test_replacing_a_file_with_people_makes_a_list(project, ids) -> None:
    save(project, "raw", lines("a@x.example", "b@x.example"))
    receipt = save(project, "raw", people(ids[:3]))
    audience = project.audiences.show("raw")
    assert (audience.type, audience.dimension, audience.version) == (AudienceType.LIST, "profile", 2)
    assert (receipt.members, receipt.added, receipt.removed) == (3, 3, 2)
    assert held(project, "raw") == [(number,) for number in ids[:3]]
    # and back again
    save(project, "raw", lines("c@x.example"))
    audience = project.audiences.show("raw")
    assert (audience.type, audience.dimension, audience.version) == (AudienceType.FILE, "", 3)


def test_completing_a_list_gives_who_is_there_the_new_columns(project, ids) -> None:
    save(project, "vip", people(ids[:2], city=["Rome", "Oslo"]))
    receipt = save(project, "vip", people(ids[1:3], city=["Bern", "Lima"], rank=[1, 2]), content="complete")
    assert (receipt.members, receipt.added, receipt.removed) == (3, 1, 0)
    found = project.audiences.members("vip", columns=["profile_id", "city", "rank"]).to_arrow().to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (ids[0], "Rome", None),
        (ids[1], "Bern", 1),
        (ids[2], "Lima", 2),
    ]


def test_a_column_of_another_type_does_not_complete(project, ids) -> None:
    save(project, "vip", people(ids[:1], rank=[1]))
    with pytest.raises(AudienceTypeError, match="rank"):
        save(project, "vip", people(ids[1:2], rank=["first"]), content="complete")
    assert held(project, "vip") == [(ids[0],)]


def test_updating_what_is_not_there_names_the_nearest(project, ids) -> None:
    save(project, "readers", people(ids[:1]))
    with pytest.raises(UnknownNameError, match="readers"):
        save(project, "raeders", people(ids[:1]), mode="update")
    assert [one.name for one in project.audiences.list()] == ["readers"]


def test_unique_ones_are_two_and_each_is_made_once(project, ids) -> None:
    first = save(project, "news", people(ids[:1]), mode="create_unique", run_id=RUN)
    second = save(project, "news", people(ids[:2]), mode="create_unique", run_id=RUN.replace("abc", "def"))
    again = save(project, "news", people(ids[:1]), mode="create_unique", run_id=RUN)
    assert (first.audience, second.audience) == ("news_20260329_023000", "news_20260329_023000_2")
    assert again == first
    assert [(one.name, one.members) for one in project.audiences.list()] == [(first.audience, 1), (second.audience, 2)]


@pytest.mark.parametrize("content", ["replace", "complete"])
def test_a_run_saves_once(project, ids, content: str) -> None:
    save(project, "vip", people(ids[:1]))
    first = save(project, "vip", people(ids[:3]), content=content, run_id=RUN)
    save(project, "vip", people(ids[5:6]), run_id="another/save")
    assert save(project, "vip", people(ids[:3]), content=content, run_id=RUN) == first
    assert held(project, "vip") == [(ids[5],)]  # what came later stays
    assert [one.run_id for one in project.audiences.versions("vip")] == ["another/save", RUN, ""]


def test_a_plan_tells_the_same_and_writes_nothing(project, ids) -> None:
    assert save(project, "vip", people(ids[:2]), plan=True).members == 2
    assert project.store.audiences() == []
    save(project, "vip", people(ids[:2]))
    planned = save(project, "vip", people(ids[1:4]), plan=True)
    assert (planned.version, planned.members, planned.added, planned.removed) == (2, 3, 2, 1)
    assert project.audiences.show("vip").version == 1
    done = save(project, "vip", people(ids[1:4]))
    assert (done.version, done.members, done.added, done.removed) == (2, 3, 2, 1)


def test_nobody_is_an_audience_too(project, ids) -> None:
    assert save(project, "vip", people([])).members == 0
    assert held(project, "vip") == []
    assert save(project, "raw", lines()).members == 0
    assert held(project, "raw") == []


def test_what_is_said_of_it(project, ids) -> None:
    far = dt.date(2099, 12, 31)
    save(project, "vip", people(ids[:1]), description="Ours", expires=far, workflow="monthly", run_id=RUN)
    save(project, "vip", people(ids[:2]), workflow="weekly")
    audience = project.audiences.show("vip")
    assert (audience.description, audience.workflow) == ("Ours", "weekly")
    assert audience.expires == dt.datetime(2099, 12, 31, tzinfo=dt.UTC)
    assert project.audiences.version("vip").origin is Origin.WORKFLOW


def test_an_imported_audience_is_not_saved_to(project, ids, tmp_path) -> None:
    project.sources.add(DataSource(name="crm", key="email"))
    list_ = tmp_path / "list.csv"
    list_.write_text("id\njohndoe@example.com\n")
    project.audiences.import_file(list_, source="crm", name="guests", column="id")
    before = held(project, "guests")
    for content in ("replace", "complete"):
        with pytest.raises(AudienceTypeError, match="imported"):
            save(project, "guests", people(ids[:2]), content=content)
    assert held(project, "guests") == before


def test_files_of_any_columns(project) -> None:
    """Names that we use ourselves, times, numbers, and lines that stand there twice."""
    day = dt.date(2026, 3, 29)
    first = lines("a@x.example", "a@x.example", "b@x.example", position=[1, 1, None], change=[day, day, day])
    save(project, "raw", first)
    shown = project.audiences.members("raw")
    assert shown.columns == ["mail", "position", "change"]
    assert held(project, "raw") == sorted(
        [("a@x.example", 1, day), ("a@x.example", 1, day), ("b@x.example", None, day)], key=repr
    )
    second = lines("a@x.example", "c@x.example", position=[1, 3], change=[day, day])
    receipt = save(project, "raw", second)
    assert (receipt.members, receipt.added, receipt.removed) == (2, 1, 2)
    changes = project.audiences.diff("raw").to_arrow().to_pylist()
    assert sorted(tuple(row.values())[:2] for row in changes) == [
        ("added", "c@x.example"),
        ("removed", "a@x.example"),
        ("removed", "b@x.example"),
    ]
    back = project.audiences.rollback("raw")
    assert (back.version, back.members, back.receipt.added, back.receipt.removed) == (3, 3, 2, 1)
    assert held(project, "raw") == held(project, "raw", 1)
    with pytest.raises(UnknownNameError):
        project.audiences.members("raw", columns=["nothing"])


def test_files_cannot_be_reconciled_or_matched_again(project) -> None:
    save(project, "raw", lines("johndoe@example.com"))
    for work in (lambda: project.audiences.reconcile("raw", key="email"), lambda: project.audiences.refresh("raw")):
        with pytest.raises(AudienceTypeError) as caught:
            work()
        assert caught.value.hint
        assert "johndoe" not in str(caught.value)
    assert [one.name for one in project.audiences.list()] == ["raw"]


def test_deleting_leaves_no_rows(project, ids) -> None:
    for rows in (lines("a@x.example"), people(ids[:1])):
        save(project, "gone", rows)
        folder = project.lake.root / "tables" / "audiences" / str(project.audiences.show("gone").id)
        assert list(folder.rglob("*.parquet"))
        project.audiences.delete("gone")
        assert not list(folder.rglob("*.parquet"))
        assert project.store.audiences() == []


def test_going_back_over_a_change_of_type(project, ids) -> None:
    """The old rows come back with the type that they had."""
    save(project, "mixed", lines("a@x.example", "b@x.example"))
    save(project, "mixed", people(ids[:3]))
    with pytest.raises(SymbolonError):
        project.audiences.diff("mixed")
    back = project.audiences.rollback("mixed")
    audience = project.audiences.show("mixed")
    assert (audience.type, audience.dimension, audience.members) == (AudienceType.FILE, "", 2)
    assert (back.receipt.added, back.receipt.removed) == (2, 3)
    assert held(project, "mixed") == [("a@x.example",), ("b@x.example",)]
