"""Where a project lives and what it runs on, read from `symbolon.toml` and the environment.

The environment wins over the file, the file over the defaults. No secret is ever part of the settings: the key provider
reads the master key from where `master_key` says.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from symbolon.errors import DefinitionError, Location

if TYPE_CHECKING:
    from collections.abc import Mapping

#: the file that makes a folder a project
PROJECT_FILE = "symbolon.toml"


class ProjectMissing(DefinitionError):
    """The folder is not a Symbolon project: it has no `symbolon.toml`."""

    code = "project.missing"


class SettingsError(DefinitionError):
    """`symbolon.toml` cannot be read, or holds a key or a value that is not known."""

    code = "settings.invalid"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one project. Paths below `project` unless said otherwise."""

    #: the project folder, absolute
    project: Path
    #: the engine: `duckdb` (in process), or Spark: `local[2]`, `spark://host:7077`, `sc://host:15002`
    engine: str = "duckdb"
    #: further configuration of Spark, as its documentation names it (`"spark.executor.memory" = "4g"`)
    spark: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    #: the control store: a SQLAlchemy URL; empty = `symbolon.db` in the project folder
    store: str = ""
    #: where the master key is: empty = `keys/master.key` in the project (mode 0600), `env` = SYMBOLON_MASTER_KEY
    master_key: str = ""
    #: memory the engine may use before it spills to disk, in DuckDB's notation
    memory_limit: str = "2GB"
    #: threads of the engine and of reading; 0 = as many as there are cores
    threads: int = 0
    #: default region of telephone numbers without a country code, ISO 3166 (`FR`); empty = none
    region: str = ""

    def __repr__(self) -> str:
        """Show everything but the store's address and Spark's configuration, which may hold a password or a token."""
        return f"Settings(project={str(self.project)!r}, store={'***' if self.store else ''!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show Rich, whose tracebacks print local variables, no more than `repr` does: msgspec would show it all."""
        return [("project", str(self.project)), ("store", "***" if self.store else "")]

    @property
    def lake_dir(self) -> Path:
        """Where the rows live."""
        return self.project / "lake"

    @property
    def keys_dir(self) -> Path:
        """Where the master key lives by default; mode 0700."""
        return self.project / "keys"

    @property
    def locks_dir(self) -> Path:
        """Where operating-system locks are taken."""
        return self.project / "lake" / "locks"

    @property
    def store_url(self) -> str:
        """The store's URL with the default filled in."""
        return self.store or f"sqlite:///{self.project / 'symbolon.db'}"

    @property
    def thread_count(self) -> int:
        """Threads to use, at least one."""
        return self.threads or os.cpu_count() or 1


#: environment variable -> setting
ENVIRONMENT = {
    "SYMBOLON_ENGINE": "engine",
    "SYMBOLON_STORE": "store",
    "SYMBOLON_MEMORY_LIMIT": "memory_limit",
    "SYMBOLON_THREADS": "threads",
    "SYMBOLON_REGION": "region",
}


def find_project(given: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """Give the absolute folder a command works on: `--project`, else SYMBOLON_PROJECT, else the current folder."""
    environment = os.environ if environment is None else environment
    return Path(given or environment.get("SYMBOLON_PROJECT") or ".").expanduser().resolve()


def load_settings(project: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the project in `project`.

    Raises:
        ProjectMissing: there is no `symbolon.toml`.
        SettingsError: it is not TOML, or has a key or value that is not known.
    """
    environment = os.environ if environment is None else environment
    path = project / PROJECT_FILE
    if not path.is_file():
        raise ProjectMissing(
            f"`{project}` is not a Symbolon project: it has no {PROJECT_FILE}",
            hint="make one with `symbolon init`, or name it with --project or SYMBOLON_PROJECT",
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{PROJECT_FILE} is not valid TOML: {error}", where=Location(str(path))) from error
    # a fault of the file is told as the file's, even where a variable hides it
    settings = _converted(values, project, str(path))
    for name, setting in ENVIRONMENT.items():
        if environment.get(name):
            values[setting] = environment[name]
            settings = _converted(values, project, f"the environment variable {name}")
    return settings


def _converted(values: dict[str, Any], project: Path, source: str) -> Settings:
    try:
        return msgspec.convert({**values, "project": project}, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error), where=Location(source), hint="see docs/reference/settings.md") from error
