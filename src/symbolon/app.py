"""The wiring: Settings -> Project. The only place that chooses implementations.

Invariant: opening a project reads `symbolon.toml` and nothing else; each part is made when it is first asked for, so a
command pays only for what it uses.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from symbolon.settings import PROJECT_FILE, Settings, find_project, load_settings

if TYPE_CHECKING:
    from types import TracebackType

    from symbolon.keys import KeyProvider
    from symbolon.lake import Engine, Lake
    from symbolon.matching import Explanation
    from symbolon.messages import Dispatcher, Senders
    from symbolon.profiles import Profiles
    from symbolon.sharing import Audiences, ShareLedger, Sources
    from symbolon.sharing.transports import Transports
    from symbolon.store import Store
    from symbolon.targeting import Conditions, Workflows
    from symbolon.technical import Activations, Feeds, Health, Replayer, Schedules, Watcher, Worker
    from symbolon.transports.transport import Transport

#: what `init` writes; every line but the comments is optional
_TEMPLATE = """\
# A Symbolon project. Every setting is optional; docs/reference/settings.md explains them.
# engine = "duckdb"                     # or Spark: "local[2]", "spark://host:7077", "sc://host:15002"
# store = "sqlite:///symbolon.db"       # relative to this folder by default
# master_key = "env"                    # read SYMBOLON_MASTER_KEY instead of keys/master.key
# memory_limit = "2GB"
# threads = 0                           # 0 = all cores
# region = "FR"                         # of telephone numbers without a country code
"""


class Project:
    """A project folder, opened.

    Example:
        >>> with Project.open("shop") as project:  # doctest: +SKIP
        ...     project.audiences.import_file("segment.sync", source="crm-email", segment="24")
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """Open the project in `path` (default: SYMBOLON_PROJECT, else the current folder).

        Raises:
            ProjectMissing: the folder is no project.
            SettingsError: its settings cannot be read.
        """
        return cls(load_settings(find_project(Path(path) if path is not None else None)))

    @classmethod
    def init(cls, path: str | Path | None = None) -> Self:
        """Make a project in `path`, or complete one that is there; nothing that exists is changed."""
        from symbolon.lake import Lake  # noqa: PLC0415 - heavy
        from symbolon.store import open_store  # noqa: PLC0415

        folder = find_project(Path(path) if path is not None else None)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / PROJECT_FILE
        if not file.exists():
            file.write_text(_TEMPLATE, encoding="utf-8")
        settings = load_settings(folder)
        for private in (settings.keys_dir, folder / "inbox", folder / "outbox"):
            private.mkdir(mode=0o700, exist_ok=True)
        open_store(settings, create=True).close()
        Lake(settings.lake_dir, create=True)
        return cls(settings)

    @cached_property
    def store(self) -> Store:
        """The control records."""
        from symbolon.store import open_store  # noqa: PLC0415

        return open_store(self.settings)

    @cached_property
    def lake(self) -> Lake:
        """The rows."""
        from symbolon.lake import Lake  # noqa: PLC0415

        return Lake(self.settings.lake_dir, create=False)

    @cached_property
    def engine(self) -> Engine:
        """What computes on the rows."""
        from symbolon.lake import open_engine  # noqa: PLC0415

        return open_engine(self.settings)

    @cached_property
    def keys(self) -> KeyProvider:
        """What wraps and unwraps the keys of data sources."""
        from symbolon.keys import open_provider  # noqa: PLC0415

        return open_provider(self.settings, os.environ)

    @cached_property
    def profiles(self) -> Profiles:
        """The people, their visitor links and the kept digests."""
        from symbolon.profiles import Profiles  # noqa: PLC0415

        return Profiles(lake=self.lake, engine=self.engine, store=self.store, settings=self.settings)

    @cached_property
    def sources(self) -> Sources:
        """The data sources."""
        from symbolon.sharing import Sources  # noqa: PLC0415

        return Sources(store=self.store, keys=self.keys, profiles=self.profiles, settings=self.settings)

    @cached_property
    def audiences(self) -> Audiences:
        """The audience library, and imports into it."""
        from symbolon.sharing import Audiences  # noqa: PLC0415

        return Audiences(
            settings=self.settings,
            store=self.store,
            lake=self.lake,
            engine=self.engine,
            profiles=self.profiles,
            sources=self.sources,
            open_transport=self._open_transport,
        )

    @cached_property
    def shares(self) -> ShareLedger:
        """The audiences that are shared with others, and where each stands."""
        from symbolon.sharing import ShareLedger  # noqa: PLC0415

        return ShareLedger(settings=self.settings, store=self.store, lake=self.lake, engine=self.engine)

    @cached_property
    def workflows(self) -> Workflows:
        """The targeting workflows, and their runs."""
        from symbolon.runs import Runs  # noqa: PLC0415 - heavy
        from symbolon.targeting import WORK, Surroundings, Workflows  # noqa: PLC0415

        surroundings = Surroundings(
            settings=self.settings,
            store=self.store,
            lake=self.lake,
            engine=self.engine,
            profiles=self.profiles,
            library=self.audiences.library,
            open_deliveries=lambda: self.deliveries,
            open_transport=self._open_transport,
            is_transport=lambda name: any(one.name == name for one in self.transports.list()),
        )
        return Workflows(surroundings, lambda workflows: Runs(self.settings, {WORK: workflows.work}))

    @cached_property
    def senders(self) -> Senders:
        """What messages are sent by."""
        from symbolon.messages import Senders  # noqa: PLC0415 - heavy

        return Senders(store=self.store, keys=self.keys, settings=self.settings)

    @cached_property
    def deliveries(self) -> Dispatcher:
        """What sends messages."""
        from symbolon.messages import Dispatcher  # noqa: PLC0415 - heavy

        return Dispatcher(
            lake=self.lake, engine=self.engine, profiles=self.profiles, senders=self.senders, settings=self.settings
        )

    @cached_property
    def conditions(self) -> Conditions:
        """Conditions over the profiles, as text and as trees of rules."""
        from symbolon.targeting import Conditions  # noqa: PLC0415 - heavy

        return Conditions(profiles=self.profiles, library=self.audiences.library)

    @cached_property
    def transports(self) -> Transports:
        """The places that files come from and go to."""
        from symbolon.sharing.transports import Transports  # noqa: PLC0415 - heavy

        return Transports(store=self.store, keys=self.keys, settings=self.settings)

    @cached_property
    def feeds(self) -> Feeds:
        """The files that are imported as they arrive."""
        from symbolon.technical import Feeds  # noqa: PLC0415 - heavy

        return Feeds(store=self.store, sources=self.sources, transports=self.transports)

    @cached_property
    def watcher(self) -> Watcher:
        """What looks after the feeds."""
        from symbolon.technical import Watcher  # noqa: PLC0415 - heavy

        return Watcher(
            settings=self.settings,
            store=self.store,
            lake=self.lake,
            sources=self.sources,
            transports=self.transports,
            audiences=self.audiences,
        )

    @cached_property
    def activations(self) -> Activations:
        """The audiences that are shared by themselves."""
        from symbolon.technical import Activations  # noqa: PLC0415 - heavy

        audiences = self.audiences
        return Activations(store=self.store, audiences=audiences, profiles=self.profiles, export=audiences.export)

    @cached_property
    def schedules(self) -> Schedules:
        """What begins the runs of scheduled workflows."""
        from symbolon.technical import Schedules  # noqa: PLC0415 - heavy

        return Schedules(store=self.store, workflows=self.workflows)

    @cached_property
    def health(self) -> Health:
        """How the technical workflows are doing."""
        from symbolon.technical import Health  # noqa: PLC0415 - heavy

        return Health(
            store=self.store, feeds=self.feeds, activations=self.activations, heartbeat=self.settings.locks_dir
        )

    @cached_property
    def replayer(self) -> Replayer:
        """What imports rejected records again."""
        from symbolon.technical import Replayer  # noqa: PLC0415 - heavy

        return Replayer(audiences=self.audiences, store=self.store, lake=self.lake)

    def worker(self) -> Worker:
        """Give what does all that is due."""
        from symbolon.technical import Worker  # noqa: PLC0415 - heavy

        return Worker(
            feeds=self.feeds,
            watcher=self.watcher,
            activations=self.activations,
            schedules=self.schedules,
            workflows=self.workflows,
            audiences=self.audiences,
            heartbeat=self.settings.locks_dir,
        )

    def _open_transport(self, name: str) -> Transport:
        return self.transports.open(name)

    def explain(self, value: str, source: str) -> Explanation:
        """Say which profile `value` is for data source `source`, by which rule, or why none."""
        from symbolon.matching import explain  # noqa: PLC0415

        defined = self.sources.show(source)
        spec = self.sources.spec(defined, as_address=defined.channel.is_address)
        return explain(value, defined, spec, profiles=self.profiles, engine=self.engine)

    def close(self) -> None:
        """Let go of the profiles, the engine and the store."""
        for name in ("workflows", "profiles", "engine", "store"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
