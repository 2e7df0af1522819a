"""How Spark is set up, and how its address is read and shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MEMORY = re.compile(r"(?i)^\s*(\d+(?:\.\d+)?)\s*(k|m|g|t)?i?b?\s*$")
#: what the results depend on: cannot be changed by the table [spark]
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # INT96, the default, breaks other readers
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.compression.codec": "snappy",
    "spark.sql.variable.substitute": "false",  # it replaces `${...}` in texts, also in those that people gave
}
#: how a classic context is set up unless the table [spark] says otherwise
DEFAULTS = {
    "spark.app.name": "symbolon",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",  # its log quotes the values that a statement fails on, on the executors too
    "spark.eventLog.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.hadoop.fs.permissions.umask-mode": "077",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def is_connect(url: str) -> bool:
    """Whether an engine's name is the address of a Connect server."""
    return url.startswith("sc://")


def shown(url: str) -> str:
    """Give an engine's name without what may be secret: parameters of a Connect server hold its token."""
    if not is_connect(url):
        return url
    parts = urlsplit(url)
    return f"sc://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"


def megabytes(limit: str) -> int:
    """Read a size in DuckDB's notation (`2GB`, `500MB`); 2048 if it cannot be read so."""
    found = _MEMORY.match(limit)
    if not found:
        return 2048
    factor = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}
    return int(float(found.group(1)) * factor.get((found.group(2) or "m").lower(), 1))
