# ruff: noqa: INP001 - alembic loads it by its path; as a module it cannot be imported
"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from symbolon.store.sql.tables import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build them."""
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("protection", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("dpid", sa.BigInteger),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("encoding", sa.String(16), nullable=False),
        sa.Column("iv_prefixed", sa.Boolean, nullable=False),
        sa.Column("scheme", sa.String(64), nullable=False),
        sa.Column("region", sa.String(8), nullable=False),
        sa.Column("on_ambiguous", sa.String(16), nullable=False),
        sa.Column("timestamp", sa.String(16), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("terms_accepted_at", Instant),
        sa.Column("terms_accepted_by", sa.Text, nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("modified", Instant, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "source_keys",
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_table(
        "audiences",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id", ondelete="RESTRICT"), index=True),
        sa.Column("segment", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("modified", Instant, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audience_versions",
        sa.Column("audience_id", sa.Integer, sa.ForeignKey("audiences.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("rows_version", sa.Integer, nullable=False),
        sa.Column("rejects_version", sa.Integer),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("file_timestamp", sa.BigInteger),
        sa.Column("content_digest", sa.String(128), nullable=False),
        sa.Column("profiles_revision", sa.Integer, nullable=False),
        sa.Column("created", Instant, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("work", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", Instant, nullable=False),
        sa.Column("finished", Instant),
        sa.Column("error", sa.String(128), nullable=False),
        sa.Index("ix_runs_started", "started"),
    )
    op.create_table(
        "states",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("lake_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "sequences",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
