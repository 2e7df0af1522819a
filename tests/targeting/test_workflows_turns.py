"""Runs of one workflow that meet: who waits is queued, is left alone by workers, and can be stopped."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from workflow_shop import MONTHLY

import symbolon
from symbolon.records import RunState, StepState
from symbolon.runs.alive import in_turn
from symbolon.targeting.faults import RunNotPossible, WorkflowBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from symbolon.records import Run


@contextmanager
def waiting(shop, text: str = MONTHLY) -> Iterator[Run]:
    """Give a run that waits for its turn in a live process, which it gets after the block."""
    with in_turn(shop.settings.locks_dir, "monthly"):
        second = threading.Thread(target=lambda: shop.workflows.run(shop.workflows.read(text)), daemon=True)
        second.start()
        until = time.monotonic() + 60
        while not shop.workflows.runs() and time.monotonic() < until:
            time.sleep(0.02)
        (run,) = shop.workflows.runs()
        yield run
    second.join(timeout=120)
    assert not second.is_alive()


def test_a_run_that_is_cancelled_while_it_waits_never_begins(shop) -> None:
    with waiting(shop) as run:
        assert run.state is RunState.QUEUED
        with symbolon.open(shop.settings.project) as other:
            other.workflows.cancel(run.id)
    assert shop.workflows.show_run(run.id).state is RunState.STOPPED
    assert shop.workflows.steps(run.id) == []
    assert shop.audiences.list() == []


def test_a_worker_leaves_a_run_that_waits_for_its_turn(shop) -> None:
    with waiting(shop) as run:
        assert not shop.workflows.is_interrupted(run)
        with symbolon.open(shop.settings.project) as other:
            assert other.workflows.work_off() == []
        assert shop.workflows.show_run(run.id) == run
    ended = shop.workflows.show_run(run.id)
    assert (ended.state, ended.facts.get("executions", 0)) == (RunState.DONE, 0)


def test_a_run_that_waits_counts_where_overlap_is_refused(shop) -> None:
    refusing = MONTHLY.replace("name: monthly", "name: monthly\non_overlap: refuse")
    with waiting(shop), symbolon.open(shop.settings.project) as other, pytest.raises(WorkflowBusy):
        other.workflows.run(other.workflows.read(refusing))


IGNORING = """\
name: ignoring
on_error: ignore
activities:
  - {id: start, type: query, where: NOT opt_out_email}
  - {id: among, type: query, from: start, where: "in_audience('Last')"}
  - {id: french, type: query, from: start, where: country = 'FR'}
  - {id: save, type: save_audience, from: french, audience: French}
"""


def test_a_fault_that_is_ignored_fails_no_other_branch(shop) -> None:
    shop.workflows.run(shop.workflows.read(MONTHLY))
    run = shop.workflows.run(shop.workflows.read(IGNORING))
    shop.audiences.delete("Last")
    shop.workflows.restart(run.id, "start")
    states = {step.step: step.state for step in shop.workflows.steps(run.id)}
    assert states.pop("among") is StepState.FAILED
    assert set(states.values()) == {StepState.DONE}


def test_runs_of_a_workflow_that_is_deleted_are_forgotten(shop) -> None:
    run = shop.workflows.run(shop.workflows.read(MONTHLY.replace("name: monthly", "name: monthly\nkeep_days: 3")))
    shop.workflows.delete("monthly")
    assert shop.workflows.forget(run.started + timedelta(days=2)) == 0
    assert shop.workflows.forget(run.started + timedelta(days=4)) == 1
    assert not [name for name in shop.lake.tables() if name.startswith("runs/")]


WAITING = """\
name: monthly
activities:
  - {id: start, type: query, where: NOT opt_out_email}
  - {id: go, type: external_signal, from: start}
  - {id: save, type: save_audience, from: start, audience: Signalled}
"""


def eventually(say: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not say():
        assert time.monotonic() < until
        time.sleep(0.05)


def waits(shop, run_id: str) -> bool:
    return any(step.state is StepState.WAITING for step in shop.workflows.steps(run_id))


def test_a_signal_goes_to_the_run_that_waits_for_it(shop) -> None:
    workflow = shop.workflows.read(WAITING)
    shop.workflows.save(workflow)
    with pytest.raises(RunNotPossible, match="waits for a signal"):
        shop.workflows.signal("monthly", "go", {})
    first = threading.Thread(target=lambda: shop.workflows.run(workflow), daemon=True)
    first.start()
    eventually(lambda: bool(shop.workflows.runs()))
    (run,) = shop.workflows.runs()
    eventually(lambda: waits(shop, run.id))
    queued = shop.workflows.submit(workflow)
    assert shop.workflows.signal("monthly", "go", {}).id == run.id
    first.join(timeout=60)
    assert shop.workflows.show_run(run.id).state is RunState.DONE
    shop.workflows.cancel(queued.id)
    with pytest.raises(RunNotPossible, match="waits for a signal"):
        shop.workflows.signal("monthly", "go", {})


MOMENT = WAITING.replace("{id: go, type: external_signal, from: start}", "{id: go, type: wait, from: start, for: 1h}")


@pytest.mark.parametrize("text", [WAITING, MOMENT], ids=["signal", "moment"])
def test_cancelling_ends_waiting_at_once(shop, text: str) -> None:
    first = threading.Thread(target=lambda: shop.workflows.run(shop.workflows.read(text)), daemon=True)
    first.start()
    eventually(lambda: bool(shop.workflows.runs()))
    (run,) = shop.workflows.runs()
    eventually(lambda: waits(shop, run.id))
    shop.workflows.cancel(run.id)
    first.join(timeout=60)
    assert not first.is_alive()
    assert shop.workflows.show_run(run.id).state is RunState.STOPPED
    assert shop.audiences.list() == []
