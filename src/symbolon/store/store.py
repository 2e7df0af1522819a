"""What a store must be able to do, and which one a project has.

Invariant: each method is one transaction; readers see it whole or not at all. A second store is a folder beside `sql/`.

Where a server is behind it, every method may also raise `StoreUnreachable`, `StoreDenied` and `StoreBusy`, which change
nothing, and one that changes something `StoreUncertain`. What only reads is tried a second time first.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Protocol

from symbolon.errors import Location
from symbolon.settings import PROJECT_FILE, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolon.records import (
        Arrival,
        ArrivalState,
        Audience,
        AudienceVersion,
        DataSource,
        Definition,
        DefinitionKind,
        Run,
        RunState,
        RunStep,
    )
    from symbolon.settings import Settings
    from symbolon.store.fault import StoreFault
    from symbolon.store.state import TableState


class Store(Protocol):
    """The control records of one project. May be used from several threads and processes at once."""

    def sources(self) -> list[DataSource]:
        """Give all data sources, by id."""
        ...

    def source(self, name: str) -> DataSource:
        """Give a data source by name.

        Raises:
            UnknownNameError: nothing has this name.
        """
        ...

    def source_by_id(self, source_id: int) -> DataSource:
        """Give a data source by id.

        Raises:
            UnknownNameError: nothing has this id.
        """
        ...

    def add_source(self, source: DataSource) -> DataSource:
        """Save a new data source; give it with its id and when it was made. Ids are never given twice.

        Raises:
            NameTaken: another one has its name.
        """
        ...

    def update_source(self, source: DataSource) -> None:
        """Save a changed data source, found by its id.

        Raises:
            UnknownNameError: nothing has its id.
            NameTaken: another one has its name.
        """
        ...

    def delete_source(self, name: str) -> None:
        """Remove a data source and its keys.

        Raises:
            UnknownNameError: nothing has this name.
            SourceInUse: it has audiences.
        """
        ...

    def add_key(self, source_id: int, wrapped: bytes) -> int:
        """Keep a wrapped key as the next version of a source's keys; give the version, from 1."""
        ...

    def keys(self, source_id: int) -> list[tuple[int, bytes]]:
        """Give version and wrapped key of all keys of a source, newest first."""
        ...

    def audiences(self) -> list[Audience]:
        """Give all audiences, by name."""
        ...

    def audience(self, name: str) -> Audience:
        """Give an audience by name.

        Raises:
            UnknownNameError: nothing has this name.
        """
        ...

    def add_audience(self, audience: Audience) -> Audience:
        """Save a new audience; give it with its id and when it was made. Ids are never given twice.

        Raises:
            NameTaken: another one has its name.
        """
        ...

    def update_audience(self, audience: Audience) -> None:
        """Save what a person may change of an audience, found by its id: all but its version.

        Its members are saved only with the moment when they were counted (a Query audience).

        Raises:
            UnknownNameError: nothing has its id.
            NameTaken: another one has its name.
        """
        ...

    def delete_audience(self, name: str) -> None:
        """Remove an audience and the records of its versions.

        Raises:
            UnknownNameError: nothing has this name.
        """
        ...

    def versions(self, audience_id: int) -> list[AudienceVersion]:
        """Give the versions of an audience, newest first."""
        ...

    def version(self, audience_id: int, number: int) -> AudienceVersion:
        """Give one version of an audience.

        Raises:
            UnknownNameError: it has no such version.
        """
        ...

    def publish(self, version: AudienceVersion, *, base: int, changed: Audience | None = None) -> Audience:
        """Add a version and point its audience to it.

        Args:
            version: the new version, with a number above `base`.
            base: the version that the audience must point to now; 0 = none.
            changed: what else becomes of the audience, in the same transaction: its type, dimension, rule, ...

        Raises:
            StoreConflict: the audience points to another version; nothing was changed.
            UnknownNameError: there is no such audience any more.
        """
        ...

    def start_run(self, run: Run) -> None:
        """Note that a run begins."""
        ...

    def finish_run(self, run_id: str, state: RunState, error: str = "") -> None:
        """Note how a run ended.

        Args:
            run_id: which run.
            state: how it ended.
            error: code of the error it ended with.
        """
        ...

    def update_run(self, run: Run) -> None:
        """Save the state, the facts, the error and the end of a run, found by its id.

        Raises:
            UnknownNameError: there is no such run.
        """
        ...

    def move_run(self, run: Run, before: RunState) -> bool:
        """Save a run as `update_run` does, but only if its saved state still is `before`; say whether it was."""
        ...

    def runs(self, limit: int = 100, *, work: str = "", workflow: str = "") -> list[Run]:
        """Give the last runs, newest first; only those of a kind of work or of a workflow where one is given."""
        ...

    def delete_runs(self, run_ids: Sequence[str]) -> int:
        """Remove runs with their steps, those that have ended; give how many."""
        ...

    def steps(self, run_id: str) -> list[RunStep]:
        """Give the steps of a run, in the order in which they were first begun."""
        ...

    def put_step(self, step: RunStep) -> None:
        """Save a step of a run, new or changed.

        Raises:
            UnknownNameError: there is no such run.
        """
        ...

    def definitions(self, kind: DefinitionKind) -> list[Definition]:
        """Give the newest version of each definition of a kind, by name."""
        ...

    def definition(self, kind: DefinitionKind, name: str, version: int | None = None) -> Definition:
        """Give a version of a definition (None = the newest).

        Raises:
            UnknownNameError: nothing has this name, or it has no such version.
        """
        ...

    def definition_versions(self, kind: DefinitionKind, name: str) -> list[Definition]:
        """Give all versions of a definition, newest first; none where nothing has the name."""
        ...

    def put_definition(self, definition: Definition, *, base: int) -> Definition:
        """Save the next version of a definition; give it with its version, `base` + 1, and when it was made.

        Args:
            definition: what to save; its version and moment are ignored.
            base: the newest version there must be now; 0 = there must be none.

        Raises:
            StoreConflict: the newest version is another; nothing was changed.
        """
        ...

    def delete_definition(self, kind: DefinitionKind, name: str) -> None:
        """Remove a definition with all its versions.

        Raises:
            UnknownNameError: nothing has this name.
        """
        ...

    def arrivals(self, feed: str, *, state: ArrivalState | None = None, limit: int = 1000) -> list[Arrival]:
        """Give the file sets that arrived for a feed, newest first; only those of a state where one is given."""
        ...

    def arrival(self, feed: str, name: str) -> Arrival | None:
        """Give one file set of a feed; None if it was never seen."""
        ...

    def put_arrival(self, arrival: Arrival) -> None:
        """Save a file set, new or changed; `first_seen` stays as it was first saved, `changed` is now."""
        ...

    def run(self, run_id: str) -> Run:
        """Give one run.

        Raises:
            UnknownNameError: there is no such run.
        """
        ...

    def state(self, name: str) -> TableState | None:
        """Give the state of a derived table; None if it has none."""
        ...

    def set_state(self, name: str, state: TableState, expected: int | None) -> None:
        """Replace the state of a derived table, if its revision is still the expected one.

        Args:
            name: which table.
            state: the new state.
            expected: revision of the state it was computed from; None = there must be none.

        Raises:
            StoreConflict: the revision is another; nothing was changed.
        """
        ...

    def delete_state(self, name: str) -> None:
        """Remove the state of a derived table, if there is one."""
        ...

    def states(self) -> dict[str, TableState]:
        """Give the states of all derived tables, by name."""
        ...

    def next_ids(self, sequence: str, count: int) -> int:
        """Reserve `count` numbers of a sequence for this caller alone; give the first, from 1."""
        ...

    @property
    def schema_version(self) -> str:
        """Revision of the store's tables; empty = it has none."""
        ...

    def check(self) -> None:
        """Make sure that this release can work on the store.

        Raises:
            StoreVersionError: it was written by a newer or an older release.
            StoreCorrupt: it is damaged, or no store.
        """
        ...

    @property
    def place(self) -> str:
        """Where the store is, in words, without a user or a password."""
        ...

    def faults(self) -> list[StoreFault]:
        """Look for what would make later calls fail: rights, settings of the server. Empty = nothing was found."""
        ...

    def close(self) -> None:
        """Let go of connections. May be called twice."""
        ...


