# ruff: noqa: INP001 - alembic loads it by its path; as a module it cannot be imported
"""Definitions, steps of runs, arrivals; what audiences and runs tell of workflows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from symbolon.store.sql.tables import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what is there gets the values it always meant."""
    # added in place: a table that SQLite copies would lose what refers to it, and count its ids anew
    op.add_column("audiences", sa.Column("dimension", sa.String(16), nullable=False, server_default="profile"))
    op.add_column("audiences", sa.Column("rule", sa.Text, nullable=False, server_default=""))
    op.add_column("audiences", sa.Column("description", sa.Text, nullable=False, server_default=""))
    op.add_column("audiences", sa.Column("workflow", sa.String(255), nullable=False, server_default=""))
    op.add_column("audiences", sa.Column("expires", Instant))
    op.add_column("audiences", sa.Column("counted", Instant))
    op.execute(sa.text("UPDATE audiences SET dimension = '' WHERE type = 'file'"))
    op.add_column("runs", sa.Column("workflow", sa.String(255), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("workflow_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("facts", sa.Text, nullable=False, server_default="{}"))
    op.create_index("ix_runs_workflow", "runs", ["workflow", "started"])
    op.create_table(
        "run_steps",
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("step", sa.String(128), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started", Instant),
        sa.Column("finished", Instant),
        sa.Column("error", sa.String(128), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "definitions",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_table(
        "arrivals",
        sa.Column("feed", sa.String(255), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("first_seen", Instant, nullable=False),
        sa.Column("changed", Instant, nullable=False),
    )
