"""`export-shared-audiences`: audiences that are shared again when they change, or every so often.

Source: Adobe Campaign Classic's technical workflow "Export shared audience".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from symbolon.errors import UnknownNameError
from symbolon.records import Definition, DefinitionKind
from symbolon.store import NameTaken, TableState
from symbolon.targeting import ExportReceipt, ShareMode
from symbolon.technical.errors import FeedInvalid
from symbolon.technical.feeds import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbolon.profiles import Profiles
    from symbolon.sharing import Audiences
    from symbolon.store import Store

_KIND = DefinitionKind.ACTIVATION


class Activation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An audience that is shared by itself."""

    name: str
    #: the audience of ours: List, Shared or Query
    audience: str
    #: name of the data source
    source: str
    #: id of the segment in the files
    segment: str
    #: name of a transport with a folder below it, or a folder or URL
    to: str
    #: name of the shared audience at the other side; empty = as ours
    shared_as: str = ""
    mode: ShareMode = ShareMode.SYNC
    format: Literal["inbound", "csv", "parquet"] = "inbound"
    #: largest part that may leave at once, 0..1; what would take out more waits for a person
    max_shrink: float = 0.5
    #: `change`: when the audience or a profile changed; `always`: whenever `every_s` is over
    when: Literal["change", "always"] = "change"
    #: seconds between two looks
    every_s: float = 60.0
    enabled: bool = True


class Activations:
    """The activations of a project.

    Args:
        export: shares an audience; `Audiences.export`.
        clock: the time, UTC.
    """

    def __init__(
        self,
        *,
        store: Store,
        audiences: Audiences,
        profiles: Profiles,
        export: Callable[..., ExportReceipt],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._audiences = audiences
        self._profiles = profiles
        self._export = export
        self._clock = clock

    def list(self) -> _Activations:
        """Give all activations, by name."""
        return [_read(one) for one in self._store.definitions(_KIND)]

    def show(self, name: str) -> Activation:
        """Give one activation.

        Raises:
            UnknownNameError: nothing has this name.
        """
        return _read(self._store.definition(_KIND, name))

    def add(self, activation: Activation) -> Activation:
        """Check and save a new activation, by a plan of its export.

        Raises:
            FeedInvalid: it does not hold together.
            NameTaken: there is one of this name.
            SymbolonError: what its export would be refused for.
        """
        if not NAME.fullmatch(activation.name):
            raise FeedInvalid("a name is 1 to 64 letters, digits, `-`, `_` or `.`")
        if not 1 <= activation.every_s <= 86_400 * 31 or not 0 <= activation.max_shrink <= 1:
            raise FeedInvalid("a look every 1 second to 31 days, and a shrink of 0 to 100 %")
        if self._store.definition_versions(_KIND, activation.name):
            raise NameTaken(f"there is an activation `{activation.name}` already", hint="choose another name")
        self._shared(activation, plan=True, force=True)
        self._store.put_definition(
            Definition(kind=_KIND, name=activation.name, body=msgspec.json.encode(activation).decode()), base=0
        )
        return activation

    def delete(self, name: str) -> None:
        """Remove an activation; what was shared stays shared.

        Raises:
            UnknownNameError: nothing has this name.
        """
        self._store.delete_definition(_KIND, name)
        self._store.delete_state(_state(name))

    def is_due(self, activation: Activation) -> bool:
        """Say whether something is to be shared now."""
        last = self._last(activation)
        if last is None:
            return True
        facts = last.facts
        ago = self._clock().timestamp() - float(facts.get("at", 0))
        if ago < activation.every_s:
            return False
        if activation.when == "always" or facts.get("error"):
            return True
        try:
            return facts.get("of") != self._of(activation)
        except UnknownNameError:  # the audience is gone: `run` tells it, and notes it
            return True

    def run(self, activation: Activation, *, force: bool = False) -> ExportReceipt:
        """Share the audience now; note how it went.

        Raises:
            SymbolonError: what the export was refused for, or failed with.
        """
        of = ""
        try:
            of = self._of(activation)
            receipt = self._shared(activation, plan=False, force=force)
        except Exception as error:
            self._note(activation, {"error": getattr(error, "code", type(error).__name__), "of": of})
            raise
        self._note(activation, {"of": of, "shared": receipt.shared, "version": receipt.version})
        return receipt

    def last(self, name: str) -> dict[str, Any]:
        """Give what is known of the last time: `at` (seconds since 1970), `shared`, `error`. Empty = never."""
        state = self._store.state(_state(name))
        return {} if state is None else dict(state.facts)

    def _shared(self, activation: Activation, *, plan: bool, force: bool) -> ExportReceipt:
        return self._export(
            activation.audience,
            source=activation.source,
            segment=activation.segment,
            to=activation.to,
            shared_as=activation.shared_as,
            mode=activation.mode,
            format=activation.format,
            max_shrink=activation.max_shrink,
            force=force,
            plan=plan,
        )

    def _of(self, activation: Activation) -> str:
        """Give what goes out depends on: the audience's version and the profiles, with their consent and keys."""
        audience = self._audiences.show(activation.audience)
        return f"{audience.id}:{audience.version}:{self._profiles.revision}"

    def _last(self, activation: Activation) -> TableState | None:
        return self._store.state(_state(activation.name))

    def _note(self, activation: Activation, facts: dict[str, Any]) -> None:
        before = self._last(activation)
        revision = before.revision + 1 if before else 1
        after = TableState(lake_version=0, revision=revision, facts={**facts, "at": self._clock().timestamp()})
        self._store.set_state(_state(activation.name), after, before.revision if before else None)


_Activations = list[Activation]


def _state(name: str) -> str:
    return f"activations/{name}"


def _read(definition: Definition) -> Activation:
    return msgspec.json.decode(definition.body, type=Activation)
