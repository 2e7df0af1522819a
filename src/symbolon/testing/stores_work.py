# ruff: noqa: S101 - a suite of tests
"""What every store must do with the records of work: runs and their steps, definitions, arrivals.

Invariant: the newest version of a definition is replaced only by who knows it; of several at once, one does.
"""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from symbolon.errors import SymbolonError, UnknownNameError
from symbolon.records import Arrival, ArrivalState, Definition, DefinitionKind, Run, RunState, RunStep, StepState
from symbolon.store import StoreConflict, StoreValueError
from symbolon.testing.marks import Conformance

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.store import Store

_NOW = dt.datetime(2026, 3, 29, 2, 30, 0, 123456, dt.UTC)
_FACTS = {"counts": {"vip": 3, "réste": 0}, "share": 0.5, "asked": None, "parts": [True, "a\n'b'"]}


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Call `work` from several threads at the same moment; give results, or the errors that are Symbolon's."""
    start = threading.Barrier(count)

    def call(number: int) -> object:
        start.wait()
        try:
            return work(number)
        except SymbolonError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


class WorkRecordsConformance(Conformance):
    """A part of `StoreConformance`."""

    def test_runs(self, store: Store) -> None:
        """Runs are noted when they begin and when they end; the newest comes first."""
        runs = [Run.begin("audience import", f"a{number}") for number in range(3)]
        for run in runs:
            store.start_run(run)
        store.finish_run(runs[0].id, RunState.DONE)
        store.finish_run(runs[1].id, RunState.FAILED, "secret.wrong_key")
        assert [run.id for run in store.runs()] == [run.id for run in reversed(runs)]
        assert [run.id for run in store.runs(limit=1)] == [runs[2].id]
        assert store.run(runs[2].id) == runs[2]
        assert (store.run(runs[0].id).state, store.run(runs[0].id).finished is None) == (RunState.DONE, False)
        assert store.run(runs[1].id).error == "secret.wrong_key"
        with pytest.raises(StoreConflict):
            store.start_run(runs[0])

    def test_runs_change(self, store: Store) -> None:
        """State, facts, error and end change; what was asked for does not."""
        begun = msgspec.structs.replace(_run("news"), workflow_version=7, facts=_FACTS)
        store.start_run(begun)
        assert store.run(begun.id) == begun
        ended = msgspec.structs.replace(
            begun, state=RunState.STOPPED, facts={"asked": "stop"}, error="run.cancelled", finished=_NOW
        )
        assert not store.move_run(msgspec.structs.replace(ended, state=RunState.RUNNING), RunState.QUEUED)
        assert store.run(begun.id) == begun
        assert store.move_run(ended, begun.state)
        assert store.run(begun.id) == ended
        store.update_run(msgspec.structs.replace(ended, work="other", workflow="other", workflow_version=1))
        assert store.run(begun.id) == ended
        with pytest.raises(UnknownNameError):
            store.update_run(_run("news"))

    def test_runs_of_one_kind(self, store: Store) -> None:
        """Those of a work or of a workflow are found among the others."""
        imported, news, vip = Run.begin("audience import", "a"), _run("news"), _run("vip")
        for run in (imported, news, vip):
            store.start_run(run)
        assert store.runs(work="workflow") == [vip, news]
        assert store.runs(workflow="news") == [news]
        assert store.runs(work="workflow", workflow="vip", limit=5) == [vip]
        assert store.runs(1, work="audience import") == [imported]
        assert store.runs(work="audience import", workflow="news") == []

    def test_runs_are_removed_with_their_steps(self, store: Store) -> None:
        """Only those that have ended, however many are named at once."""
        runs = [_run(f"w{number}") for number in range(4)]
        for run, state in zip(runs, (RunState.DONE, RunState.PAUSED, RunState.FAILED, RunState.DONE), strict=True):
            store.start_run(run)
            store.put_step(RunStep(run_id=run.id, step="query"))
            store.update_run(msgspec.structs.replace(run, state=state))
        named = [run.id for run in runs[:3]] + [f"nobody-{number}" for number in range(70_000)]
        assert store.delete_runs(named) == 2
        assert {run.id for run in store.runs()} == {runs[1].id, runs[3].id}
        assert [len(store.steps(run.id)) for run in runs] == [0, 1, 0, 1]
        assert store.delete_runs([]) == 0

    def test_steps(self, store: Store) -> None:
        """They come in the order in which they were first begun, and change in place."""
        run = _run("news")
        store.start_run(run)
        first = RunStep(run_id=run.id, step="z", started=_NOW, facts=_FACTS)
        second = RunStep(run_id=run.id, step="a", state=StepState.WAITING, attempt=2, started=_NOW)
        for step in (first, second):
            store.put_step(step)
        assert store.steps(run.id) == [first, second]
        done = msgspec.structs.replace(
            first, state=StepState.FAILED, attempt=3, finished=_NOW, error="engine.lost", facts={}
        )
        store.put_step(done)
        assert store.steps(run.id) == [done, second]
        with pytest.raises(UnknownNameError):
            store.put_step(RunStep(run_id="nobody", step="a"))
        assert store.steps("nobody") == []

    def test_steps_noted_at_once(self, store: Store) -> None:
        """Branches that begin together are all noted, and one that is noted twice is there once."""
        run = _run("news")
        store.start_run(run)
        outcomes = at_once(8, lambda number: store.put_step(RunStep(run_id=run.id, step=f"s{number // 2}")))
        assert outcomes == [None] * 8
        assert sorted(step.step for step in store.steps(run.id)) == ["s0", "s1", "s2", "s3"]

    def test_definitions_have_versions(self, store: Store) -> None:
        """Every version stays as it was; the newest is what is meant where none is named."""
        kind = DefinitionKind.TRANSPORT
        first = store.put_definition(Definition(kind=kind, name="ü", body='{"a": 1}', secret=b"\x00\xff"), base=0)
        second = store.put_definition(Definition(kind=kind, name="ü", version=9, body="{}"), base=1)
        assert (first.version, second.version) == (1, 2)
        assert first.created is not None
        assert store.definition(kind, "ü") == store.definition(kind, "ü", 2) == second
        assert store.definition(kind, "ü", 1) == first
        assert (first.secret, second.secret) == (b"\x00\xff", None)
        assert store.definition_versions(kind, "ü") == [second, first]
        assert store.definition_versions(kind, "nobody") == []
        with pytest.raises(UnknownNameError):
            store.definition(kind, "ü", 3)

    def test_definitions_by_kind(self, store: Store) -> None:
        """Names are unique within a kind, and lists have one order everywhere."""
        names = ["_x", "a b", "B", "b", "Ä", "10", "9"]
        for name in names:
            store.put_definition(Definition(kind=DefinitionKind.FEED, name=name), base=0)
        store.put_definition(Definition(kind=DefinitionKind.FEED, name="b", body="[2]"), base=1)
        other = store.put_definition(Definition(kind=DefinitionKind.WORKFLOW, name="b", body="[1]"), base=0)
        found = store.definitions(DefinitionKind.FEED)
        assert [one.name for one in found] == sorted(names)
        assert {one.name: one.version for one in found}["b"] == 2
        assert store.definitions(DefinitionKind.WORKFLOW) == [other]
        assert store.definitions(DefinitionKind.SHARE) == []
        with pytest.raises(UnknownNameError, match="`a b`"):
            store.definition(DefinitionKind.FEED, "a  b")

    def test_definitions_are_removed_whole(self, store: Store) -> None:
        """All versions of one go; its name begins anew."""
        for kind in (DefinitionKind.FEED, DefinitionKind.ACTIVATION):
            store.put_definition(Definition(kind=kind, name="x"), base=0)
            store.put_definition(Definition(kind=kind, name="x", body="[]"), base=1)
        store.delete_definition(DefinitionKind.FEED, "x")
        assert store.definition_versions(DefinitionKind.FEED, "x") == []
        assert len(store.definition_versions(DefinitionKind.ACTIVATION, "x")) == 2
        with pytest.raises(UnknownNameError):
            store.delete_definition(DefinitionKind.FEED, "x")
        assert store.put_definition(Definition(kind=DefinitionKind.FEED, name="x"), base=0).version == 1

    def test_a_definition_from_an_old_base(self, store: Store) -> None:
        """Whoever started from a version that is not the newest is refused, and nothing changes."""
        kind = DefinitionKind.WORKFLOW
        kept = store.put_definition(Definition(kind=kind, name="x", body='"kept"'), base=0)
        for base in (0, 2, 7):
            with pytest.raises(StoreConflict):
                store.put_definition(Definition(kind=kind, name="x", body='"late"'), base=base)
        with pytest.raises(StoreConflict):
            store.put_definition(Definition(kind=kind, name="new"), base=1)
        assert store.definition_versions(kind, "x") == [kept]
        assert store.definition_versions(kind, "new") == []

    def test_one_of_many_puts_a_definition(self, store: Store) -> None:
        """Of several that change one definition at once, exactly one succeeds, at each version."""
        kind = DefinitionKind.WORKFLOW
        for base in range(3):
            bodies = [f'"{base}-{number}"' for number in range(6)]
            outcomes = at_once(
                6,
                lambda number, base=base, bodies=bodies: store.put_definition(  # type: ignore[misc]
                    Definition(kind=kind, name="x", body=bodies[number]), base=base
                ),
            )
            won = [outcome for outcome in outcomes if isinstance(outcome, Definition)]
            assert len(won) == 1
            assert sum(isinstance(outcome, StoreConflict) for outcome in outcomes) == 5
            assert store.definition(kind, "x") == won[0]
        assert [one.version for one in store.definition_versions(kind, "x")] == [3, 2, 1]

    def test_a_definition_changed_while_it_is_removed(self, store: Store) -> None:
        """Either comes first; a version without the ones before it never stays."""
        kind = DefinitionKind.WORKFLOW

        def either(number: int) -> object:
            if number:
                return store.put_definition(Definition(kind=kind, name="x"), base=2)
            store.delete_definition(kind, "x")
            return None

        for _ in range(4):
            for base in (0, 1):
                store.put_definition(Definition(kind=kind, name="x"), base=base)
            removed, put = at_once(2, either)
            assert removed is None
            assert isinstance(put, (Definition, StoreConflict))
            assert store.definition_versions(kind, "x") == []

    def test_arrivals(self, store: Store) -> None:
        """They are saved once and changed in place; the moment they were first seen stays."""
        assert store.arrival("crm", "a") is None
        store.put_arrival(Arrival(feed="crm", name="a", fingerprint="00ff", facts={"files": ["a.sync"]}))
        first = store.arrival("crm", "a")
        assert first is not None
        assert first.first_seen is not None
        assert (first.first_seen, first.state, first.fingerprint) == (first.changed, ArrivalState.WAITING, "00ff")
        store.put_arrival(
            Arrival(
                feed="crm",
                name="a",
                state=ArrivalState.IMPORTED,
                fingerprint="11",
                facts={"seconds": 0.5},
                first_seen=_NOW,
            )
        )
        second = store.arrival("crm", "a")
        assert second is not None
        assert second.changed is not None
        assert first.changed is not None
        assert (second.state, second.fingerprint, second.facts) == (ArrivalState.IMPORTED, "11", {"seconds": 0.5})
        assert second.first_seen == first.first_seen
        assert second.changed >= first.changed
        assert store.arrival("other", "a") is None

    def test_arrivals_of_a_feed(self, store: Store) -> None:
        """The newest comes first; those of a state are found among the others."""
        for number in range(4):
            state = ArrivalState.REFUSED if number % 2 else ArrivalState.WAITING
            seen = _NOW + dt.timedelta(seconds=number)
            store.put_arrival(Arrival(feed="crm", name=f"n{number}", state=state, first_seen=seen))
        store.put_arrival(Arrival(feed="other", name="n9"))
        assert [one.name for one in store.arrivals("crm")] == ["n3", "n2", "n1", "n0"]
        assert [one.name for one in store.arrivals("crm", state=ArrivalState.REFUSED)] == ["n3", "n1"]
        assert [one.name for one in store.arrivals("crm", limit=2)] == ["n3", "n2"]
        assert store.arrivals("nobody") == []

    def test_arrivals_seen_at_once(self, store: Store) -> None:
        """Two that see a file set at the same moment note it once."""
        outcomes = at_once(6, lambda number: store.put_arrival(Arrival(feed="crm", name="a", fingerprint=str(number))))
        assert outcomes == [None] * 6
        assert len(store.arrivals("crm")) == 1

    def test_work_that_does_not_fit_is_refused(self, store: Store) -> None:
        """Texts and numbers have bounds here too, and the message does not repeat them."""
        run = _run("news")
        store.start_run(run)
        kind = DefinitionKind.FEED
        refused: list[Callable[[], object]] = [
            lambda: store.start_run(msgspec.structs.replace(_run("x"), workflow="canary" * 50)),
            lambda: store.start_run(msgspec.structs.replace(_run("x"), workflow_version=2**31)),
            lambda: store.update_run(msgspec.structs.replace(run, error="canary" * 50)),
            lambda: store.put_step(RunStep(run_id=run.id, step="canary" * 50)),
            lambda: store.put_definition(Definition(kind=kind, name="canary" * 50), base=0),
            lambda: store.put_definition(Definition(kind=kind, name="x", body="canary\0"), base=0),
            lambda: store.put_arrival(Arrival(feed="crm", name="canary" * 50)),
            lambda: store.put_arrival(Arrival(feed="crm", name="a\ud800canary")),
        ]
        for call in refused:
            with pytest.raises(StoreValueError) as caught:
                call()
            assert "canary" not in str(caught.value)
        assert store.runs() == [run]
        assert (store.steps(run.id), store.definitions(kind), store.arrivals("crm")) == ([], [], [])


def _run(workflow: str) -> Run:
    return msgspec.structs.replace(Run.begin("workflow", workflow), workflow=workflow)
