"""Saving audiences, case by case: types, names of their own, the same step again, killed processes, odd columns."""

from __future__ import annotations

import csv
import re
import threading
from datetime import UTC, date, datetime

import msgspec
import pyarrow as pa
import pytest
from saving import LINES, ids_of, keys_of, save, saved

from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceType, DataSource, Origin
from symbolon.sharing.errors import AudienceTypeError
from symbolon.targeting.population import Population

GUESTS = [{"email": "johndoe@example.com", "table": "1"}, {"email": "nobody@example.com", "table": "2"}]


def people(project, *keys: str) -> list[dict]:
    return [{"profile_id": one} for one in ids_of(project, *keys)]


def test_completing_a_file_with_people_leaves_it_as_it_was(project) -> None:
    save(project, "guests", GUESTS, dimension=LINES)
    before = project.audiences.show("guests")
    for mode in ("create_or_update", "update"):
        with pytest.raises(AudienceTypeError, match=r"File audience of unknown people.*List audience of profiles"):
            save(project, "guests", people(project, "C1"), mode=mode, content="complete")
    with pytest.raises(AudienceTypeError):
        save(project, "guests", people(project, "C1"), mode="update")
    assert project.audiences.show("guests") == before
    assert saved(project, "guests") == GUESTS


def test_replacing_a_file_with_people_makes_it_a_list(project) -> None:
    save(project, "guests", GUESTS, dimension=LINES)
    receipt = save(project, "guests", people(project, "C1", "C2", "C3"))
    audience = project.audiences.show("guests")
    assert (audience.type, audience.dimension, audience.members) == (AudienceType.LIST, "profile", 3)
    assert (receipt.version, receipt.added, receipt.removed) == (2, 3, 2)
    assert keys_of(project, "guests") == ["C1", "C2", "C3"]
    assert project.audiences.members("guests", version=1).to_arrow().to_pylist() == GUESTS
    with pytest.raises(AudienceTypeError, match="another type"):
        project.audiences.diff("guests")
    back = project.audiences.rollback("guests")
    assert (back.receipt.added, back.receipt.removed, back.members) == (2, 3, 2)
    assert (project.audiences.show("guests").type, project.audiences.show("guests").dimension) == ("file", "")
    assert saved(project, "guests") == GUESTS
    project.audiences.rollback("guests")
    assert keys_of(project, "guests") == ["C1", "C2", "C3"]


def test_an_audience_that_is_not_there(project) -> None:
    save(project, "Newsletter", people(project, "C1"))
    with pytest.raises(UnknownNameError, match="Newsletter"):
        save(project, "Newsleter", people(project, "C1"), mode="update")
    assert [one.name for one in project.audiences.list()] == ["Newsletter"]


def test_unique_names(project) -> None:
    """They end in the moment of the run; two of one second are numbered; the same step again makes none."""
    first, second = "20260329T023000123456-aa/save", "20260329T023000999999-bb/save"
    for _ in range(2):
        names = [
            save(project, "May", people(project, "C1"), mode="create_unique", run_id=run).audience
            for run in (first, second, "20260329T023001000000-cc/save")
        ]
        assert names == ["May_20260329_023000", "May_20260329_023000_2", "May_20260329_023001"]
    assert [one.version for one in project.audiences.list()] == [1, 1, 1]
    planned = save(project, "May", people(project, "C1"), mode="create_unique", plan=True).audience
    assert re.fullmatch(r"May_\d{8}_\d{6}", planned)
    assert len(project.audiences.list()) == 3


def test_a_name_of_one_second_is_taken_once(project, monkeypatch) -> None:
    """A run that chose a name while another one saved under it takes the next one, and overwrites nothing."""
    from symbolon.sharing import lists

    lock, met = lists.audience_lock, threading.Event()

    def late(settings, name):
        if not met.is_set():
            met.set()
            save(project, "May", people(project, "C1"), mode="create_unique", run_id="20260329T023000000001-aa/save")
        return lock(settings, name)

    monkeypatch.setattr(lists, "audience_lock", late)
    receipt = save(project, "May", people(project, "C2"), mode="create_unique", run_id="20260329T023000000002-bb/save")
    assert receipt.audience == "May_20260329_023000_2"
    assert keys_of(project, "May_20260329_023000") == ["C1"]
    assert keys_of(project, receipt.audience) == ["C2"]


def test_the_same_step_again_publishes_nothing(project) -> None:
    first = save(project, "vip", people(project, "C1", "C2"), run_id="run-1/save")
    save(project, "vip", people(project, "C3"), run_id="run-2/save")
    after = project.audiences.show("vip"), project.audiences.versions("vip")
    assert save(project, "vip", people(project, "C7"), run_id="run-1/save") == first
    assert save(project, "vip", GUESTS, dimension=LINES, run_id="run-2/save").version == 2
    assert (project.audiences.show("vip"), project.audiences.versions("vip")) == after
    assert save(project, "vip", people(project, "C7"), run_id="run-2/other").version == 3
    assert [one.run_id for one in project.audiences.versions("vip")] == ["run-2/other", "run-2/save", "run-1/save"]


