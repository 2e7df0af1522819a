"""Data sources, as activities see them through the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.errors import SymbolonError
from symbolon.targeting.activity import Mode

if TYPE_CHECKING:
    from symbolon.records import DataSource
    from symbolon.targeting.activity import Context


def source_of(context: Context, name: str) -> DataSource | None:
    """Give a data source; None where a check finds that it is unknown, and notes it.

    Raises:
        UnknownNameError: in a plan or a run, nothing has this name.
    """
    try:
        return context.library.source(name)
    except SymbolonError as error:
        if context.mode is not Mode.CHECK:
            raise
        context.fault("source", error.summary, error.hint)
        return None
