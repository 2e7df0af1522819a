"""`symbolon workflow check|plan|run|preview|signal|restart`: what a workflow would do, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.errors import CommandError
from symbolon.cli.people import FormatOption, LimitOption, OutputOption, put, split_columns
from symbolon.cli.session import Session, command, noun
from symbolon.cli.workflow_shown import outline, plan_lines, public_plan, public_run, run_lines
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.targeting import Population

app = noun()

Which = Annotated[str, typer.Argument(metavar="FILE|NAME", help="A definition (.yaml, .json), or a saved workflow.")]
ParamOption = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter that the workflow declares.")
]


@command(app, "check")
def check(session: Session, which: Which, param: ParamOption = None) -> None:
    """Find every fault of a workflow, each with its place and its mend. Reads no rows.

    $ symbolon workflow check monthly.yaml
    """
    workflows = session.project.workflows
    workflow = workflows.find(which)
    workflows.check(workflow, _parameters(param) if param else None)
    if session.as_json:
        session.screen.json({"workflow": workflow.name, "activities": len(workflow.nodes), "faults": []})
        return
    session.screen.lines(outline(workflow))
    session.screen.say(f"{counted(len(workflow.nodes), 'activity', 'activities')}, no fault")
    session.next(["workflow", "plan", which])


@command(app, "plan")
def plan(
    session: Session,
    which: Which,
    param: ParamOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the statements that would be computed.")] = False,
) -> None:
    """Tell what a run would do: the people at each transition, what would be saved and shared. Writes nothing.

    $ symbolon workflow plan monthly.yaml
    $ symbolon workflow plan monthly.yaml --explain --json
    """
    workflows = session.project.workflows
    workflow = workflows.find(which)
    found = workflows.plan(workflow, _parameters(param), explain=explain, progress=session.progress())
    if session.as_json:
        session.screen.json(public_plan(found))
        return
    session.screen.lines(plan_lines(found))
    session.next(["workflow", "run", which])


@command(app, "run")
def run(
    session: Session,
    which: Which,
    param: ParamOption = None,
    background: Annotated[bool, typer.Option("--background", help="Hand it to a worker, and do not wait.")] = False,
) -> None:
    """Run a workflow to its end. It is kept under its name and version, and survives a crash.

    $ symbolon workflow run monthly.yaml
    $ symbolon workflow run monthly --param country=FR
    """
    workflows = session.project.workflows
    workflow = workflows.find(which)
    given = _parameters(param)
    if background:
        ended = workflows.submit(workflow, given)
    else:
        ended = workflows.run(workflow, given, progress=session.progress())
    _show_run(session, ended.id)


@command(app, "preview")
def preview(
    session: Session,
    which: Which,
    transition: Annotated[
        str,
        typer.Argument(metavar="ACTIVITY[.TRANSITION]", help="Where to look: an activity, or one transition of it."),
    ],
    param: ParamOption = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="A,B", help="Profile fields, or columns of the transition.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Only count.")] = False,
    fmt: FormatOption = None,
    output: OutputOption = None,
    limit: LimitOption = 20,
) -> None:
    """Look at the people of one transition, as they would be now. Writes nothing.

    $ symbolon workflow preview monthly.yaml subscribers --count
    $ symbolon workflow preview monthly.yaml split.test --columns external_id,email
    """
    activity, _, name = transition.partition(".")
    workflows = session.project.workflows
    workflow = workflows.find(which)

    given = _parameters(param)
    if count:
        rows = workflows.preview_count(workflow, activity, name, parameters=given)
        if session.as_json:
            session.screen.json({"activity": activity, "transition": name or "result", "rows": rows})
        else:
            session.screen.text(f"{rows:,}")
        return

    def look(population: Population) -> None:
        shown = session.project.audiences.library.shown(population, split_columns(columns))
        put(session, shown, fmt=fmt, output=output, limit=limit)

    workflows.preview(workflow, activity, name, parameters=given, read=look)


@command(app, "signal")
def signal(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A saved workflow.")],
    activity: Annotated[str, typer.Argument(metavar="ACTIVITY", help="Its external signal.")],
    param: ParamOption = None,
) -> None:
    """Send an external signal: to the run that waits for it, or begin one.

    $ symbolon workflow signal monthly ready --param country=FR
    """
    found = session.project.workflows.signal(name, activity, _parameters(param))
    if session.as_json:
        session.screen.json(public_run(found, []))
        return
    session.screen.say(
        f"run {found.id} has the signal" if found.state != "queued" else f"run {found.id} waits for a worker"
    )
    session.next(["run", "show", found.id])


@command(app, "restart")
def restart(
    session: Session,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run that has ended, or is paused.")],
    activity: Annotated[str, typer.Option("--from", metavar="ACTIVITY", help="Where to begin again.")],
) -> None:
    """Do an activity of a run, and all that follow it, again.

    $ symbolon workflow restart 20261123T101500-1a2b3c --from share
    """
    session.project.workflows.restart(run_id, activity, progress=session.progress())
    _show_run(session, run_id)


def _show_run(session: Session, run_id: str) -> None:
    workflows = session.project.workflows
    ended = workflows.show_run(run_id)
    steps = workflows.steps(run_id)
    if session.as_json:
        session.screen.json(public_run(ended, steps))
        return
    session.screen.lines(run_lines(ended, steps, interrupted=False))
    if ended.facts.get("awaits"):
        session.next(["run", "confirm", run_id], ["run", "cancel", run_id])
    else:
        session.next(["run", "show", run_id])


def _parameters(given: list[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in given or []:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise CommandError("`--param` takes NAME=VALUE", hint="--param country=FR")
        if name in found:
            raise CommandError(f"`--param {name}=...` is given twice", hint="take one out")
        found[name] = value
    return found
