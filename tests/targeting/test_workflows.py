"""Workflows planned and run: a plan writes nothing and tells what a run does; runs pause, wait, queue and end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from workflow_shop import MONTHLY, PEOPLE, members, wanted

import symbolon
from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import RunState, StepState
from symbolon.targeting.faults import WorkflowInvalid

FILES = ("symbolon.db",)


def tree(folder: Path) -> set[str]:
    """Everything in a project that counts."""
    return {str(path.relative_to(folder)) for path in (folder / "lake" / "tables").rglob("*") if path.is_file()}


def rows_of(transitions) -> dict[str, int]:
    return {f"{one.activity}.{one.transition}": one.rows for one in transitions if one.rows is not None}


def test_a_plan_tells_what_a_run_does_and_writes_nothing(shop) -> None:
    workflow = shop.workflows.read(MONTHLY)
    before = tree(shop.settings.project)
    plan = shop.workflows.plan(workflow)
    assert tree(shop.settings.project) == before
    assert shop.audiences.list() == []
    assert shop.workflows.list() == []
    assert shop.workflows.runs() == []
    run = shop.workflows.run(workflow)
    done = {}
    for step in shop.workflows.steps(run.id):
        for name, passed in step.facts["passed"].items():
            done[f"{step.step}.{name}"] = passed["rows"]
    assert rows_of(one for activity in plan.activities for one in activity.transitions) == done
    assert done["french.result"] == len(wanted())
    receipts = {one.id: one.facts["receipt"] for one in plan.activities if "receipt" in one.facts}
    steps = {step.step: step.facts["told"] for step in shop.workflows.steps(run.id)}
    for activity in ("first", "last"):
        assert {**receipts[activity], "seconds": 0} == {**steps[activity]["receipt"], "seconds": 0}


def test_a_plan_shows_what_would_fail(shop) -> None:
    shop.workflows.run(shop.workflows.read(MONTHLY))
    text = MONTHLY.replace("audience: Last, content: complete", "audience: Nobody, mode: update")
    plan = shop.workflows.plan(shop.workflows.read(text))
    last = plan.activities[-1]
    assert (last.skipped, last.facts["error"]["code"]) == (True, "name.unknown")


def test_chains_become_few_statements(shop) -> None:
    chain = "".join(
        f"  - {{id: q{place}, type: query, from: q{place - 1}, where: external_id <> 'P00{place}'}}\n"
        for place in range(1, 9)
    )
    text = f"name: chain\nactivities:\n  - {{id: q0, type: query}}\n{chain}"
    plan = shop.workflows.plan(shop.workflows.read(text), explain=True)
    assert plan.statements == 1
    assert [one.transitions[0].rows for one in plan.activities] == [60 - place for place in range(9)]
    assert "P008" in plan.activities[-1].sql["result"]


def test_faults_of_options_and_data_are_told_together(shop) -> None:
    text = """\
name: faulty
activities:
  - {id: a, type: query, where: "emial IS NOT NULL AND contry = 'FR'"}
  - {id: b, type: query, where: "in_audience('Nobody')"}
  - {id: c, type: query, where: "email"}
  - {id: d, type: query, where: "email = ${country}"}
