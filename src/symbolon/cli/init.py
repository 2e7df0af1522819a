"""`symbolon init`: make a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbolon.cli.session import Session, command, noun

app = noun()


@command(app, "init", project=False)
def init(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made if it is missing.")] = Path(),
) -> None:
    """Make a project in a folder, or complete one that is there.

    $ symbolon init shop

    Nothing that exists is changed.
    """
    from symbolon.app import Project  # noqa: PLC0415 - heavy

    with Project.init(folder) as project:
        path = project.settings.project
    if session.as_json:
        session.screen.json({"project": str(path)})
        return
    session.screen.text(f"{path} is a project")
    where = [] if path == Path.cwd() else ["--project", str(folder)]
    session.next(["profiles", "import", "people.csv", *where], ["source", "add", "--help"])
