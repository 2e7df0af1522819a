"""`symbolon audience create|edit|freeze|count|expire`: rules, and what a person may change of any audience."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.audience_changes import Name, PlanOption  # noqa: TC001 - typer reads the annotations
from symbolon.cli.errors import CommandError
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.records import Receipt

app = noun()

_NEVER = "never"


@command(app, "create")
def create(
    session: Session,
    name: Name,
    where: Annotated[
        str, typer.Option("--where", metavar="CONDITION", help="Who belongs to it: a condition on profiles.")
    ],
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What it is.")] = "",
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DATE", help="The day on which it is deleted by itself.")
    ] = None,
    plan: PlanOption = False,
) -> None:
    """Make a Query audience: a rule, evaluated at every use, so its members are always those of that moment.

    $ symbolon audience create "French readers" --where "country = 'FR' AND NOT opt_out_email" --plan
    $ symbolon audience create New --where "created >= add_days(now(), -30)" --expires 2099-12-31

    A List or a File audience comes from a workflow, a Shared audience from `symbolon audience import`.
    """
    day = None if expires in (None, _NEVER) else _day(expires)
    receipt = session.project.audiences.create(name, where, description=description, expires=day, plan=plan)
    _told(session, receipt, plan=plan, changes=False)


@command(app, "edit")
def edit(
    session: Session,
    name: Name,
    where: Annotated[
        str | None, typer.Option("--where", metavar="CONDITION", help="Another rule, of a Query audience.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is.")] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="DATE|never", help="The day on which it is deleted by itself."),
    ] = None,
    plan: PlanOption = False,
) -> None:
    """Change the rule of a Query audience, or the description and the expiry of any.

    $ symbolon audience edit "French readers" --where "country IN ('FR', 'BE')" --plan
    $ symbolon audience edit vip --expires 2099-12-31 --description "Invited by hand"

    Whatever names a Query audience sees another rule at its next use. The members of the other types are changed by
    what made them.
    """
    if where is None and description is None and expires is None:
        raise CommandError(
            "nothing is to be changed", hint="say what: --where CONDITION, --description TEXT, --expires DATE"
        )
    audiences = session.project.audiences
    receipt = audiences.edit(
        name,
        rule=where,
        description=description,
        expires=None if expires in (None, _NEVER) else _day(expires),
        never_expires=expires == _NEVER,
        plan=plan,
    )
    if receipt is not None:
        _told(session, receipt, plan=plan, changes=True)
    elif session.as_json:
        session.screen.json({**_facts(session, name), "plan": plan})
    else:
        session.screen.text(f"audience {name} would be changed" if plan else f"audience {name} is changed")
        session.next(["audience", "show", name])


@command(app, "freeze")
def freeze(
    session: Session,
    name: Name,
    target: Annotated[
        str | None, typer.Option("--to", metavar="LIST", help="The List audience; default: NAME-frozen.")
    ] = None,
    plan: PlanOption = False,
) -> None:
    """Keep the members that a Query audience has now, as a List audience.

    $ symbolon audience freeze "French readers" --to "French readers of May"

    Again under the same name makes its next version, so `audience diff` tells who came and who went.
    """
    receipt = session.project.audiences.freeze(name, target, plan=plan)
    _told(session, receipt, plan=plan, changes=True)


@command(app, "count")
def count(session: Session, name: Name) -> None:
    """Count the members of a Query audience anew, and note when.

    $ symbolon audience count "French readers"
    """
    members = session.project.audiences.count(name)
    if session.as_json:
        session.screen.json(_facts(session, name))
        return
    session.screen.text(f"{name}: {counted(members, 'member')}")


@command(app, "expire")
def expire(session: Session, plan: PlanOption = False) -> None:
    """Delete the audiences whose day has come, with all their versions. Profiles stay.

    $ symbolon audience expire --plan

    `symbolon worker` does it by itself.
    """
    audiences = session.project.audiences
    names = [one.name for one in audiences.expired()] if plan else audiences.expire()
    if session.as_json:
        session.screen.json({"deleted": names, "plan": plan})
        return
    for name in names:
        session.screen.text(f"audience {name} " + ("would be deleted" if plan else "is deleted"))
    if not names:
        session.screen.say("no audience has expired")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError("--expires takes a day, or never", hint=f"--expires 2099-12-31, or {_NEVER}") from None


def _told(session: Session, receipt: Receipt, *, plan: bool, changes: bool) -> None:
    if session.as_json:
        if plan:
            facts: dict[str, Any] = {"name": receipt.audience, "members": receipt.members}
        else:
            facts = _facts(session, receipt.audience)
        session.screen.json({**facts, "added": receipt.added, "removed": receipt.removed, "plan": plan})
        return
    lines = [Line("PLAN: nothing was written. This is what would happen:", "bold yellow")] if plan else []
    would = "would have" if plan else "has"
    lines.append(Line(f"{receipt.audience} {would} {counted(receipt.members, 'member')} now", "bold green"))
    if changes:
        lines.append(Line(f"  {receipt.added:,} join, {receipt.removed:,} leave"))
    session.screen.lines(lines)
    if plan:
        session.screen.say("the same command without --plan does it")
    else:
        session.next(["audience", "members", receipt.audience], ["audience", "show", receipt.audience])


def _facts(session: Session, name: str) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    fields = msgspec.to_builtins(session.project.store.audience(name))
    return {key: value for key, value in fields.items() if key not in ("id", "source_id", "segment")}
