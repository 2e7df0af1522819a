"""The audience library as targeting sees it: reads, saves and shares for workflows.

Invariant: whatever a workflow does to an audience goes through the same classes as the commands for audiences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon import matching
from symbolon.records import AudienceType
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.reading import DEFAULT_COLUMNS
from symbolon.sharing.rows import Rows
from symbolon.sharing.shapes import shown
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import ibis

    from symbolon.lake import Engine
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, DataSource, Receipt
    from symbolon.sharing.library import Audiences
    from symbolon.sharing.lists import ListSaver
    from symbolon.sharing.sources import Sources
    from symbolon.targeting import Population, SaveRequest, ShareOutcome, ShareRequest


class AudienceLibrary:
    """The library of one project; see `symbolon.targeting.publishing.Library` for what each method gives."""

    def __init__(
        self, *, audiences: Audiences, lists: ListSaver, engine: Engine, profiles: Profiles, sources: Sources
    ) -> None:
        self._audiences = audiences
        self._sources = sources
        self._lists = lists
        self._engine = engine
        self._profiles = profiles

    def audience(self, name: str) -> Audience:
        """Give an audience."""
        return self._audiences.show(name)

    def source(self, name: str) -> DataSource:
        """Give a data source."""
        return self._sources.show(name)

    def rows(self, name: str) -> ibis.Table:
        """Give the current rows of a List, Shared or File audience."""
        audience = self._audiences.show(name)
        if audience.type is AudienceType.QUERY:
            raise AudienceTypeError(f"audience `{name}` is a Query audience: it has a rule, and no rows")
        if audience.type is AudienceType.FILE:
            return self._audiences.lines(name)
        rows = self._audiences.rows(name)
        if audience.source_id is None:
            return shown(rows.filter(rows.status == int(matching.Status.MEMBER)))
        return matching.members(rows)

    def save(
        self, request: SaveRequest, relation: ibis.Table, *, dimension: str, directory: Path, plan: bool = False
    ) -> Receipt:
        """Save a population as a List or File audience."""
        return self._lists.save(request, relation, dimension=dimension, directory=directory, plan=plan)

    def share(self, request: ShareRequest, people: ibis.Table, *, directory: Path, plan: bool = False) -> ShareOutcome:
        """Share people through a data source."""
        return self._audiences.exporter.share(request, people, directory=directory, plan=plan)

    def identified(self, source: str, people: ibis.Table, *, directory: Path) -> tuple[ibis.Table, ibis.Table]:
        """Give people their IDs of a data source."""
        return self._audiences.exporter.identified(source, people, directory=directory)

    def shown(self, population: Population, columns: Sequence[str] | None) -> Rows:
        """Give the rows of a transition as a result: profile fields beside its further columns."""
        relation = population.relation
        if population.dimension == PROFILE:
            people = self._profiles.current()
            extra = [name for name in relation.columns if name != "profile_id"]
            wanted = list(dict.fromkeys([*DEFAULT_COLUMNS, *extra] if columns is None else columns))
            fields = [name for name in wanted if name not in extra]
            self._audiences.known_columns(fields)
            chosen = people.select("profile_id", *(name for name in fields if name != "profile_id"))
            relation = relation.inner_join(chosen, "profile_id").select(*wanted)
        elif columns is not None:
            relation = relation.select(*columns)
        ordered = relation.order_by(relation.columns[0])
        return Rows(relation.schema().to_pyarrow(), lambda: self._engine.batches(ordered))
