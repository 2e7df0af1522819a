"""Query audiences: a rule, evaluated at use, so that an edit is seen by everything that names it.

Source: Adobe Campaign Standard copies the rule of a query audience into whatever uses it, and later edits do not reach
it; here it is a reference, and freezing is asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ibis
import msgspec

from symbolon import matching
from symbolon.errors import DefinitionError
from symbolon.records import Audience, AudienceType, AudienceVersion, Origin, Receipt
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.sharing.reading import NO_ROWS
from symbolon.sharing.runs import noted
from symbolon.sharing.shapes import count_changes
from symbolon.store import NameTaken
from symbolon.targeting import Members, SaveRequest
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.sharing.lists import ListSaver
    from symbolon.store import Store
    from symbolon.targeting import Library


class QueryAudiences:
    """Makes, changes, evaluates and freezes Query audiences."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        lake: Lake,
        engine: Engine,
        profiles: Profiles,
        lists: ListSaver,
        library: Library,
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._engine = engine
        self._profiles = profiles
        self._lists = lists
        self._library = library

    def create(
        self, name: str, rule: str, *, description: str = "", expires: datetime | None = None, plan: bool = False
    ) -> Receipt:
        """Make a Query audience.

        Raises:
            NameTaken: an audience has its name.
            ConditionError: the rule is no condition on profiles, or names audiences in a circle.
        """
        with audience_lock(self._settings, name):
            there = next((one for one in self._store.audiences() if one.name == name), None)
            if there is not None and there.version:
                raise NameTaken(f"there is an audience `{name}` already", hint="choose another name, or edit it")
            members = self._engine.count(self.members_of_rule(name, rule))
            now = datetime.now(UTC)
            audience = msgspec.structs.replace(
                there or Audience(name=name, type=AudienceType.QUERY, created=now, modified=now),
                type=AudienceType.QUERY,
                dimension=PROFILE,
                source_id=None,  # of a first import that was killed
                segment="",
                rule=rule,
                description=description,
                expires=expires,
                counted=now,
            )
            receipt = Receipt(audience=name, version=1, members=members, added=members)
            if not plan:
                self._publish("audience create", audience, receipt)
            return receipt

    def edit(self, audience: Audience, rule: str, *, plan: bool = False) -> Receipt:
        """Give a Query audience another rule; whatever names it sees it at its next use.

        Raises:
            AudienceTypeError: it is of another type.
            ConditionError: the rule is no condition on profiles, or names audiences in a circle.
        """
        name = audience.name
        with audience_lock(self._settings, name):
            audience = self._store.audience(name)
            _require_query(audience)
            after = self.members_of_rule(name, rule)
            members = self._engine.count(after)
            added, removed = self._changes(audience, after) or (members, audience.members)
            receipt = Receipt(
                audience=name, version=audience.version + 1, members=members, added=added, removed=removed
            )
            if not plan:
                changed = msgspec.structs.replace(audience, rule=rule, counted=datetime.now(UTC))
                self._publish("audience edit", changed, receipt)
            return receipt

    def count(self, audience: Audience) -> int:
        """Count the members anew, and note when.

        Raises:
            AudienceTypeError: it is of another type: its members are counted when a version is made.
        """
        _require_query(audience)
        members = self._engine.count(self.members(audience))
        with audience_lock(self._settings, audience.name):
            now = self._store.audience(audience.name)
            if (now.id, now.type, now.rule) == (audience.id, audience.type, audience.rule):  # else it is another's
                self._store.update_audience(msgspec.structs.replace(now, members=members, counted=datetime.now(UTC)))
        return members

    def freeze(self, audience: Audience, target: str, *, plan: bool = False) -> Receipt:
        """Keep the members of a Query audience as a List.

        Raises:
            AudienceTypeError: it is of another type, or the target is imported from a data source.
        """
        _require_query(audience)
        members = self.members(audience)
        with (
            self._lake.attempt("freeze") as directory,
            noted(self._store, "audience freeze", target, plan=plan) as run,
        ):
            request = SaveRequest(audience=target, run_id="" if plan else run.id)
            return self._lists.save(
                request, members, dimension=PROFILE, directory=directory, plan=plan, origin=Origin.FREEZE
            )

    def members(self, audience: Audience) -> ibis.Table:
        """Give the `profile_id` of its members, now."""
        return self.members_of_rule(audience.name, audience.rule)

    def rows(self, audience: Audience) -> ibis.Table:
        """Give its members in the shape of a List's rows."""
        return _as_rows(self.members(audience))

    def members_of_rule(self, name: str, rule: str) -> ibis.Table:
        """Give the `profile_id` of those for whom a rule is true.

        Raises:
            ConditionError: the rule is no condition on profiles, or names audiences in a circle.
        """
        return Members(self._library, self._profiles, datetime.now(UTC)).of_rule(name, rule)

    def _changes(self, audience: Audience, after: ibis.Table) -> tuple[int, int] | None:
        """Count who joins and leaves by another rule; None where the old one does not hold any more."""
        try:
            before = self.rows(audience)
        except DefinitionError:
            return None
        return count_changes(self._engine, audience, before, _as_rows(after))

    def _publish(self, work: str, audience: Audience, receipt: Receipt) -> None:
        with noted(self._store, work, audience.name) as run:
            if not audience.id:
                audience = self._store.add_audience(audience)
            version = AudienceVersion(
                audience_id=audience.id,
                version=receipt.version,
                origin=Origin.DEFINE,
                run_id=run.id,
                rows_version=NO_ROWS,
                members=receipt.members,
                receipt=receipt,
                profiles_revision=self._profiles.revision,
                created=datetime.now(UTC),
            )
            self._store.publish(version, base=audience.version, changed=audience)


def _as_rows(people: ibis.Table) -> ibis.Table:
    member = ibis.literal(int(matching.Status.MEMBER), "int8")
    return people.mutate(status=member, ambiguous=ibis.literal(value=False))


def _require_query(audience: Audience) -> None:
    if audience.type is not AudienceType.QUERY:
        raise AudienceTypeError(
            f"audience `{audience.name}` is a {audience.type.value.title()} audience; only a Query audience has a rule",
            hint="the content of the others is changed by what made them: an import, or a workflow",
        )
