"""`symbolon share`: the audiences that other solutions have from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from symbolon.cli.audience_changes import YesOption  # noqa: TC001 - typer reads the annotation
from symbolon.cli.session import Session, command, noun
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.sharing.standing import PendingDelivery

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the shared audience.")]


@command(app, "list")
def list_(session: Session) -> None:
    """List the shared audiences: whom each goes to, how many IDs the other side has, and a delivery that waits.

    $ symbolon share list
    """
    import msgspec  # noqa: PLC0415

    shares = session.project.shares.list()
    if session.as_json:
        session.screen.json(msgspec.to_builtins(shares))
        return
    if not shares:
        session.screen.say("nothing is shared yet")
        session.next(["audience", "export", "NAME", "--source", "NAME", "--segment", "ID", "--to", "PLACE", "--plan"])
        return
    session.screen.table(
        ["name", "source", "segment", "to", "version", "IDs", "not known", "waits since"],
        [
            [
                one.name, one.source, one.segment, one.to, str(one.version), f"{one.ids:,}",
                f"{one.unsure:,}" if one.unsure else "",
                f"{one.pending.begun:%Y-%m-%d %H:%M}" if one.pending else "",
            ]
            for one in shares
        ],
    )  # fmt: skip


@command(app, "discard")
def discard(session: Session, name: Name, yes: YesOption = False) -> None:
    """Give up a delivery whose place does not come back, so that the audience can be shared again, perhaps elsewhere.

    $ symbolon share discard vip --yes

    Nothing is sent, and nothing that the other side may have is forgotten: the next `--mode sync` adds again who is
    still wanted, and takes away who is not, whether or not the files had arrived.
    """
    import msgspec  # noqa: PLC0415

    shares = session.project.shares
    pending = shares.show(name).pending
    if pending is not None:
        session.screen.say(_question(name, pending))
        session.confirm(f"give up this delivery of {name}?", yes=yes)
    stands = shares.discard(name)
    if session.as_json:
        session.screen.json(msgspec.to_builtins(stands))
        return
    session.screen.text(
        f"{name}: the delivery is given up, version {stands.version} stands; "
        f"of {counted(stands.unsure, 'ID')} out of {stands.ids:,} it is not known whether the other side has them"
    )
    session.next(
        ["audience", "export", "AUDIENCE", "--source", stands.source, "--segment", stands.segment, "--to", "PLACE",
         "--mode", "sync", "--as", name, "--plan"]
    )  # fmt: skip


def _question(name: str, pending: PendingDelivery) -> str:
    gone = f" and takes {pending.removed:,} away" if pending.removed else ""
    return (
        f"{name}: a delivery of {pending.begun:%Y-%m-%d %H:%M} UTC to {pending.to} adds "
        f"{counted(pending.added, 'ID')}{gone}; {pending.file} and files after it may have arrived, wholly or in part"
    )
