"""`symbolon sender`: what messages are sent by, defined, tried out and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.screen import Line
from symbolon.cli.secretfile import read_secret
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.messages import Sender

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the sender.")]
KindOption = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="`folder` or `smtp`.")]
FolderOption = Annotated[
    str | None, typer.Option("--folder", metavar="PATH", help="folder: below outbox/messages/. Default: the name.")
]
HostOption = Annotated[str | None, typer.Option("--host", metavar="HOST", help="smtp: the server.")]
PortOption = Annotated[
    int | None, typer.Option("--port", metavar="N", help="smtp: default 587 (starttls), 465 (tls), 25 (none).")
]
SecurityOption = Annotated[
    str | None, typer.Option("--security", metavar="S", help="smtp: `starttls` (default), `tls` or `none`.")
]
UserOption = Annotated[str | None, typer.Option("--user", metavar="USER", help="smtp: who logs in.")]
PasswordFileOption = Annotated[
    str | None, typer.Option("--password-file", metavar="FILE", help="smtp: a file with the password; `-` reads it.")
]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", metavar="S", help="smtp: seconds to wait for an answer. Default: 30.")
]
CaFileOption = Annotated[
    str | None, typer.Option("--ca-file", metavar="FILE", help="smtp: certificate authorities of your own, PEM.")
]
PlainOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-plain/--no-allow-plain",
        help="smtp: let messages go to another machine without encryption.",
        show_default=False,
    ),
]
FromOption = Annotated[
    str | None, typer.Option("--from-address", metavar="ADDRESS", help="Whom messages are from by default.")
]
FromNameOption = Annotated[str | None, typer.Option("--from-name", metavar="TEXT", help="Their name by default.")]


@command(app, "add")
def add(
    session: Session,
    name: Name,
    kind: KindOption = "smtp",
    folder: FolderOption = None,
    host: HostOption = None,
    port: PortOption = None,
    security: SecurityOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    timeout: TimeoutOption = None,
    ca_file: CaFileOption = None,
    allow_plain: PlainOption = None,
    from_address: FromOption = None,
    from_name: FromNameOption = None,
) -> None:
    r"""Declare what messages are sent by. A password is wrapped, and never shown again.

    $ symbolon sender add mail --host smtp.harbour.example --user news --password-file mail.password \
        --from-address news@harbour.example
    $ symbolon sender add gateway --kind folder

    The folder `sandbox` needs no declaration: it takes the messages of whoever names no sender.
    """
    values = _values(
        kind=kind, folder=folder, host=host, port=port, security=security, user=user, timeout_s=timeout,
        ca_file=ca_file, allow_plain=allow_plain, from_address=from_address, from_name=from_name,
    )  # fmt: skip
    password = read_secret("--password-file", password_file) if password_file is not None else ""
    _saved(session, session.project.senders.add(name, values, password), "added")


@command(app, "edit")
def edit(
    session: Session,
    name: Name,
    kind: KindOption = None,
    folder: FolderOption = None,
    host: HostOption = None,
    port: PortOption = None,
    security: SecurityOption = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    timeout: TimeoutOption = None,
    ca_file: CaFileOption = None,
    allow_plain: PlainOption = None,
    from_address: FromOption = None,
    from_name: FromNameOption = None,
) -> None:
    """Change what is named; everything else stays. A password does not go along to another server.

    $ symbolon sender edit mail --security tls --password-file mail.password
    $ symbolon sender edit mail --from-name 'Harbour & Hale'
    """
    values = _values(
        kind=kind, folder=folder, host=host, port=port, security=security, user=user, timeout_s=timeout,
        ca_file=ca_file, allow_plain=allow_plain, from_address=from_address, from_name=from_name,
    )  # fmt: skip
    senders = session.project.senders
    if not values and password_file is None:
        from symbolon.cli.errors import CommandError  # noqa: PLC0415

        senders.show(name)
        raise CommandError("nothing to change was named", hint="symbolon sender edit --help lists what can be changed")
    password = read_secret("--password-file", password_file) if password_file is not None else None
    if values.get("user") == "" and password is None:
        password = ""  # who logs in no more needs none
    _saved(session, senders.edit(name, values, password), "changed")


@command(app, "list")
def list_(session: Session) -> None:
    """List the senders. The sandbox, which is always there, is not among them.

    $ symbolon sender list --json
    """
    found = session.project.senders.list()
    if session.as_json:
        session.screen.json(found)
        return
    if not found:
        session.screen.say("there is no sender yet; messages go to the sandbox, outbox/messages/sandbox/")
        session.next(["sender", "add", "--help"])
        return
    session.screen.table(
        ["name", "kind", "place", "security", "from", "version"],
        [
            [one.name, one.kind, _place(one), one.security if one.host else "", one.from_address, one.version]
            for one in found
        ],
    )


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """Show a sender. Its password is never shown.

    $ symbolon sender show mail
    """
    found = session.project.senders.show(name)
    if session.as_json:
        session.screen.json(found)
        return
    facts: list[tuple[str, object]] = [("name", found.name), ("kind", found.kind), ("place", _place(found))]
    if found.kind == "smtp":
        facts += [
            ("security", found.security + (" (plain is allowed)" if found.allow_plain else "")),
            ("user", found.user),
            ("password", "wrapped" if found.has_password else "none"),
            ("timeout", f"{found.timeout_s:g} s"),
            ("authorities", found.ca_file or "those of this machine"),
        ]
    facts += [("from", " ".join(part for part in (found.from_name, found.from_address) if part))]
    facts += [("version", str(found.version)), ("since", found.created)] if found.version else []
    session.screen.facts(facts)


@command(app, "test")
def try_out(
    session: Session,
    name: Name,
    to: Annotated[
        str, typer.Option("--to", metavar="ADDRESS", help="Really send one message there, if all steps pass.")
    ] = "",
    sms: Annotated[bool, typer.Option("--sms", help="An SMS rather than an e-mail, into a folder.")] = False,
) -> int:
    """Try a sender out: a folder is written to; a mail server is connected to, logged in to and asked for an answer.

    $ symbolon sender test mail
    $ symbolon sender test mail --to me@harbour.example

    Exits with 5 if a step fails.
    """
    from symbolon.records import Channel  # noqa: PLC0415

    channel = Channel.SMS if sms else Channel.EMAIL
    probes = session.project.senders.test(name, to=to, channel=channel)
    passed = all(probe.passed for probe in probes)
    if session.as_json:
        session.screen.json({"sender": name, "passed": passed, "probes": probes})
    else:
        for probe in probes:
            word = "PASS" if probe.passed else "FAIL"
            session.screen.lines([Line(f"{word}  {probe.step:<7}  {probe.detail}", "" if probe.passed else "bold red")])
            if probe.mend:
                session.screen.lines([Line(f"      help: {probe.mend}")])
    return 0 if passed else 5


@command(app, "delete")
def delete(
    session: Session,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a sender with its password. Messages that were sent to a folder stay there.

    $ symbolon sender delete mail --yes
    """
    found = session.project.senders.show(name)
    with_password = " and its password" if found.has_password else ""
    session.confirm(f"delete sender {name} ({found.kind}){with_password}, for good?", yes=yes)
    session.project.senders.delete(name)
    if session.as_json:
        session.screen.json({"deleted": name})
        return
    session.screen.text(f"sender {name} is deleted")


def _values(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _place(sender: Sender) -> str:
    if sender.kind == "folder":
        return f"outbox/messages/{sender.folder or sender.name}/"
    return f"{sender.host}:{sender.port}"


def _saved(session: Session, found: Sender, what: str) -> None:
    if session.as_json:
        session.screen.json(found)
        return
    session.screen.text(f"sender {found.name} is {what}: {found.kind}, version {found.version}")
    session.next(["sender", "test", found.name])
