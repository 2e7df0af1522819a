"""Makes the tables of a store, or brings them up to date, by the migrations inside this package.

Invariant: one transaction. Two processes that migrate at once do it one after the other, and the second finds it done.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from symbolon.store.errors import StoreCorrupt
from symbolon.store.sql.database import Database
from symbolon.store.sql.sqlstore import newer_release, read_revision


def migrate_url(url: str) -> None:
    """Bring the store at `url` up to date; see `symbolon.store.migrate`."""
    database = Database(url, create=True)
    try:
        with database.writing() as connection:
            config = configuration()
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            found = read_revision(connection)
            if found and found not in known:
                raise newer_release(found)
            if not found and sa.inspect(connection).get_table_names() and database.engine.dialect.name == "sqlite":
                raise StoreCorrupt("the file is a database, but no store of Symbolon")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def configuration() -> Config:
    """Give alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
