"""`symbolon doctor`: one line a check, PASS, WARN or FAIL, with the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.cli.checks import Check

app = noun()
_STYLES = {"PASS": "green", "WARN": "yellow", "FAIL": "bold red"}


@command(app, "doctor")
def doctor(
    session: Session,
    fix: Annotated[bool, typer.Option("--fix", help="Remove what killed runs left behind.")] = False,
) -> int:
    """Check the installation and the project: store, lake, keys, runs, disk.

    $ symbolon doctor
    $ symbolon doctor --fix --project shop

    Ends with 0 unless something fails; then with the code of the gravest failure.
    """
    from symbolon.cli.checks import examine  # noqa: PLC0415 - heavy

    checks = examine(session.path, fix=fix)
    failed = [check for check in checks if check.state == "FAIL"]
    if session.as_json:
        session.screen.json(
            {
                "ok": not failed,
                "failed": len(failed),
                "warned": sum(check.state == "WARN" for check in checks),
                "checks": checks,
            }
        )
    else:
        session.screen.lines(line for check in checks for line in _lines(check))
    return max((check.exit_code for check in failed), default=0)


def _lines(check: Check) -> list[Line]:
    lines = [Line(f"{check.state}  {check.name:<13} {check.detail}", _STYLES[check.state])]
    if check.mend:
        lines.append(Line(f"{'':<20}help: {check.mend}"))
    return lines
