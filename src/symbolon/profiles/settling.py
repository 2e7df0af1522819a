"""Tables brought back to the version that counts, after a process died between the lake and the state record.

Invariant: before a table is changed, its newest version is the one that the state record names; so no layer is ever
laid on what a killed process committed and nobody saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from symbolon.profiles import digests, links
from symbolon.profiles.state import rows_table

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, Lake, LayeredTable
    from symbolon.profiles.state import ProfilesState


def forget_old(lake: Lake, before: ProfilesState, after: ProfilesState) -> None:
    """Remove the files of what a new base replaced, but for the version just before it: others may be reading it."""
    pairs = [(rows_table(lake, after), before.rows, after.rows), (links.table(lake), before.links, after.links)]
    for name, index in after.indexes.items():
        if name in before.indexes:
            table = digests.table(lake, digests.key_of(index))
            pairs.append((table, before.indexes[name].version, index.version))
    for table, old, new in pairs:
        if old is not None and old != new and not table.layers(new):
            table.table.forget_before(old)


def settled(lake: Lake, engine: Engine, state: ProfilesState, directory: Path) -> ProfilesState:
    """Give the state with versions that are the newest of their tables, and the same rows in them.

    Where everything ended well this only looks. A table that went on without the state is written anew, as it counts.
    """
    if state.rows is not None:
        state = msgspec.structs.replace(state, rows=_settle(rows_table(lake, state), engine, state.rows, directory))
    if state.links is not None:
        state = msgspec.structs.replace(state, links=_settle(links.table(lake), engine, state.links, directory))
    indexes = {
        name: msgspec.structs.replace(
            index, version=_settle(digests.table(lake, digests.key_of(index)), engine, index.version, directory)
        )
        for name, index in state.indexes.items()
    }
    return msgspec.structs.replace(state, indexes=indexes)


def _settle(table: LayeredTable, engine: Engine, version: int, directory: Path) -> int:
    newest = table.version
    if newest == version:
        return version
    rows = table.layer(table.current(engine, version), 0)
    name = table.table.name.replace("/", "-")
    files = engine.write(rows, directory / "settled", table.stored_schema, prefix=name)
    return table.replace_base(files, expected_version=newest)
