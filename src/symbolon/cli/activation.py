"""`symbolon activation`: audiences that are shared by themselves when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from symbolon.cli.session import Session, command, noun
from symbolon.wording import counted

if TYPE_CHECKING:
    from symbolon.technical import Activation

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the activation.")]


@command(app, "add")
def add(
    session: Session,
    name: Name,
    audience: Annotated[str, typer.Argument(metavar="AUDIENCE", help="The audience: List, Shared or Query.")],
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The data source of its IDs.")],
    segment: Annotated[str, typer.Option("--segment", metavar="ID", help="Id of the segment in the files.")],
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help="A transport, a folder or a URL.")],
    mode: Annotated[Literal["add", "sync", "replace"], typer.Option("--mode", help="What changes there.")] = "sync",
    shared_as: Annotated[str, typer.Option("--as", metavar="NAME", help="Its name at the other side.")] = "",
    every: Annotated[float, typer.Option("--every", metavar="S", help="Seconds between two looks.")] = 60.0,
    always: Annotated[bool, typer.Option("--always", help="Each time, whether it changed or not.")] = False,
) -> None:
    """Have an audience shared whenever it changes.

    $ symbolon activation add to-partner Newsletter --source crm-email --segment 24 --to outbox/
    """
    from symbolon.targeting import ShareMode  # noqa: PLC0415 - heavy
    from symbolon.technical import Activation  # noqa: PLC0415

    activation = Activation(
        name=name,
        audience=audience,
        source=source,
        segment=segment,
        to=to,
        mode=ShareMode(mode),
        shared_as=shared_as,
        every_s=every,
        when="always" if always else "change",
    )
    session.project.activations.add(activation)
    _show(session, activation)
    session.next(["activation", "run", name], ["worker"])


@command(app, "list")
def list_(session: Session) -> None:
    """List the activations.

    $ symbolon activation list
    """
    import msgspec  # noqa: PLC0415

    activations = session.project.activations
    found = activations.list()
    if session.as_json:
        session.screen.json([{**msgspec.to_builtins(one), "last": activations.last(one.name)} for one in found])
        return
    if not found:
        session.screen.say("there is no activation yet")
        return
    session.screen.table(
        ["name", "audience", "source", "segment", "to", "mode"],
        [[one.name, one.audience, one.source, one.segment, one.to, one.mode.value] for one in found],
    )


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """Show an activation.

    $ symbolon activation show to-partner
    """
    _show(session, session.project.activations.show(name))


@command(app, "run")
def run(
    session: Session,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Share even if many leave, or nobody is left.")] = False,
) -> None:
    """Share the audience of an activation now.

    $ symbolon activation run to-partner
    """
    import msgspec  # noqa: PLC0415

    activations = session.project.activations
    receipt = activations.run(activations.show(name), force=yes)
    if session.as_json:
        session.screen.json(msgspec.to_builtins(receipt))
        return
    session.screen.say(f"{counted(receipt.shared, 'profile')} shared, {receipt.added:,} added")


@command(app, "delete")
def delete(
    session: Session, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Delete an activation. What was shared stays shared.

    $ symbolon activation delete to-partner --yes
    """
    session.project.activations.show(name)
    session.confirm(f"delete activation {name}?", yes=yes)
    session.project.activations.delete(name)
    if session.as_json:
        session.screen.json({"name": name, "deleted": True})
        return
    session.screen.say(f"activation {name} is deleted")


def _show(session: Session, activation: Activation) -> None:
    import msgspec  # noqa: PLC0415

    if session.as_json:
        session.screen.json(msgspec.to_builtins(activation))
        return
    session.screen.facts(
        [
            ("activation", activation.name),
            ("audience", activation.audience),
            ("source", activation.source),
            ("segment", activation.segment),
            ("to", activation.to),
            ("as", activation.shared_as),
            ("mode", activation.mode.value),
            ("when", "it changed" if activation.when == "change" else "each time"),
            ("looks every", f"{activation.every_s:g} s"),
        ]
    )
