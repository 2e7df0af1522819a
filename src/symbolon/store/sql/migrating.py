"""Makes the tables of a store, or brings them up to date, by the migrations inside this package.

Invariant: one transaction, under a lock. Two processes that migrate at once do it one after the other, and the second
finds it done; whatever fails leaves the tables as they were.
"""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from symbolon.store.sql.database import Database
from symbolon.store.sql.sqlstore import newer_release, read_revision

#: where the migrations are; a test adds those of a release to come
VERSIONS = [Path(__file__).parent / "migrations" / "versions"]


def migrate_url(url: str) -> None:
    """Bring the store at `url` up to date; see `symbolon.store.migrate`."""
    database = Database(url, create=True, migrates=True)
    try:
        with database.writing() as connection:
            database.flavour.lock_tables(connection)
            config = configuration()
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            found = read_revision(connection)
            if found and found not in known:
                raise newer_release(found)
            database.flavour.check_tables(connection, found)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            database.flavour.check_references(connection)
    finally:
        database.close()


def configuration() -> Config:
    """Give alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(str(path).replace("%", "%%") for path in VERSIONS))
    return config
