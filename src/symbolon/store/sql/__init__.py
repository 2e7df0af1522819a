"""The store in a SQL database: SQLite by default, PostgreSQL by a URL. The only room that knows SQLAlchemy."""

from symbolon.store.sql.sqlstore import SqlStore

__all__ = ["SqlStore"]
