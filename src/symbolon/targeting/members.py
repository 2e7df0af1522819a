"""The members of audiences that rules name: Query audiences are evaluated at use, whoever names them.

Invariant: a rule that names itself, directly or by others, is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolon.records import AudienceType
from symbolon.targeting.conditions import ConditionError, Fault, compile_condition, parse_condition
from symbolon.targeting.population import PROFILE
from symbolon.targeting.scope import LINKED, Scope
from symbolon.targeting.selection import Selection

if TYPE_CHECKING:
    from datetime import datetime

    import ibis

    from symbolon.profiles import Profiles
    from symbolon.targeting.publishing import Library

#: most Query audiences that may name each other in a row
_MOST_NESTED = 20


class Members:
    """Evaluates audiences for one moment.

    Args:
        now: what `now()` in a rule means.
    """

    def __init__(self, library: Library, profiles: Profiles, now: datetime) -> None:
        self._library = library
        self._profiles = profiles
        self._names: list[str] = []
        #: what rules may ask for
        self.scope = Scope(now, profiles, self.of)

    def of(self, name: str) -> ibis.Table:
        """Give the `profile_id` of an audience's members.

        Raises:
            UnknownNameError: nothing has this name.
            ConditionError: it holds no profiles, or its rule is wrong.
        """
        audience = self._library.audience(name)
        if audience.type is AudienceType.QUERY:
            return self.chosen(name, audience.rule).rows.select("profile_id")
        if audience.dimension != PROFILE:
            raise _wrong(f"audience `{name}` holds no profiles", "reconcile it first")
        return self._library.rows(name).select("profile_id")

    def of_rule(self, name: str, rule: str) -> ibis.Table:
        """Give the `profile_id` of those for whom the rule of an audience is true."""
        return self.chosen(name, rule).rows.select("profile_id")

    def chosen(self, name: str, rule: str) -> Selection:
        """Choose those for whom the rule of an audience is true."""
        if name in self._names or len(self._names) > _MOST_NESTED:
            chain = " -> ".join(f"`{one}`" for one in [*self._names, name])
            raise _wrong(f"Query audiences name each other in a circle: {chain}", "change one of their rules")
        self._names.append(name)
        try:
            people = self._profiles.current()
            condition = parse_condition(rule, people.schema(), linked=LINKED)
            found = compile_condition(condition, people, self.scope)
            return Selection(people).narrowed(found) or Selection(found, is_stored=False)
        finally:
            self._names.pop()


def _wrong(message: str, hint: str) -> ConditionError:
    return ConditionError.of([Fault(message=message, line=1, column=1, hint=hint)])
