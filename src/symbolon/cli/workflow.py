"""`symbolon workflow`: define, plan, run and look at targeting workflows. Its commands live in two modules."""

from __future__ import annotations

from symbolon.cli import workflow_running, workflow_saved
from symbolon.cli.session import noun

app = noun()
for part in (workflow_running, workflow_saved):
    app.add_typer(part.app)
