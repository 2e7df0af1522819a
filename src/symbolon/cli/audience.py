"""`symbolon audience`: import, look at, compare, roll back. Its commands live in four modules, by what they do."""

from __future__ import annotations

from symbolon.cli import audience_changes, audience_diagnose, audience_import, audience_reading
from symbolon.cli.session import noun

app = noun()
for part in (audience_import, audience_reading, audience_diagnose, audience_changes):
    app.add_typer(part.app)
