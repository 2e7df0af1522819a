"""Query audiences are rules: evaluated at use, named by reference, changed by edits, kept by freezing; and expiry."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from saving import LINES, ids_of, keys_of, save

from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceType, DataSource, Origin, RunState
from symbolon.sharing import locks
from symbolon.sharing.errors import AudienceTypeError, ExpiryError, VersionUnknown
from symbolon.store import NameTaken
from symbolon.targeting.conditions import ConditionError

FIRST = "external_id IN ('C1', 'C2')"
LATER = datetime(2099, 1, 1, tzinfo=UTC)


def test_a_rule_is_evaluated_at_use(project, tmp_path) -> None:
    receipt = project.audiences.create("phones", "mobile_phone LIKE '+336123456%'", description="ü", expires=LATER)
    assert (receipt.version, receipt.members, receipt.added, receipt.faults()) == (1, 2, 2, [])
    assert keys_of(project, "phones") == ["C1", "C2"]
    audience = project.audiences.show("phones")
    assert (audience.type, audience.dimension, audience.members) == (AudienceType.QUERY, "profile", 2)
    assert (audience.description, audience.expires) == ("ü", LATER)
    assert audience.counted is not None
    people = tmp_path / "more.csv"
    people.write_text("external_id,mobile_phone\nC3,+33612345670\n")
    project.profiles.import_file(people)
    assert keys_of(project, "phones") == ["C1", "C2", "C3"]
    assert project.audiences.show("phones").members == 2
    assert project.audiences.count("phones") == 3
    counted = project.audiences.show("phones")
    assert counted.members == 3
    assert counted.counted > audience.counted
    assert project.audiences.versions("phones")[0].origin is Origin.DEFINE


def test_an_edit_reaches_whatever_names_it(project) -> None:
    audiences = project.audiences
    audiences.create("inner", FIRST)
    audiences.create("outer", "in_audience('inner') OR external_id = 'C7'")
    assert keys_of(project, "outer") == ["C1", "C2", "C7"]
    planned = audiences.edit("inner", rule="external_id IN ('C2', 'C3', 'C4')", plan=True)
    assert (planned.members, planned.added, planned.removed) == (3, 2, 1)
    assert keys_of(project, "outer") == ["C1", "C2", "C7"]
    done = audiences.edit("inner", rule="external_id IN ('C2', 'C3', 'C4')", description="new")
    assert done == planned
    assert keys_of(project, "outer") == ["C2", "C3", "C4", "C7"]
    audience = audiences.show("inner")
    assert (audience.version, audience.members, audience.description) == (2, 3, "new")
    assert [(run.work, run.state) for run in project.store.runs(1)] == [("audience edit", RunState.DONE)]


def test_rules_in_a_circle(project) -> None:
    audiences = project.audiences
    audiences.create("a", FIRST)
    audiences.create("b", "in_audience('a')")
    audiences.create("c", "in_audience('b')")
    for rule in ("in_audience('a')", "in_audience('c')"):
        with pytest.raises(ConditionError, match="circle"):
            audiences.edit("a", rule=rule)
    with pytest.raises((ConditionError, UnknownNameError)):
        audiences.create("self", "in_audience('self')")
    assert audiences.show("a").rule == FIRST
    assert [one.name for one in audiences.list()] == ["a", "b", "c"]
    # two edits at once may make one all the same: it is refused at use, and can be mended
    wrong = msgspec.structs.replace(project.store.audience("a"), rule="in_audience('c')")
    project.store.update_audience(wrong)
    with pytest.raises(ConditionError, match="circle"):
        keys_of(project, "c")
    assert audiences.edit("a", rule=FIRST).members == 2
    assert keys_of(project, "c") == ["C1", "C2"]


@pytest.mark.parametrize(
    "rule",
    [
        "nobody = 1",
        "email",
        "",
        "TRUE; DROP TABLE profiles",
        "in_audience('nobody')",
        "1 = (SELECT 1)",
        "email = '",
    ],
)
def test_a_rule_that_is_none(project, rule: str) -> None:
    project.audiences.create("there", FIRST)
    before = project.audiences.show("there")
    for call in (lambda: project.audiences.create("new", rule), lambda: project.audiences.edit("there", rule=rule)):
        with pytest.raises((ConditionError, UnknownNameError)):
            call()
    assert project.audiences.list() == [before]


def test_names_are_taken_once(project) -> None:
    save(project, "vip", [])
    for _ in range(2):
        with pytest.raises(NameTaken):
            project.audiences.create("vip", FIRST)
    source = project.store.add_source(DataSource(name="crm"))
    project.store.add_audience(Audience(name="left", type=AudienceType.SHARED, source_id=source.id, segment="1"))
    project.audiences.create("left", FIRST)  # a killed import left the name
    assert (project.audiences.show("left").source_id, project.audiences.show("left").segment) == (None, "")
    assert project.audiences.create("planned", FIRST, plan=True).members == 2
    with pytest.raises(UnknownNameError):
        project.audiences.show("planned")


def test_only_a_query_audience_has_a_rule(project) -> None:
    save(project, "list", [{"profile_id": one} for one in ids_of(project, "C1")])
    save(project, "file", [{"email": "a"}], dimension=LINES)
    for name in ("list", "file"):
        for call in (
            lambda name=name: project.audiences.edit(name, rule=FIRST),
            lambda name=name: project.audiences.freeze(name),
            lambda name=name: project.audiences.count(name),
        ):
            with pytest.raises(AudienceTypeError, match="only a Query audience has a rule"):
                call()
        assert project.audiences.edit(name, description="d", expires=LATER) is None
        assert (project.audiences.show(name).description, project.audiences.show(name).expires) == ("d", LATER)
        assert project.audiences.show(name).version == 1
    with pytest.raises(UnknownNameError):
        project.audiences.edit("nobody", description="d")


def test_freezing(project) -> None:
    audiences = project.audiences
    audiences.create("q", FIRST)
    assert audiences.freeze("q", plan=True).members == 2
    assert [one.name for one in audiences.list()] == ["q"]
    receipt = audiences.freeze("q")
    assert (receipt.audience, receipt.members, receipt.added) == ("q-frozen", 2, 2)
    audiences.edit("q", rule="external_id IN ('C2', 'C3')")
    assert keys_of(project, "q-frozen") == ["C1", "C2"]
    again = audiences.freeze("q")
    assert (again.version, again.added, again.removed) == (2, 1, 1)
    assert audiences.version("q-frozen").origin is Origin.FREEZE
    assert [row["change"] for row in audiences.diff("q-frozen").to_arrow().to_pylist()] == ["added", "removed"]
    with pytest.raises(AudienceTypeError):
        audiences.diff("q")


def test_a_rule_that_is_replaced_by_a_list(project) -> None:
    """By a workflow, or by freezing under its own name; the rule is gone, and nothing pretends otherwise."""
    audiences = project.audiences
    audiences.create("q", FIRST)
    for content in ("complete", "replace"):
        with pytest.raises(AudienceTypeError, match="Query audience"):
            save(project, "q", [], content=content, mode="update")
    receipt = save(project, "q", [{"profile_id": one} for one in ids_of(project, "C2", "C3", "C7")])
    assert (receipt.version, receipt.added, receipt.removed) == (2, 2, 1)
    audience = audiences.show("q")
    assert (audience.type, audience.rule, audience.counted, audience.members) == (AudienceType.LIST, "", None, 3)
    for call in (
        lambda: audiences.rollback("q"),
        lambda: audiences.diff("q"),
        lambda: keys_of(project, "q", version=1),
    ):
        with pytest.raises(AudienceTypeError, match="was a rule"):
            call()
    with pytest.raises(VersionUnknown):
        keys_of(project, "q", version=9)
    assert keys_of(project, "q") == ["C2", "C3", "C7"]


def test_a_rule_that_does_not_hold_any_more_can_be_replaced(project) -> None:
    audiences = project.audiences
    audiences.create("inner", FIRST)
    audiences.create("outer", "in_audience('inner')")
    audiences.delete("inner")
    with pytest.raises(UnknownNameError, match="inner"):
        keys_of(project, "outer")
    assert audiences.edit("outer", rule=FIRST).members == 2
    project.store.update_audience(msgspec.structs.replace(audiences.show("outer"), rule="in_audience('inner')"))
    assert save(project, "outer", []).members == 0


def test_counting_does_not_undo_an_edit(project, monkeypatch) -> None:
    """Somebody gives another rule while the members of the old one are counted."""
    audiences = project.audiences
    audiences.create("q", FIRST)
    counted = audiences.queries._engine.count

    def slowly(relation):
        monkeypatch.undo()
        found = counted(relation)
        audiences.edit("q", rule="external_id = 'C3'")
        return found

    monkeypatch.setattr(audiences.queries._engine, "count", slowly)
    assert audiences.count("q") == 2
    audience = audiences.show("q")
    assert (audience.rule, audience.members) == ("external_id = 'C3'", 1)


def test_expiry(project, monkeypatch) -> None:
    """Those whose day has come go with their rows; one that is being changed goes the next time."""
    audiences = project.audiences
    save(project, "list", [{"profile_id": one} for one in ids_of(project, "C1")], expires=date(2030, 1, 1))
    audiences.create("query", FIRST, expires=datetime(2030, 1, 2, tzinfo=UTC))
    save(project, "kept", [])
    save(project, "busy", [], expires=date(2030, 1, 1))
    assert audiences.expire() == []
    assert audiences.expire(datetime(2029, 12, 31, 23, 59, tzinfo=UTC)) == []
    rows = project.lake.root / "tables" / "audiences" / str(audiences.show("list").id)
    assert any(rows.rglob("*.parquet"))
    monkeypatch.setattr(locks, "LOCK_WAIT_S", 0.05)
    taken, free = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.audience_lock(project.settings, "busy"):
            taken.set()
            free.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(20)
    assert audiences.expire(datetime(2030, 1, 1, tzinfo=UTC)) == ["list"]
    free.set()
    holder.join()
    assert not any(rows.rglob("*.parquet"))
    assert [one.name for one in audiences.expired(datetime(2030, 1, 3, tzinfo=UTC))] == ["busy", "query"]
    assert audiences.expire(datetime(2030, 1, 3, tzinfo=UTC)) == ["busy", "query"]
    assert [one.name for one in audiences.list()] == ["kept"]


def test_what_expires_without_a_version(project) -> None:
    """A killed save left it: it goes too, and keeps nobody else from going."""
    source = project.store.add_audience(Audience(name="left", type=AudienceType.LIST, expires=datetime.now(UTC)))
    assert source.version == 0
    assert project.audiences.expire() == ["left"]


def test_the_day_of_expiry_is_one_to_come(project) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    save(project, "vip", [], expires=date(2099, 1, 1))
    for call in (
        lambda: project.audiences.create("q", FIRST, expires=past),
        lambda: project.audiences.edit("vip", expires=past),
    ):
        with pytest.raises(ExpiryError):
            call()
    project.audiences.edit("vip", description="x")
    assert project.audiences.show("vip").expires == LATER
    project.audiences.edit("vip", never_expires=True)
    assert project.audiences.show("vip").expires is None