def open_store(settings: Settings, *, create: bool = False) -> Store:
    """Open the store that the settings name, and check that this release can work on it.

    Args:
        settings: of the project.
        create: whether to make it, or bring it up to date, first.

    Raises:
        StoreMissing: there is none, and `create` is off.
        StoreVersionError: it was written by another release.
        StoreCorrupt: it is damaged, or no store.
        StoreUnreachable: its server does not answer.
        SettingsError: its URL cannot be used, or a password stands in `symbolon.toml`.
    """
    from symbolon.store.sql import SqlStore  # noqa: PLC0415 - heavy

    refuse_written_password(settings)
    if create:
        migrate(settings)
    store = SqlStore(settings.store_url)
    try:
        store.check()
    except BaseException:
        store.close()
        raise
    return store


def migrate(settings: Settings) -> None:
    """Make the store, or bring it up to date; what is up to date already is left alone.

    Raises:
        StoreVersionError: it was written by a newer release.
        StoreCorrupt: it is damaged, or no store.
        StoreUnreachable: its server does not answer.
        SettingsError: its URL cannot be used, or a password stands in `symbolon.toml`.
    """
    from symbolon.store.sql.migrating import migrate_url  # noqa: PLC0415 - heavy

    refuse_written_password(settings)
    migrate_url(settings.store_url)


def refuse_written_password(settings: Settings) -> None:
    """Make sure that no password stands in the project's file, which is copied, shown and committed.

    Raises:
        SettingsError: one does, whether the file's `store` is the one in use or not.
    """
    from symbolon.store.sql.flavour import url_has_password  # noqa: PLC0415 - heavy

    file = settings.project / PROJECT_FILE
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8")).get("store")
    except (OSError, ValueError):
        return  # whoever made these settings did without the file
    if isinstance(written, str) and url_has_password(written):
        raise SettingsError(
            f"a password stands in `store` in {PROJECT_FILE}",
            where=Location(str(file)),
            hint="take it out; set PGPASSWORD, or write it into ~/.pgpass (mode 0600), or give the whole URL in the "
            "environment variable SYMBOLON_STORE",
        )