"""
    with pytest.raises(WorkflowInvalid) as caught:
        shop.workflows.check(shop.workflows.read(text, "faulty.yaml"))
    places = [one["place"] for one in caught.value.details["faults"]]
    assert places[:3] == ["$.activities[0].where:1:1", "$.activities[0].where:1:23", "$.activities[1].where"]
    assert "$.activities[3].where:1:9" in places
    assert any(place.startswith("$.activities[2].where") for place in places)


def test_versions(shop) -> None:
    first = shop.workflows.save(shop.workflows.read(MONTHLY))
    assert shop.workflows.save(shop.workflows.read(MONTHLY)).version == first.version == 1
    changed = MONTHLY.replace("country = 'FR'", "country = 'DE'")
    run = shop.workflows.run(shop.workflows.read(changed))
    assert run.workflow_version == 2
    assert [one.version for one in shop.workflows.versions("monthly")] == [2, 1]
    assert "'FR'" in shop.workflows.find("monthly", 1).text
    with pytest.raises(UnknownNameError, match="monthli"):
        shop.workflows.find("monthli")
    shop.workflows.delete("monthly")
    assert shop.workflows.list() == []
    assert members(shop, "First")


BAD = MONTHLY.replace("audience: First", "audience: First, mode: update")


def test_an_error_suspends_and_resuming_goes_on(shop) -> None:
    with pytest.raises(UnknownNameError):
        shop.workflows.run(shop.workflows.read(BAD))
    (run,) = shop.workflows.runs()
    assert (run.state, run.error, run.facts["at"]) == (RunState.PAUSED, "name.unknown", "first")
    with pytest.raises(UnknownNameError):
        shop.workflows.resume(run.id)
    shop.workflows.run(shop.workflows.read(MONTHLY.replace("name: monthly", "name: other")))
    assert shop.workflows.resume(run.id).state is RunState.DONE
    assert shop.audiences.show("First").version == 2
    (first,) = [step for step in shop.workflows.steps(run.id) if step.step == "first"]
    assert first.attempt == 3


def test_an_error_that_is_ignored_skips_what_follows(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(BAD.replace("name: monthly", "name: monthly\non_error: ignore")))
    assert run.state is RunState.DONE
    states = {step.step: step.state for step in shop.workflows.steps(run.id)}
    assert states["first"] is StepState.FAILED
    assert states["last"] is StepState.DONE
    assert {one.name.split("_")[0] for one in shop.audiences.list()} == {"Second", "Last"}


def test_an_error_that_stops(shop) -> None:
    with pytest.raises(UnknownNameError):
        shop.workflows.run(shop.workflows.read(BAD.replace("name: monthly", "name: monthly\non_error: stop")))
    (run,) = shop.workflows.runs()
    assert run.state is RunState.FAILED
    with pytest.raises(SymbolonError) as caught:
        shop.workflows.resume(run.id)
    assert caught.value.code == "run.state"


def test_restart_does_parts_again(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MONTHLY))
    again = shop.workflows.restart(run.id, "last")
    assert again.state is RunState.DONE
    steps = {step.step: step for step in shop.workflows.steps(run.id)}
    assert (steps["first"].attempt, steps["last"].attempt) == (1, 2)
    assert shop.audiences.show("First").version == 1
    assert shop.audiences.show("Last").version == 2
    with pytest.raises(UnknownNameError):
        shop.workflows.restart(run.id, "lost")


def test_pause_and_stop_are_asked_for_before_the_next_activity(shop) -> None:
    workflow = shop.workflows.read(MONTHLY)
    for ask, state in (("pause", RunState.PAUSED), ("cancel", RunState.STOPPED)):
        put = shop.workflows._store.put_step

        def asking(step, ask=ask, put=put):
            put(step)
            if step.step == "first" and step.state is StepState.RUNNING:
                with symbolon.open(shop.settings.project) as other:  # as another process would
                    getattr(other.workflows, ask)(step.run_id)

        shop.workflows._store.put_step = asking
        run = shop.workflows.run(workflow)
        shop.workflows._store.put_step = put
        assert run.state is state
        assert [step.step for step in shop.workflows.steps(run.id)] == ["willing", "french", "first"]
    paused = [one for one in shop.workflows.runs() if one.state is RunState.PAUSED]
    assert shop.workflows.resume(paused[0].id).state is RunState.DONE


CHILD = """
import sys, symbolon
from symbolon.targeting import WORK
from symbolon.targeting.running import Running
go = Running.go
def going(self, steps):
    print("there", flush=True)
    sys.stdin.readline()
    return go(self, steps)
Running.go = going
with symbolon.open(sys.argv[1]) as project:
    project.workflows.run(project.workflows.read(sys.argv[2]))
"""


@pytest.mark.parametrize("overlap", ["refuse", "queue"])
def test_two_runs_at_once(shop, overlap: str) -> None:
    text = MONTHLY.replace("name: monthly", f"name: monthly\non_overlap: {overlap}")
    command = [sys.executable, "-c", CHILD, str(shop.settings.project), text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as live:
        assert live.stdin is not None
        assert live.stdout is not None
        assert live.stdout.readline() == "there\n"
        if overlap == "refuse":
            with pytest.raises(SymbolonError) as caught:
                shop.workflows.run(shop.workflows.read(text))
            assert caught.value.code == "workflow.busy"
            live.stdin.write("\n")
            live.stdin.flush()
        else:
            second = threading.Thread(target=lambda: shop.workflows.run(shop.workflows.read(text)))
            second.start()
            live.stdin.write("\n")
            live.stdin.flush()
            second.join(timeout=120)
        assert live.wait(timeout=120) == 0
    ended = shop.workflows.runs()
    assert {run.state for run in ended} == {RunState.DONE}
    if overlap == "queue":
        later, earlier = ended
        steps = shop.workflows.steps(later.id)
        assert steps[0].started >= earlier.finished


def test_submitted_runs_are_done_by_a_worker(shop) -> None:
    run = shop.workflows.submit(shop.workflows.read(MONTHLY))
    bad = shop.workflows.submit(shop.workflows.read(BAD.replace("name: monthly", "name: bad").replace("First", "No")))
    assert {one.state for one in shop.workflows.runs()} == {RunState.QUEUED}
    assert shop.workflows.work_off() == [run.id, bad.id]
    assert [one.state for one in shop.workflows.runs()] == [RunState.PAUSED, RunState.DONE]
    assert shop.workflows.work_off() == []


SIGNAL = """\
name: signalled
activities:
  - id: begin
    type: external_signal
    parameters:
      land: {type: text, required: true}
      least: {type: integer, default: 0}
  - {id: chosen, type: query, from: begin, where: "country = ${land}"}
  - {id: save, type: save_audience, from: chosen, audience: "Of ${land}"}
