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
from symbolon.errors import UnknownNameError
from symbolon.records import Audience, AudienceType, AudienceVersion, Origin, Receipt, Run
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.locks import audience_lock
from symbolon.store import NameTaken
from symbolon.targeting import Members, SaveMode, SaveRequest
from symbolon.targeting.population import PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Engine, Lake
    from symbolon.profiles import Profiles
    from symbolon.settings import Settings
    from symbolon.sharing.lists import ListSaver
    from symbolon.store import Store
    from symbolon.targeting import Library

#: `rows_version` of a version that has a rule, and no rows in the lake
NO_ROWS = -1


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

    def create(self, name: str, rule: str, *, description: str = "", expires: datetime | None = None) -> Receipt:
        """Make a Query audience.

        Raises:
            NameTaken: an audience has its name.
            ConditionError: the rule is no condition on profiles.
        """
        with audience_lock(self._settings, name):
            there = next((one for one in self._store.audiences() if one.name == name), None)
            if there is not None and there.version:
                raise NameTaken(f"there is an audience `{name}` already", hint="choose another name, or edit it")
            count = self._engine.count(self.members_of_rule(name, rule))
            now = datetime.now(UTC)
            audience = there or self._store.add_audience(
                Audience(name=name, type=AudienceType.QUERY, created=now, modified=now)
            )
            audience = msgspec.structs.replace(
                audience,
                type=AudienceType.QUERY,
                dimension=PROFILE,
                rule=rule,
                description=description,
                expires=expires,
                counted=now,
            )
            return self._publish(audience, count)

    def edit(self, audience: Audience, rule: str) -> Receipt:
        """Give a Query audience another rule; whatever names it sees it at its next use.

        Raises:
            AudienceTypeError: it is of another type.
            ConditionError: the rule is no condition on profiles.
        """
        _require_query(audience)
        with audience_lock(self._settings, audience.name):
            audience = self._store.audience(audience.name)
            count = self._engine.count(self.members_of_rule(audience.name, rule))
            return self._publish(msgspec.structs.replace(audience, rule=rule, counted=datetime.now(UTC)), count)

    def count(self, audience: Audience) -> int:
        """Count the members anew, and note when.

        Raises:
            AudienceTypeError: it is of another type: its members are counted when a version is made.
        """
        _require_query(audience)
        members = self._engine.count(self.members(audience))
        self._store.update_audience(msgspec.structs.replace(audience, members=members, counted=datetime.now(UTC)))
        return members

    def freeze(self, audience: Audience, target: str, *, directory: Path, plan: bool = False) -> Receipt:
        """Keep the members of a Query audience as a List.

        Raises:
            AudienceTypeError: it is of another type.
        """
        _require_query(audience)
        request = SaveRequest(audience=target, mode=SaveMode.CREATE_OR_UPDATE, run_id=Run.begin("audience freeze").id)
        return self._lists.save(request, self.members(audience), dimension=PROFILE, directory=directory, plan=plan)

    def members(self, audience: Audience) -> ibis.Table:
        """Give the `profile_id` of its members, now."""
        return self.members_of_rule(audience.name, audience.rule)

    def rows(self, audience: Audience) -> ibis.Table:
        """Give its members in the shape of a List's rows."""
        member = ibis.literal(int(matching.Status.MEMBER), "int8")
        return self.members(audience).mutate(status=member, ambiguous=ibis.literal(value=False))

    def members_of_rule(self, name: str, rule: str) -> ibis.Table:
        """Give the `profile_id` of those for whom a rule is true.

        Raises:
            ConditionError: the rule is no condition on profiles, or names audiences in a circle.
        """
        return Members(self._library, self._profiles, datetime.now(UTC)).of_rule(name, rule)

    def _publish(self, audience: Audience, members: int) -> Receipt:
        number = audience.version + 1
        receipt = Receipt(audience=audience.name, version=number, members=members, added=members)
        version = AudienceVersion(
            audience_id=audience.id,
            version=number,
            origin=Origin.DEFINE,
            run_id=Run.begin("audience create").id,
            rows_version=NO_ROWS,
            members=members,
            receipt=receipt,
            profiles_revision=self._profiles.revision,
            created=datetime.now(UTC),
        )
        self._store.publish(version, base=audience.version, changed=audience)
        return receipt


def _require_query(audience: Audience) -> None:
    if audience.type is not AudienceType.QUERY:
        raise AudienceTypeError(
            f"audience `{audience.name}` is a {audience.type.value.title()} audience; only a Query audience has a rule",
            hint="the content of the others is changed by what made them: an import, or a workflow",
        )


def expired(store: Store, now: datetime) -> list[Audience]:
    """Give the audiences whose day has come."""
    return [one for one in store.audiences() if one.expires is not None and one.expires <= now]


def unknown(name: str, known: list[str]) -> UnknownNameError:
    """Build the error of a name that no audience has."""
    return UnknownNameError.among("audience", name, known)
