"""The tables as this release knows them. Columns have the names of the records' fields.

Invariant: equal to what the migrations build (a test compares them), so a change here comes with a migration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect

#: the revision of the migrations that builds these tables
REVISION = "0002"
#: where the revision is kept: not `alembic_version`, so that a PostgreSQL database can be shared
VERSION_TABLE = "symbolon_version"


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps it without a zone, PostgreSQL with one; Python always sees UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn to UTC."""
        del dialect
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        del dialect
        if value is None:
            return None
        moment: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("key", String(64), nullable=False),
    Column("protection", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("dpid", BigInteger),
    Column("priority", Integer, nullable=False),
    Column("encoding", String(16), nullable=False),
    Column("iv_prefixed", Boolean, nullable=False),
    Column("scheme", String(64), nullable=False),
    Column("region", String(8), nullable=False),
    Column("on_ambiguous", String(16), nullable=False),
    Column("timestamp", String(16), nullable=False),
    Column("terms", Text, nullable=False),
    Column("terms_accepted_at", Instant),
    Column("terms_accepted_by", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice: wrapped keys are bound to it
)

source_keys = Table(
    "source_keys",
    metadata,
    Column("source_id", ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
)

audiences = Table(
    "audiences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("type", String(16), nullable=False),
    Column("source_id", ForeignKey("sources.id", ondelete="RESTRICT"), index=True),
    Column("segment", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("members", BigInteger, nullable=False),
    Column("created", Instant, nullable=False),
    Column("modified", Instant, nullable=False),
    Column("dimension", String(16), nullable=False, server_default="profile"),
    Column("rule", Text, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("workflow", String(255), nullable=False, server_default=""),
    Column("expires", Instant),
    Column("counted", Instant),
    sqlite_autoincrement=True,  # an id is never given twice: tables of the lake are named by it
)

audience_versions = Table(
    "audience_versions",
    metadata,
    Column("audience_id", ForeignKey("audiences.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(16), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("rows_version", Integer, nullable=False),
    Column("rejects_version", Integer),
    Column("members", BigInteger, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("file_timestamp", BigInteger),
    Column("content_digest", String(128), nullable=False),
    Column("profiles_revision", Integer, nullable=False),
    Column("created", Instant, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("work", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", Instant, nullable=False),
    Column("finished", Instant),
    Column("error", String(128), nullable=False),
    Column("workflow", String(255), nullable=False, server_default=""),
    Column("workflow_version", Integer, nullable=False, server_default="0"),
    Column("facts", Text, nullable=False, server_default="{}"),
    Index("ix_runs_started", "started"),
    Index("ix_runs_workflow", "workflow", "started"),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("step", String(128), primary_key=True),
    #: the order in which they were first begun
    Column("place", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", Instant),
    Column("finished", Instant),
    Column("error", String(128), nullable=False),
    Column("facts", Text, nullable=False),
)

definitions = Table(
    "definitions",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("secret", LargeBinary),
    Column("created", Instant, nullable=False),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("feed", String(255), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("facts", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("changed", Instant, nullable=False),
)

states = Table(
    "states",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("lake_version", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
)

sequences = Table(
    "sequences",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("next", BigInteger, nullable=False),
)