"""


def test_parameters_are_typed_and_never_read_as_conditions(shop) -> None:
    workflow = shop.workflows.read(SIGNAL)
    shop.workflows.run(workflow, {"land": "DE"})
    assert members(shop, "Of DE") == {key for key, (_, country, _) in PEOPLE.items() if country == "DE"}
    shop.workflows.run(workflow, {"land": "FR' OR 'x' = 'x"})
    assert members(shop, "Of FR' OR 'x' = 'x") == set()
    for given, message in (
        ({}, "is missing"),
        ({"land": "FR", "least": "many"}, "integer"),
        ({"lnd": "FR"}, "declared"),
    ):
        with pytest.raises(WorkflowInvalid, match=message):
            shop.workflows.run(workflow, given)
    shop.workflows.save(workflow)
    run = shop.workflows.signal("signalled", "begin", {"land": "DE"})
    assert run is not None
    assert run.state is RunState.QUEUED
    assert shop.workflows.work_off() == [run.id]


def test_ended_runs_are_forgotten_after_their_days(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MONTHLY.replace("name: monthly", "name: monthly\nkeep_days: 3")))
    other = shop.workflows.run(shop.workflows.read(MONTHLY.replace("name: monthly", "name: longer")))
    kept = [name for name in shop.lake.tables() if name.startswith("runs/")]
    assert shop.workflows.forget(datetime.now(UTC) + timedelta(days=2)) == 0
    assert shop.workflows.forget(datetime.now(UTC) + timedelta(days=4)) == 1
    assert [one.id for one in shop.workflows.runs()] == [other.id]
    assert len([name for name in shop.lake.tables() if name.startswith("runs/")]) == len(kept) / 2
    with pytest.raises(UnknownNameError):
        shop.workflows.show_run(run.id)


def test_no_value_of_a_person_is_kept_with_a_run(shop) -> None:
    """Not in the control records, not in the durable ones."""
    shop.workflows.run(shop.workflows.read(MONTHLY))
    for name in ("symbolon.db", "symbolon.db-wal", "runs.db", "runs.db-wal"):
        path = shop.settings.project / name
        content = path.read_bytes() if path.exists() else b""
        assert b"@example.com" not in content
        assert b"P001" not in content
    assert (shop.settings.project / "runs.db").stat().st_mode & 0o777 == 0o600


def test_previews(shop) -> None:
    workflow = shop.workflows.read(MONTHLY)

    def look(population):
        rows = shop.audiences.library.shown(population, ["external_id", "country"])
        return rows.to_arrow().to_pylist()

    rows = shop.workflows.preview(workflow, "french", read=look)
    assert {row["external_id"] for row in rows} == wanted()
    with pytest.raises(UnknownNameError, match="franch"):
        shop.workflows.preview(workflow, "franch", read=look)


def test_the_receipt_of_a_run_can_be_read_again(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MONTHLY))
    (first,) = [step for step in shop.workflows.steps(run.id) if step.step == "first"]
    version = shop.audiences.version("First")
    assert first.facts["told"]["receipt"] == msgspec.to_builtins(version.receipt)
    assert version.run_id == f"{run.id}/first"
    assert os.environ.get("DBOS__APPVERSION") is None


def test_an_exclusion_of_what_failed_lets_nobody_through(shop) -> None:
    text = """\
name: careful
on_error: ignore
activities:
  - {id: everybody, type: query}
  - {id: lost, type: load_file, file: gone.csv, columns: {email: {type: text}}}
  - {id: opted_out, type: reconciliation, from: lost, keys: [{column: email}]}
  - {id: reachable, type: exclusion, from: [everybody, opted_out]}
  - {id: shared, type: save_audience, from: reachable, audience: Reachable}
  - {id: french, type: query, from: everybody, where: country = 'FR'}
  - {id: other, type: save_audience, from: french, audience: Other branch}
"""
    workflow = shop.workflows.read(text)
    plan = {one.id: one for one in shop.workflows.plan(workflow).activities}
    run = shop.workflows.run(workflow)
    assert [one.name for one in shop.audiences.list()] == ["Other branch"]
    states = {step.step: step.state for step in shop.workflows.steps(run.id)}
    assert states["lost"] is StepState.FAILED
    assert {states[name] for name in ("opted_out", "reachable", "shared")} == {StepState.SKIPPED}
    assert {name for name, one in plan.items() if one.skipped} == {"lost", "opted_out", "reachable", "shared"}
    assert (run.state, run.facts["ignored"], bool(run.error)) == (RunState.DONE, ["lost"], True)
