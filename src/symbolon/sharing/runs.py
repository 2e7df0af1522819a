"""A run, noted when it begins and when it ends, however it ends.

Invariant: what is told of a run never hides why it failed, nor that it was published: if the store cannot be written to
at the end, the record stays open, and `symbolon doctor --fix` closes it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from symbolon.errors import SymbolonError
from symbolon.records import Run, RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolon.store import Store


@contextmanager
def noted(store: Store, work: str, subject: str, *, plan: bool = False) -> Iterator[Run]:
    """Note a run while its work is done.

    Args:
        store: where it is noted.
        work: what is done: `audience import`.
        subject: to which audience.
        plan: nothing is done, so nothing is noted.
    """
    run = Run.begin(work, subject)
    if plan:
        yield run
        return
    store.start_run(run)
    try:
        yield run
    except BaseException as error:
        with suppress(SymbolonError):
            store.finish_run(run.id, RunState.FAILED, getattr(error, "code", type(error).__name__))
        raise
    with suppress(SymbolonError):
        store.finish_run(run.id, RunState.DONE)
