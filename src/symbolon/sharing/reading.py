"""Reading audiences: the rows of a version, its members, and what changed between two.

Invariant: what rows are is told by the rows themselves, not by the audience, which may have been of another type when
the version was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from symbolon import matching
from symbolon.errors import UnknownNameError
from symbolon.records import AudienceType
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.rows import Rows
from symbolon.sharing.shapes import changed_lines, count_changes, extra_columns, is_lines, is_wordless, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.records import Audience, AudienceVersion
    from symbolon.store import Store

#: columns of members where none are asked for
DEFAULT_COLUMNS = ("external_id", "email")
#: `rows_version` of a version that has a rule, and no rows in the lake
NO_ROWS = -1


class AudienceReader:
    """Reads the versions of audiences.

    Args:
        store: what is known of the audiences.
        lake: where their rows are.
        engine: what computes.
        profiles: the people.
        rule_rows: gives the rows of a Query audience, evaluated now.
    """

    def __init__(
        self,
        *,
        store: Store,
        lake: Lake,
        engine: Engine,
        profiles: Profiles,
        rule_rows: Callable[[Audience], ibis.Table],
    ) -> None:
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._rule_rows = rule_rows

    def rows(self, audience: Audience, version: AudienceVersion) -> ibis.Table:
        """Give the rows of a version, as the lake has them; a Query audience's as those of a List, evaluated now.

        Raises:
            AudienceTypeError: the version was a rule that is not the audience's any more.
        """
        if version.rows_version == NO_ROWS:
            if version.version != audience.version:
                raise AudienceTypeError(
                    f"version {version.version} of audience `{audience.name}` was a rule; its members were not kept",
                    hint="`symbolon audience freeze` keeps the members that a rule has now",
                )
            return self._rule_rows(audience)
        table = self._lake.table(f"audiences/{audience.id}/rows")
        return self._engine.scan(table.files(version.rows_version), table.schema(version.rows_version))

    def schema(self, audience: Audience, version: AudienceVersion) -> pa.Schema:
        """Give the columns of the rows of a version."""
        return self._lake.table(f"audiences/{audience.id}/rows").schema(version.rows_version)

    def members(self, audience: Audience, version: AudienceVersion, columns: Sequence[str] | None) -> Rows:
        """Give the members of a version: profile fields and saved columns of people, the lines of a File audience.

        Raises:
            UnknownNameError: a column that there is not.
        """
        rows = self.rows(audience, version)
        if is_lines(audience, rows):
            lines = self.lines(audience, rows)
            _known_columns(columns or [], lines.columns)
            return self.sorted(lines.select(*(columns or lines.columns)))
        extra = extra_columns(rows)
        wanted = list(columns or dict.fromkeys([*DEFAULT_COLUMNS, *extra]))
        if not extra:
            return self.sorted(self._with_columns(matching.members(rows), wanted).select(*wanted))
        people = shown(rows.filter(rows.status == int(matching.Status.MEMBER)))
        return self.sorted(self._with_columns(people, wanted).select(*wanted))

    def lines(self, audience: Audience, rows: ibis.Table) -> ibis.Table:
        """Give the lines of a File audience: as a workflow saved them, or its decrypted addresses."""
        if is_wordless(rows):
            return shown(rows)
        return rows.select(rows.value.name(self._key(audience))).distinct()

    def diff(
        self, audience: Audience, older: AudienceVersion | None, newer: AudienceVersion, columns: Sequence[str] | None
    ) -> Rows:
        """Give who or what joined or left between two versions; None = the empty audience.

        Raises:
            AudienceTypeError: it is a Query audience, or it was of another type.
        """
        if audience.type is AudienceType.QUERY:
            raise AudienceTypeError(
                f"audience `{audience.name}` is a rule; the members it had are not kept",
                hint="`symbolon audience freeze` makes a List of them; versions of that can be compared",
            )
        new = self.rows(audience, newer)
        old = self.rows(audience, older) if older is not None else new.limit(0)
        if is_wordless(new) and is_wordless(old):
            return self._changed(*changed_lines(shown(old), shown(new)), columns)
        if is_lines(audience, new) != is_lines(audience, old):
            raise AudienceTypeError(
                f"audience `{audience.name}` was of another type before: people and lines of a file are not compared",
                hint=f"symbolon audience members {audience.name} --version N shows each",
            )
        if is_lines(audience, new):
            words, key = matching.words_of(new), self._key(audience)
            added, removed = new.anti_join(old, words), old.anti_join(new, words)
            return self._changed(added.select(added.value.name(key)), removed.select(removed.value.name(key)), columns)
        wanted = list(columns or DEFAULT_COLUMNS)
        joined = self._with_columns(matching.changes(old, new), wanted).select("change", *wanted)
        return self.sorted(joined, by=("change", wanted[0]))

    def changes(self, audience: Audience, before: AudienceVersion, after: AudienceVersion) -> tuple[int, int]:
        """Count who or what joined and left between two versions; all of them, if it changed its type."""
        old, new = self.rows(audience, before), self.rows(audience, after)
        return count_changes(self._engine, audience, old, new) or (after.members, before.members)

    def sorted(self, relation: ibis.Table, by: Sequence[str] = ()) -> Rows:
        """Give a relation as a result, sorted by some columns, or by the first."""
        ordered = relation.order_by([ibis.asc(name, nulls_first=False) for name in by or relation.columns[:1]])
        return Rows(relation.schema().to_pyarrow(), lambda: self._engine.batches(ordered))

    def known_columns(self, wanted: Sequence[str]) -> None:
        """Make sure that profiles have these columns.

        Raises:
            UnknownNameError: they do not have one of them.
        """
        _known_columns(wanted, self._fields())

    def _changed(self, joined: ibis.Table, left: ibis.Table, columns: Sequence[str] | None) -> Rows:
        _known_columns(columns or [], joined.columns)
        label = "change" if "change" not in joined.columns else "_change"
        added, removed = (
            lines.mutate(**{label: ibis.literal(word)}) for lines, word in ((joined, "added"), (left, "removed"))
        )
        both = added.union(removed).select(label, *(columns or joined.columns))
        return self.sorted(both, by=both.columns[:2])

    def _with_columns(self, people: ibis.Table, wanted: Sequence[str]) -> ibis.Table:
        """Join fields of profiles to people; a column that was saved with them wins."""
        profiles = self._profiles.current()
        own = [name for name in people.columns if name != "profile_id"]
        _known_columns(wanted, list(dict.fromkeys([*own, *self._fields()])))
        chosen = [name for name in wanted if name != "profile_id" and name not in own]
        return people.inner_join(profiles.select("profile_id", *chosen), "profile_id")

    def _fields(self) -> list[str]:
        return [name for name in self._profiles.schema().names if not name.startswith("_")]

    def _key(self, audience: Audience) -> str:
        return self._store.source_by_id(audience.source_id).key if audience.source_id is not None else "value"


def _known_columns(wanted: Sequence[str], known: Sequence[str]) -> None:
    for column in wanted:
        if column not in known:
            raise UnknownNameError.among("column", column, known)