def test_what_a_killed_save_left_does_not_count(project) -> None:
    """Also of a first import: the audience belongs to nobody yet."""
    source = project.store.add_source(DataSource(name="crm"))
    project.store.add_audience(Audience(name="vip", type=AudienceType.SHARED, source_id=source.id, segment="24"))
    with pytest.raises(UnknownNameError):
        save(project, "vip", people(project, "C1"), mode="update")
    assert save(project, "vip", people(project, "C1"), content="complete").version == 1
    audience = project.audiences.show("vip")
    assert (audience.type, audience.source_id, audience.segment) == ("list", None, "")
    project.store.add_audience(Audience(name="May_20260329_023000", type=AudienceType.LIST))
    run = "20260329T023000000001-aa/save"
    again = save(project, "May", people(project, "C1"), mode="create_unique", run_id=run)
    assert again.audience == "May_20260329_023000"


def test_what_is_imported_is_not_saved_over(project, tmp_path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("email\njohndoe@example.com\n")
    project.sources.add(DataSource(name="crm", key="email"))
    project.audiences.import_file(file, source="crm", name="Shared")
    before = project.audiences.show("Shared")
    for content in ("replace", "complete"):
        with pytest.raises(AudienceTypeError, match="imported"):
            save(project, "Shared", people(project, "C2"), content=content)
    assert project.audiences.show("Shared") == before


def test_what_else_is_kept_of_an_audience(project) -> None:
    given = {"workflow": "monthly", "description": "ü", "expires": date(2099, 12, 31)}
    save(project, "vip", people(project, "C1"), **given)
    save(project, "vip", people(project, "C2"), workflow="other")
    audience = project.audiences.show("vip")
    assert (audience.workflow, audience.description) == ("other", "ü")
    assert audience.expires == datetime(2099, 12, 31, tzinfo=UTC)
    version = project.audiences.version("vip")
    assert (version.origin, version.profiles_revision) == (Origin.WORKFLOW, project.profiles.revision)


def test_columns_that_are_saved_with_people(project) -> None:
    """They stand beside the fields of profiles, and win where both have a name; new ones replace those of before."""
    one, two, three = ids_of(project, "C1", "C2", "C3")
    save(project, "vip", [{"profile_id": one, "email": "then@x", "score": 1}, {"profile_id": two, "score": 2}])
    rows = project.audiences.members("vip").to_arrow().to_pylist()
    assert rows == [
        {"external_id": "C1", "email": "then@x", "score": 1},
        {"external_id": "C2", "email": None, "score": 2},
    ]
    assert project.audiences.members("vip", columns=["mobile_phone", "score"]).columns == ["mobile_phone", "score"]
    with pytest.raises(UnknownNameError, match="`score`"):
        project.audiences.members("vip", columns=["scor"])
    save(project, "vip", [{"profile_id": two, "city": "a"}, {"profile_id": three, "city": "b"}], content="complete")
    assert sorted(saved(project, "vip"), key=lambda row: row["profile_id"]) == [
        {"profile_id": one, "email": "then@x", "score": 1, "city": None},
        {"profile_id": two, "email": None, "score": None, "city": "a"},
        {"profile_id": three, "email": None, "score": None, "city": "b"},
    ]
    changes = project.audiences.diff("vip").to_arrow().to_pylist()
    assert changes == [{"change": "added", "external_id": "C3", "email": "Mixed@Example.com"}]


def test_a_transition_with_a_column_of_a_profiles_name_is_shown(project) -> None:
    """What came along wins over the field of the profile, and stands there once."""
    save(project, "vip", [{"profile_id": one, "email": "then@x"} for one in ids_of(project, "C1")])
    library = project.audiences.library
    rows = library.shown(Population(library.rows("vip")), None)
    assert rows.to_arrow().to_pylist() == [{"external_id": "C1", "email": "then@x"}]


def test_a_column_that_becomes_of_another_type(project) -> None:
    """It may be replaced, and both versions are compared; it is not completed."""
    save(project, "guests", [{"email": "a", "score": 1}, {"email": "b", "score": 2}], dimension=LINES)
    other = pa.table({"email": ["a", "b"], "score": ["1", "x"]})
    with pytest.raises(AudienceTypeError, match="column `score` was int64 and comes in as string"):
        save(project, "guests", other, dimension=LINES, content="complete")
    receipt = save(project, "guests", other, dimension=LINES)
    assert (receipt.version, receipt.added, receipt.removed) == (2, 1, 1)
    assert project.audiences.diff("guests").to_arrow().to_pylist() == [
        {"change": "added", "email": "b", "score": "x"},
        {"change": "removed", "email": "b", "score": "2"},
    ]


def test_lines_are_compared_whole(project) -> None:
    """A line that stands there twice counts twice; a column called `change` is told apart from ours."""
    line, other = {"change": "a", "email": "x"}, {"change": "b", "email": "x"}
    save(project, "guests", [line, line, other], dimension=LINES)
    receipt = save(project, "guests", [line, other, other], dimension=LINES)
    assert (receipt.members, receipt.added, receipt.removed) == (3, 1, 1)
    assert project.audiences.diff("guests").to_arrow().to_pylist() == [
        {"_change": "added", **other},
        {"_change": "removed", **line},
    ]
    assert project.audiences.diff("guests", 0, 2, columns=["email"]).count() == 3
    with pytest.raises(UnknownNameError):
        project.audiences.diff("guests", columns=["city"])
    again = save(project, "guests", [line, other, other], dimension=LINES, content="complete")
    assert (again.members, again.added, again.removed) == (3, 0, 0)


def test_names_of_columns_that_are_hard(project, tmp_path) -> None:
    names = ["E-Mail, {primary}", "d0", "value", "status", "a b;c=(d)", "ü\t'\"", "x_x", "profile_id"]
    table = pa.table({name: [f"{number}", None] for number, name in enumerate(names)})
    for content in ("replace", "complete", "replace"):
        receipt = save(project, "hard", table, dimension=LINES, content=content)
        assert receipt.members == 2
    assert (receipt.added, receipt.removed) == (0, 0)
    rows = project.audiences.members("hard")
    assert sorted(rows.columns) == sorted(names)
    rows.write(str(tmp_path / "hard.csv"))
    with (tmp_path / "hard.csv").open(newline="", encoding="utf-8") as file:
        assert sorted(next(csv.reader(file))) == sorted(names)


def test_a_file_of_a_workflow_is_reconciled_by_a_column(project) -> None:
    save(project, "guests", [*GUESTS, GUESTS[0], {"email": None}, {"email": ""}], dimension=LINES)
    receipt = project.audiences.reconcile("guests", key="email")
    assert (receipt.lines, receipt.matched, receipt.unmatched) == (2, 1, 1)
    assert keys_of(project, "guests-profiles") == ["C1"]
    with pytest.raises(AudienceTypeError, match="no column `mobile_phone`") as caught:
        project.audiences.reconcile("guests", key="mobile_phone")
    assert "`table`" in caught.value.hint


def test_what_only_imported_audiences_can_do(project) -> None:
    """Lines of a workflow are no IDs: nothing breaks, and everything is told."""
    save(project, "guests", GUESTS, dimension=LINES)
    audiences = project.audiences
    with pytest.raises(AudienceTypeError, match="no IDs to match again"):
        audiences.refresh("guests")
    assert audiences.rejects("guests").count() == audiences.rejects("guests", unmatched=True).count() == 0
    with pytest.raises(AudienceTypeError, match="lines of a file"):
        audiences.diagnose("guests")
    with pytest.raises(AudienceTypeError, match="File audience"):
        audiences.export("guests", source="x", segment="1", to="y")
    assert audiences.library.rows("guests").columns == ("email", "table")
    audiences.delete("guests")
    assert audiences.list() == []


def test_an_empty_population(project) -> None:
    none = pa.table({"profile_id": pa.array([], pa.int64()), "city": pa.array([], pa.string())})
    assert save(project, "nobody", none).members == 0
    assert saved(project, "nobody") == []
    save(project, "nobody", people(project, "C1"), content="complete")
    assert save(project, "nobody", none).removed == 1
    assert project.audiences.rollback("nobody").members == 1


def test_a_list_of_reconciled_addresses_is_completed(project) -> None:
    """Its rows were made by another hand: its members stay."""
    save(project, "guests", GUESTS, dimension=LINES)
    project.audiences.reconcile("guests", key="email", target="vip")
    receipt = save(project, "vip", [{"profile_id": ids_of(project, "C2")[0], "score": 1}], content="complete")
    assert (receipt.members, receipt.added, receipt.removed) == (2, 1, 0)
    assert keys_of(project, "vip") == ["C1", "C2"]
    assert keys_of(project, "vip", version=1) == ["C1"]


def test_a_plan_writes_nothing(project) -> None:
    save(project, "vip", people(project, "C1"))
    before = project.audiences.show("vip"), project.store.runs()
    tables = project.lake.root / "tables"
    files = sorted(tables.rglob("*"))
    for name in ("vip", "new"):
        planned = save(project, name, people(project, "C1", "C2"), plan=True)
        assert planned.members == 2
    assert (project.audiences.show("vip"), project.store.runs()) == before
    assert sorted(tables.rglob("*")) == files
    assert list((project.lake.root / "attempts").iterdir()) == []
    done = save(project, "vip", people(project, "C1", "C2"))
    assert msgspec.structs.replace(done, seconds=0) == msgspec.structs.replace(
        save(project, "vip2", people(project, "C1", "C2"), plan=True), audience="vip", version=2, added=1, seconds=0
    )
