"""`symbolon serve`: a worker that answers how it is doing."""

from __future__ import annotations

from typing import Annotated

import typer

from symbolon.cli.session import Session, command, noun
from symbolon.cli.worker import work

app = noun()


@command(app, "serve", json=False)
def serve(
    session: Session,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 = any free one.")] = 8765,
) -> None:
    """Do what `symbolon worker` does, and answer /health and /metrics over HTTP.

    $ symbolon serve --port 8765
    """
    from symbolon.technical.metrics import registry_of  # noqa: PLC0415 - heavy
    from symbolon.technical.page import Page  # noqa: PLC0415

    project = session.project
    registry = registry_of(store=project.store, feeds=project.feeds, health=project.health)
    page = Page(registry, project.health.items, host=host, port=port)
    page.start()
    session.screen.say(f"health: {page.url}/health, metrics: {page.url}/metrics")
    try:
        work(session, project.worker(), once=False)
    finally:
        page.close()
