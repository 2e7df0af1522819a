"""`symbolon run`: runs of workflows, looked at and gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.session import Session, command, noun
from symbolon.cli.workflow_shown import public_run, run_lines

if TYPE_CHECKING:
    from symbolon.records import Run

app = noun()

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, as `symbolon run list` gives it.")]


@command(app, "list")
def list_(
    session: Session,
    workflow: Annotated[str, typer.Option("--workflow", metavar="NAME", help="Only runs of this workflow.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.", show_default=False)] = 40,
) -> None:
    """List the last runs of workflows, newest first. Changes nothing, whatever goes on beside it.

    $ symbolon run list --workflow monthly
    """
    workflows = session.project.workflows
    rows = [(one, workflows.is_interrupted(one)) for one in workflows.runs(workflow=workflow, limit=limit)]
    if session.as_json:
        session.screen.json([{**(public_run(one, []) or {}), "interrupted": lost} for one, lost in rows])
        return
    if not rows:
        session.screen.say("no workflow has run yet")
        session.next(["workflow", "run", "FILE"])
        return
    session.screen.table(
        ["run", "workflow", "version", "state", "started", "finished", "error"],
        [
            [
                one.id,
                one.workflow,
                one.workflow_version,
                "interrupted" if lost else one.state.value,
                one.started,
                one.finished,
                one.error,
            ]
            for one, lost in rows
        ],
    )


@command(app, "show")
def show(session: Session, run_id: RunId) -> None:
    """Show a run: its activities, the people at each transition, and what it stands at. Changes nothing.

    $ symbolon run show 20261123T101500000000-1a2b3c
    """
    workflows = session.project.workflows
    found = workflows.show_run(run_id)
    interrupted = workflows.is_interrupted(found)
    steps = workflows.steps(run_id)
    if session.as_json:
        session.screen.json({**(public_run(found, steps) or {}), "interrupted": interrupted})
        return
    session.screen.lines(run_lines(found, steps, interrupted=interrupted))
    next_of(session, found, interrupted=interrupted)


@command(app, "resume")
def resume(session: Session, run_id: RunId) -> None:
    """Go on with a run that is paused, stands at an error, or whose process died. What had ended is not done again.

    $ symbolon run resume 20261123T101500000000-1a2b3c
    """
    workflows = session.project.workflows
    workflows.resume(run_id, progress=session.progress())
    _shown(session, run_id)


@command(app, "confirm")
def confirm(session: Session, run_id: RunId) -> None:
    """Confirm what a run waits for somebody to confirm - messages to be sent - and go on with it.

    $ symbolon run show 20261123T101500000000-1a2b3c
    $ symbolon run confirm 20261123T101500000000-1a2b3c
    """
    session.project.workflows.confirm(run_id, progress=session.progress())
    _shown(session, run_id)


@command(app, "pause")
def pause(session: Session, run_id: RunId) -> None:
    """Let a run pause before its next activity.

    $ symbolon run pause 20261123T101500000000-1a2b3c
    """
    session.project.workflows.pause(run_id)
    _told(session, run_id, "pauses before its next activity")


@command(app, "cancel")
def cancel(session: Session, run_id: RunId) -> None:
    """Stop a run before its next activity. What it did already stays.

    $ symbolon run cancel 20261123T101500000000-1a2b3c
    """
    session.project.workflows.cancel(run_id)
    _told(session, run_id, "is stopped, or stops before its next activity")


def next_of(session: Session, run: Run, *, interrupted: bool = False) -> None:
    """Tell what can be done with a run that does not go on by itself."""
    if run.facts.get("awaits"):
        session.next(["run", "confirm", run.id], ["run", "cancel", run.id])
    elif interrupted or run.state == "paused":
        session.next(["run", "resume", run.id], ["run", "cancel", run.id])


def _told(session: Session, run_id: str, what: str) -> None:
    if session.as_json:
        session.screen.json(public_run(session.project.workflows.show_run(run_id), []))
        return
    session.screen.say(f"run {run_id} {what}")
    session.next(["run", "show", run_id])


def _shown(session: Session, run_id: str) -> None:
    workflows = session.project.workflows
    found, steps = workflows.show_run(run_id), workflows.steps(run_id)
    if session.as_json:
        session.screen.json(public_run(found, steps))
        return
    session.screen.lines(run_lines(found, steps, interrupted=False))
    next_of(session, found)
