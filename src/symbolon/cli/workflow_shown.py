"""Workflows, plans and runs as lines of text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbolon.cli.screen import Line, cell
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from symbolon.records import Run, RunStep
    from symbolon.targeting import Activity, Passed, Plan, Workflow

#: stands for the text of a parameter
_MASK = "***"
_STATES = {"done": "bold green", "failed": "bold red", "stopped": "bold red", "paused": "bold yellow"}


def outline(workflow: Workflow) -> Iterator[Line]:
    """Give a workflow as lines: each activity, what comes in, what goes out."""
    yield Line(workflow.name + (f": {workflow.description}" if workflow.description else ""), "bold")
    width = max(len(node.id) for node in workflow.nodes)
    kinds = max(len(node.kind.name) for node in workflow.nodes)
    for node in workflow.nodes:
        come = ", ".join(_short(str(source)) for source in node.sources)
        names = [name for name in node.outputs if name != "result"]
        leads = f" -> {', '.join(names)}" if names else ""
        label = f"  ({node.label})" if node.label else ""
        arrow = f"<- {come}" if come else ""
        yield Line(f"  {node.id:<{width}}  {node.kind.name:<{kinds}}  {arrow}{leads}{label}".rstrip())


def plan_lines(plan: Plan) -> Iterator[Line]:
    """Give a plan as lines: the people at each transition, and what would be done."""
    yield Line("PLAN: nothing was written. This is what a run would do now:", "bold yellow")
    rows = [(one.id, one.type, one.transitions, one.facts, one.skipped, one.sql) for one in plan.activities]
    width = max(len(name) for name, *_ in rows)
    kinds = max(len(kind) for _, kind, *_ in rows)
    for name, kind, transitions, facts, skipped, sql in rows:
        yield from _activity(name, kind, transitions, width, kinds, note="would be skipped" if skipped else "")
        yield from _facts(facts, would=True)
        for transition, statement in sql.items():
            yield Line(f"      {transition}:", "dim")
            for text in statement.splitlines():
                yield Line(f"        {text}", "dim")
    yield Line(f"  {plan.seconds:.1f} s, {counted(plan.statements, 'statement')}", "dim")


def run_lines(run: Run, steps: Sequence[RunStep], *, interrupted: bool) -> Iterator[Line]:
    """Give a run as lines: its state, its activities with their counts, and the error it stands at."""
    state = "interrupted" if interrupted else run.state.value
    took = f", {(run.finished - run.started).total_seconds():.1f} s" if run.finished else ""
    yield Line(f"{run.workflow} version {run.workflow_version}: {state}{took}", _STATES.get(state, "bold"))
    yield Line(f"  run {run.id}, begun {cell(run.started)}", "dim")
    width = max((len(step.step) for step in steps), default=0)
    for step in steps:
        transitions = list(step.facts.get("passed", {}).values())
        yield from _activity(step.step, step.state.value, transitions, width, 8, note=step.error)
        yield from _facts(step.facts.get("told", {}), would=False)
    if run.facts.get("awaits"):
        yield Line(f"  stands at {run.facts['at']}, until somebody confirms it: nothing was sent", "bold yellow")
    elif run.facts.get("at") and not steps_tell(steps):
        yield Line(f"  stands at {run.facts['at']}: {run.error}", "red")


def steps_tell(steps: Sequence[RunStep]) -> bool:
    """Say whether a step tells of an error already."""
    return any("error" in step.facts.get("told", {}) for step in steps)


def public_plan(plan: Plan) -> dict[str, Any]:
    """Give a plan as `--json` prints it."""
    import msgspec  # noqa: PLC0415

    public: dict[str, Any] = msgspec.to_builtins(plan)
    return public


def public_run(run: Run | None, steps: Sequence[RunStep]) -> dict[str, Any] | None:
    """Give a run as `--json` prints it."""
    import msgspec  # noqa: PLC0415

    if run is None:
        return None
    facts = {name: value for name, value in run.facts.items() if name not in ("restarts", "executions", "confirmed")}
    if "parameters" in facts:  # texts may hold an address
        facts["parameters"] = {
            name: _MASK if isinstance(value, str) else value for name, value in facts["parameters"].items()
        }
    return {
        "id": run.id,
        "workflow": run.workflow,
        "version": run.workflow_version,
        "state": run.state.value,
        "started": run.started,
        "finished": run.finished,
        "error": run.error or None,
        **msgspec.to_builtins(facts),
        "steps": [
            {
                "activity": step.step,
                "state": step.state.value,
                "attempt": step.attempt,
                "started": step.started,
                "finished": step.finished,
                "error": step.error or None,
                "transitions": list(step.facts.get("passed", {}).values()),
                "facts": step.facts.get("told", {}),
            }
            for step in steps
        ],
    }


def option_rows(kind: Activity) -> list[list[str]]:
    """Give the options of a type of activity: name, type, default, description."""
    from symbolon.targeting import options_of  # noqa: PLC0415 - heavy

    return [[one.name, one.type, one.default, one.description] for one in options_of(kind)]


def _activity(
    name: str, kind: str, transitions: Sequence[Any], width: int, kinds: int, *, note: str = ""
) -> Iterator[Line]:
    counts = [_count(one) for one in transitions]
    shown = "  ".join(text for text in counts if text) or note
    yield Line(f"  {name:<{width}}  {kind:<{kinds}}  {shown}".rstrip())


def _count(passed: Passed | dict[str, Any]) -> str:
    """Give the number of a transition, with its name where it is not the only usual one."""
    given = passed if isinstance(passed, dict) else {name: getattr(passed, name) for name in passed.__struct_fields__}
    if given.get("dimension") is None or given.get("rows") is None:
        return ""
    name = given["transition"]
    return f"{given['rows']:,}" if name == "result" else f"{name} {given['rows']:,}"


def _facts(facts: dict[str, Any], *, would: bool) -> Iterator[Line]:
    error = facts.get("error")
    if isinstance(error, dict):
        yield Line(f"      error[{error.get('code')}]: {error.get('summary')}", "red")
        if error.get("hint"):
            yield Line(f"      help: {error['hint']}", "red")
    receipt = facts.get("receipt")
    if isinstance(receipt, dict):
        yield from _receipt(receipt, would=would)
    told = {name: value for name, value in facts.items() if name not in ("error", "receipt", "warnings")}
    plain = {name: value for name, value in told.items() if isinstance(value, (int, float, str, bool))}
    if plain:
        yield Line("      " + ", ".join(f"{_words(name)}: {_shown(value)}" for name, value in plain.items()), "dim")
    for warning in dict.fromkeys([*facts.get("warnings", []), *(receipt or {}).get("warnings", [])]):
        yield Line(f"      warning: {warning}", "yellow")


def _receipt(receipt: dict[str, Any], *, would: bool) -> Iterator[Line]:
    if "channel" in receipt:
        yield from _delivered(receipt, would=would)
        return
    if "members" in receipt:
        verb = "would become" if would else "is now"
        text = f"{receipt['audience']} {verb} version {receipt['version']}: {counted(receipt['members'], 'member')}"
        yield Line(f"      {text}; {receipt.get('added', 0):,} join, {receipt.get('removed', 0):,} leave", "green")
        return
    verb = "would get" if would else "got"
    removed = receipt.get("removed")
    out = "cannot tell who leaves" if removed is None else f"{removed:,} out"
    text = f"{receipt.get('audience')} {verb} {receipt.get('added', 0):,} in, {out}, {receipt.get('kept', 0):,} kept"
    yield Line(f"      {text}; {counted(receipt.get('shared', 0), 'profile')} shared", "green")
    for reason, number in {**receipt.get("withheld", {}), **receipt.get("without_id", {})}.items():
        yield Line(f"      not shared: {number:,} {reason}", "dim")


def _delivered(receipt: dict[str, Any], *, would: bool) -> Iterator[Line]:
    sent, ready = receipt["sent"], receipt["ready"]
    by = f"by {receipt['sender']} ({receipt['channel']})"
    if ready and not sent:
        verb = "would be sent" if would else "ready to be sent"
        yield Line(f"      {counted(ready, 'message')} {verb} {by}", "green")
    else:
        yield Line(f"      {counted(sent, 'message')} sent {by}" + (f", {ready:,} not yet" if ready else ""), "green")
    for reason, number in {**receipt["withheld"], **receipt["refused"]}.items():
        yield Line(f"      not sent: {number:,} {reason}", "dim")
    if receipt["uncertain"]:
        yield Line(f"      nobody knows whether sent: {receipt['uncertain']:,} uncertain, not sent again", "yellow")


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(source: str) -> str:
    return source.removesuffix(".result")
