"""A migration as a release to come may bring: it rebuilds a table that others refer to, and fills a new column."""

from __future__ import annotations

import os
import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # without AUTOINCREMENT SQLite would give ids of removed sources again
    with op.batch_alter_table("sources", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("colour", sa.String(16), nullable=False, server_default="blue"))
        batch.alter_column("scheme", existing_type=sa.String(64), type_=sa.String(128), existing_nullable=False)
    op.create_table("colours", sa.Column("name", sa.String(16), primary_key=True))
    op.execute("INSERT INTO colours VALUES ('blue')")
    time.sleep(float(os.environ.get("TEST_MIGRATION_S", "0")))  # so that others surely come meanwhile
    if os.environ.get("TEST_MIGRATION_FAILS"):
        op.execute("INSERT INTO colours VALUES ('blue')")
