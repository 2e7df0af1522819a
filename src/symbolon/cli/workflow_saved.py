"""`symbolon workflow list|show|save|delete|activities`: the definitions that are kept, and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.workflow_shown import option_rows, outline
from symbolon.errors import UnknownNameError

if TYPE_CHECKING:
    from symbolon.targeting import Activity

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the workflow.")]


@command(app, "list")
def list_(session: Session) -> None:
    """List the saved workflows, with how their last run ended.

    $ symbolon workflow list
    """
    workflows = session.project.workflows
    rows = []
    for one in workflows.list():
        last = workflows.runs(workflow=one.name, limit=1)
        rows.append((one, last[0] if last else None))
    if session.as_json:
        session.screen.json(
            [
                {
                    "name": one.name,
                    "version": one.version,
                    "saved": one.created,
                    "last_run": last.id if last else None,
                    "last_state": last.state if last else None,
                }
                for one, last in rows
            ]
        )
        return
    if not rows:
        session.screen.say("there is no workflow yet")
        session.next(["workflow", "plan", "FILE"])
        return
    session.screen.table(
        ["name", "version", "saved", "last run", "state"],
        [[one.name, one.version, one.created, last and last.started, last and last.state] for one, last in rows],
    )


@command(app, "show")
def show(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A definition, or a saved workflow.")],
    version: Annotated[int | None, typer.Option("--version", metavar="N", min=1, help="Default: the newest.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Only the definition, as it was written.")] = False,
) -> None:
    """Show a workflow as an outline: its activities, and the transitions between them.

    $ symbolon workflow show monthly
    $ symbolon workflow show monthly --version 2 --text > monthly.yaml
    """
    workflow = session.project.workflows.find(which, version)
    if session.as_json:
        session.screen.json(workflow.values)
        return
    if text:
        session.screen.text(workflow.text)
        return
    session.screen.lines(outline(workflow))
    session.next(["workflow", "plan", which])


@command(app, "save")
def save(
    session: Session, file: Annotated[str, typer.Argument(metavar="FILE", help="A definition: YAML or JSON.")]
) -> None:
    """Check a workflow and keep it under its name, as its next version; workers run saved workflows by their schedule.

    $ symbolon workflow save monthly.yaml
    """
    workflows = session.project.workflows
    kept = workflows.save(workflows.find(file))
    if session.as_json:
        session.screen.json({"name": kept.name, "version": kept.version})
        return
    session.screen.say(f"workflow {kept.name} is saved as version {kept.version}")
    session.next(["workflow", "run", kept.name])


@command(app, "delete")
def delete(
    session: Session, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete a workflow with its versions. Its runs, and the audiences it saved, stay.

    $ symbolon workflow delete monthly --yes
    """
    versions = session.project.workflows.versions(name)
    session.confirm(f"delete workflow {name} with its {len(versions)} versions?", yes=yes)
    session.project.workflows.delete(name)
    if session.as_json:
        session.screen.json({"name": name, "deleted": True})
        return
    session.screen.say(f"workflow {name} is deleted")


@command(app, "activities", project=False)
def activities(
    session: Session,
    kind: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Tell all about one type.")] = None,
) -> None:
    """List what a workflow can be made of, or the options of one type of activity.

    $ symbolon workflow activities
    $ symbolon workflow activities segmentation
    """
    from symbolon.targeting import known  # noqa: PLC0415 - heavy

    kinds = known()
    if kind is None:
        if session.as_json:
            session.screen.json([_public(one) for one in kinds.values()])
            return
        session.screen.table(
            ["type", "category", "what it gives"], [[one.name, one.category, one.summary] for one in kinds.values()]
        )
        return
    if kind not in kinds:
        raise UnknownNameError.among("activity type", kind, kinds)
    one = kinds[kind]
    if session.as_json:
        session.screen.json(_public(one))
        return
    session.screen.lines([Line(f"{one.title}: {one.summary}", "bold"), Line()])
    session.screen.table(["option", "type", "default", "what it is"], option_rows(one))
    session.screen.lines([Line(), *(Line("  " + text) for text in one.example.splitlines())])


def _public(one: Activity) -> dict[str, Any]:
    names = ("option", "type", "default", "description")
    return {
        "type": one.name,
        "title": one.title,
        "summary": one.summary,
        "category": one.category,
        "inputs": str(one.inputs),
        "effect": one.effect,
        "options": [dict(zip(names, row, strict=True)) for row in option_rows(one)],
        "example": one.example,
    }
