"""DuckDB, in process: the default engine."""

from symbolon.lake.duckdb.engine import DuckDbEngine

__all__ = ["DuckDbEngine"]
