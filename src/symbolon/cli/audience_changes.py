"""`symbolon audience refresh|replay|reconcile|rollback|delete`: new versions without a new file, and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.audience_import import next_after, show_receipts
from symbolon.cli.session import Session, command, noun
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.records import Receipt

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the audience.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Tell what would happen; write nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(app, "refresh")
def refresh(session: Session, name: Name, plan: PlanOption = False) -> None:
    """Match the IDs of an audience again, without a file: who was unknown joins when there is a profile now.

    $ symbolon audience refresh "Frequent flyers"
    """
    receipt = session.project.audiences.refresh(name, plan=plan, progress=session.progress())
    _done(session, receipt, plan=plan, addresses=session.project.audiences.show(name).type == "file")


@command(app, "replay")
def replay(session: Session, name: Name, plan: PlanOption = False) -> None:
    """Import the rejected records of an audience again, after the data source was mended. What was accepted stays.

    $ symbolon audience replay "Lounge guests" --plan
    """
    receipt = session.project.replayer.replay(name, plan=plan, progress=session.progress())
    _done(session, receipt, plan=plan, addresses=session.project.audiences.show(name).type == "file")


@command(app, "reconcile")
def reconcile(
    session: Session,
    name: Name,
    key: Annotated[str, typer.Option("--key", metavar="FIELD", help="The profile field that is compared: email …")],
    target: Annotated[
        str | None, typer.Option("--name", metavar="AUDIENCE", help="The List audience; default: NAME-profiles.")
    ] = None,
    create_profiles: Annotated[
        bool, typer.Option("--create-profiles", help="Make profiles of the addresses that nobody has.")
    ] = False,
    plan: PlanOption = False,
) -> None:
    """Make a List audience of profiles from a File audience of addresses.

    $ symbolon audience reconcile "Lounge guests, all" --key email --plan
    $ symbolon audience reconcile "Lounge guests, all" --key email --create-profiles
    """
    receipt = session.project.audiences.reconcile(
        name, key=key, target=target, create_profiles=create_profiles, plan=plan
    )
    _done(session, receipt, plan=plan)


@command(app, "rollback")
def rollback(
    session: Session,
    name: Name,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", min=1, help="Back to this one; default: the one before.")
    ] = None,
    yes: YesOption = False,
) -> None:
    """Publish the members of an older version again, as a new version. Nothing is lost.

    $ symbolon audience rollback "Flight searchers" --yes
    """
    audiences = session.project.audiences
    current = audiences.version(name)
    if version is None and current.version == 1:
        from symbolon.cli.errors import CommandError  # noqa: PLC0415

        raise CommandError(f"audience `{name}` has one version, and none to go back to", hint="")
    target = audiences.version(name, current.version - 1 if version is None else version)
    preview = (
        f"{name} is at version {current.version} ({counted(current.members, 'member')}); "
        f"version {target.version} of {target.created:%Y-%m-%d %H:%M} has {target.members:,}"
    )
    session.screen.say(preview)
    session.confirm(f"publish version {target.version} again, as version {current.version + 1}?", yes=yes)
    back = audiences.rollback(name, target.version)
    show_receipts(session, [back.receipt], plan=False, addresses=audiences.show(name).type == "file")
    session.next(["audience", "diff", name], ["audience", "versions", name])


@command(app, "delete")
def delete(session: Session, name: Name, yes: YesOption = False) -> None:
    """Delete an audience with all its versions and rows. Profiles stay.

    $ symbolon audience delete "Flight searchers" --yes
    """
    audience = session.project.audiences.show(name)
    versions = len(session.project.audiences.versions(name))
    session.screen.say(f"{name}: {counted(audience.members, 'member')}, {counted(versions, 'version')}; profiles stay")
    session.confirm(f"delete audience {name} with all its versions, for good?", yes=yes)
    session.project.audiences.delete(name)
    if session.as_json:
        session.screen.json({"deleted": name})
        return
    session.screen.text(f"audience {name} is deleted")


def _done(session: Session, receipt: Receipt, *, plan: bool, addresses: bool = False) -> None:
    show_receipts(session, [receipt], plan=plan, addresses=addresses)
    if plan:
        session.screen.say("the same command without --plan does it")
    else:
        session.next(*next_after(receipt))
