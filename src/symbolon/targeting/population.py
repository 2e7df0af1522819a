"""What a transition carries: a set of people or of rows, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis

    from symbolon.targeting.selection import Selection

#: targeting dimension of people; their rows have a `profile_id`, each at most once
PROFILE = "profile"
#: of the rows of a file, which nobody has reconciled yet
UNKNOWN = ""
#: of IDs (`id`, with the `profile_id` they belong to) of a data source
VISITOR, DECLARED = "visitor", "declared"


@dataclass(frozen=True, slots=True)
class Population:
    """The rows of a transition, not computed yet.

    Shape, by dimension:
        profile             profile_id, further columns (enrichment)     one row a profile
        visitor, declared   profile_id, id, further columns              one row an ID
        "" (unknown)        the columns of the file                      one row a line
    """

    relation: ibis.Table
    dimension: str = PROFILE
    #: name of the data source whose IDs they are, for `visitor` and `declared`
    source: str = ""
    #: the same people as a formula over profiles, where they are one: sets of them are combined without a join
    selection: Selection | None = None

    @property
    def extra(self) -> list[str]:
        """The further columns, in order."""
        own = {PROFILE: {"profile_id"}, UNKNOWN: set[str]()}.get(self.dimension, {"profile_id", "id"})
        return [name for name in self.relation.columns if name not in own]

    def of(self, relation: ibis.Table) -> Population:
        """Give a population of the same kind with other rows."""
        return Population(relation, self.dimension, self.source)
