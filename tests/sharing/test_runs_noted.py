"""What is told of a run never hides why it failed."""

from __future__ import annotations

import pytest

from symbolon.errors import EngineError
from symbolon.records import RunState
from symbolon.sharing.runs import noted
from symbolon.store import StoreFailed


class _Gone:
    """A store that went away after the run began."""

    def start_run(self, run) -> None:
        self.begun = run

    def finish_run(self, *_: object) -> None:
        raise StoreFailed("gone")


def test_the_first_error_is_told() -> None:
    with pytest.raises(EngineError, match="the first"), noted(_Gone(), "audience import", "a"):
        raise EngineError("the first")


def test_what_was_published_is_not_called_failed() -> None:
    with noted(_Gone(), "audience import", "a") as run:
        assert run.id


def test_states(project) -> None:
    with noted(project.store, "audience refresh", "a") as good:
        assert project.store.run(good.id).state is RunState.RUNNING
    with pytest.raises(KeyboardInterrupt), noted(project.store, "audience refresh", "a"):
        raise KeyboardInterrupt
    with noted(project.store, "audience refresh", "a", plan=True):
        pass
    assert [(run.state, run.error) for run in project.store.runs()] == [
        (RunState.FAILED, "KeyboardInterrupt"),
        (RunState.DONE, ""),
    ]
