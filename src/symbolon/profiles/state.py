"""The one record that says which lake versions of profiles, links and digests belong together.

Invariant: readers find every table through this record, and it is changed by one compare-and-set; so a change of
profiles and of all digests of them becomes visible at once, or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from symbolon.lake import LayeredTable
from symbolon.profiles.fields import FIELDS, PROFILE_ID, type_name, type_of
from symbolon.store import TableState

if TYPE_CHECKING:
    from symbolon.lake import Lake
    from symbolon.store import Store

_NAME = "profiles"


class IndexState(msgspec.Struct, frozen=True, kw_only=True):
    """Where one kept digest index stands."""

    field: str
    scheme: str
    region: str
    algorithm: str
    #: lake version of its rows
    version: int
    #: lake version of the first words that several profiles may hold; None = surely none
    shared: int | None = None


class ProfilesState(msgspec.Struct, frozen=True, kw_only=True):
    """Where profiles, links and digests stand."""

    revision: int = 0
    #: lake version of the profiles' rows; None = there are none yet
    rows: int | None = None
    count: int = 0
    #: extra columns: name and type
    extra: dict[str, str] = {}
    #: lake version of the links; None = there are none yet
    links: int | None = None
    link_count: int = 0
    #: lake version of the rejected rows of the last import
    rejects: int | None = None
    indexes: dict[str, IndexState] = {}

    @property
    def schema(self) -> pa.Schema:
        """The columns of profiles: the internal number, the fixed fields, the extra columns."""
        extra = [pa.field(name, type_of(kind)) for name, kind in self.extra.items()]
        return pa.schema([PROFILE_ID, *FIELDS, *extra])

    def with_extra(self, fields: dict[str, pa.DataType]) -> ProfilesState:
        """Give the state with further columns behind those there are."""
        known = set(self.schema.names)
        new = {name: type_name(kind) for name, kind in fields.items() if name not in known}
        return msgspec.structs.replace(self, extra={**self.extra, **new})


def rows_table(lake: Lake, state: ProfilesState) -> LayeredTable:
    """Give the lake's table of profiles, with the columns that they have in `state`."""
    return LayeredTable(lake, "profiles/rows", state.schema, ("profile_id",))


def load(store: Store) -> ProfilesState:
    """Read the record; an empty one where nothing was imported yet."""
    found = store.state(_NAME)
    return ProfilesState() if found is None else msgspec.convert(found.facts, ProfilesState)


def save(store: Store, before: ProfilesState, after: ProfilesState) -> ProfilesState:
    """Move the record on by one revision; give what was saved.

    Raises:
        StoreConflict: somebody else moved it since `before` was read.
    """
    return keep(store, before, msgspec.structs.replace(after, revision=before.revision + 1))


def keep(store: Store, before: ProfilesState, after: ProfilesState) -> ProfilesState:
    """Save the record as it is: after a change, or with further tables derived from the same profiles.

    Raises:
        StoreConflict: somebody else moved the record since `before` was read.
    """
    facts = msgspec.to_builtins(after)
    record = TableState(lake_version=-1 if after.rows is None else after.rows, revision=after.revision, facts=facts)
    store.set_state(_NAME, record, expected=None if store.state(_NAME) is None else before.revision)
    return after
