"""`symbolon audience`: import, define, look at, compare, export, roll back. Six modules have its commands."""

from __future__ import annotations

from symbolon.cli import (
    audience_changes,
    audience_define,
    audience_diagnose,
    audience_export,
    audience_import,
    audience_reading,
)
from symbolon.cli.session import noun

app = noun()
for part in (
    audience_import,
    audience_reading,
    audience_diagnose,
    audience_define,
    audience_export,
    audience_changes,
):
    app.add_typer(part.app)
