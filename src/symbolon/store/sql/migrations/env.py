# ruff: noqa: INP001 - alembic loads it by its path; as a module it cannot be imported
"""What alembic runs: the migrations, on the connection and in the transaction of whoever called."""

from alembic import context

from symbolon.store.sql.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
context.run_migrations()
