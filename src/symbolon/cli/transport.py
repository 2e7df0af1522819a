"""`symbolon transport`: where files come from and go to, defined, tried out and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.screen import Line
from symbolon.cli.secretfile import secret_from
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.sharing.transports import DefinedTransport

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the transport.")]
OptionOption = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="K=V", help="An option of this kind, e.g. region=eu-west-3; may be repeated."),
]
KeyFileOption = Annotated[
    str | None, typer.Option("--key-file", metavar="FILE", help="SFTP: a file with the private key; `-` reads it.")
]
PassphraseFileOption = Annotated[
    str | None, typer.Option("--passphrase-file", metavar="FILE", help="SFTP: what opens the private key.")
]
PasswordFileOption = Annotated[
    str | None, typer.Option("--password-file", metavar="FILE", help="SFTP: a file with the password; `-` reads it.")
]
AccessKeyOption = Annotated[
    str | None, typer.Option("--access-key-id", metavar="ID", help="S3: default, the SDK's own chain.")
]
SecretFileOption = Annotated[
    str | None, typer.Option("--secret-file", metavar="FILE", help="S3: a file with the secret access key.")
]
HostKeyOption = Annotated[
    str | None,
    typer.Option("--host-key", metavar="KEY", help="SFTP: the server's public key, as `ssh-keyscan` writes it."),
]
AcceptOption = Annotated[bool, typer.Option("--accept-host-key", help="SFTP: pin the key that the server shows now.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(app, "add")
def add(
    session: Session,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="A folder, s3://bucket/prefix, sftp://user@host/folder.")],
    option: OptionOption = None,
    key_file: KeyFileOption = None,
    passphrase_file: PassphraseFileOption = None,
    password_file: PasswordFileOption = None,
    access_key_id: AccessKeyOption = None,
    secret_file: SecretFileOption = None,
    host_key: HostKeyOption = None,
    accept_host_key: AcceptOption = False,
) -> None:
    r"""Declare a place that files come from and go to. A secret is wrapped, and never shown again.

    $ symbolon transport add inbox ./inbox
    $ symbolon transport add partner sftp://audiences@sftp.partner.example/in --key-file partner.key
    $ symbolon transport add cloud s3://exchange/audiences --option region=eu-west-3 --option sse=AES256 \
        --access-key-id AKIA... --secret-file cloud.secret
    """
    secret = secret_from(
        key_file=key_file, passphrase_file=passphrase_file, password_file=password_file,
        access_key_id=access_key_id, secret_file=secret_file,
    )  # fmt: skip
    options = _options(option)
    if host_key is not None:
        options["host_key"] = host_key
    if "host_key" not in options and url.startswith("sftp://"):
        options["host_key"] = _learned(session, url, accept=accept_host_key)
    _saved(session, session.project.transports.add(name, url, options, secret), "added")


@command(app, "edit")
def edit(
    session: Session,
    name: Name,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="The new place.")] = None,
    option: OptionOption = None,
    key_file: KeyFileOption = None,
    passphrase_file: PassphraseFileOption = None,
    password_file: PasswordFileOption = None,
    access_key_id: AccessKeyOption = None,
    secret_file: SecretFileOption = None,
    host_key: HostKeyOption = None,
    accept_host_key: AcceptOption = False,
) -> None:
    """Change what is named; everything else stays. An option without a value is taken away.

    $ symbolon transport edit cloud --option region=
    $ symbolon transport edit partner --accept-host-key
    """
    secret = secret_from(
        key_file=key_file, passphrase_file=passphrase_file, password_file=password_file,
        access_key_id=access_key_id, secret_file=secret_file,
    )  # fmt: skip
    options = _options(option)
    if host_key is not None:
        options["host_key"] = host_key
    transports = session.project.transports
    if accept_host_key:
        options["host_key"] = _learned(session, url or transports.show(name).url, accept=True)
    if url is None and not options and not secret:
        from symbolon.cli.errors import CommandError  # noqa: PLC0415

        transports.show(name)
        raise CommandError(
            "nothing to change was named", hint="symbolon transport edit --help lists what can be changed"
        )
    _saved(session, transports.edit(name, url=url, options=options, secret=secret or None), "changed")


@command(app, "list")
def list_(session: Session) -> None:
    """List the transports.

    $ symbolon transport list --json
    """
    found = session.project.transports.list()
    if session.as_json:
        session.screen.json(found)
        return
    if not found:
        session.screen.say("there is no transport yet")
        session.next(["transport", "add", "--help"])
        return
    session.screen.table(
        ["name", "kind", "url", "version", "secret"],
        [[one.name, one.kind, one.url, one.version, ", ".join(one.secrets)] for one in found],
    )


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """Show a transport. Its secret is never shown; of a pinned host key, its fingerprint is.

    $ symbolon transport show partner
    """
    found = session.project.transports.show(name)
    if session.as_json:
        session.screen.json(found)
        return
    facts: list[tuple[str, object]] = [
        ("name", found.name),
        ("kind", found.kind),
        ("url", found.url),
        ("version", str(found.version)),
        ("since", found.created),
        ("secret", ", ".join(found.secrets)),
    ]
    facts += [(key, _option(key, value)) for key, value in sorted(found.options.items())]
    session.screen.facts(facts)


@command(app, "test")
def try_out(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="NAME|URL", help="A transport, `NAME/folder`, a URL or a folder.")],
) -> int:
    """List, write, read and delete a probe file, and say how to mend what fails.

    $ symbolon transport test partner
    $ symbolon transport test ./outbox

    Exits with 5 if a step fails.
    """
    probes = session.project.transports.test(which, base=Path.cwd())
    passed = all(probe.passed for probe in probes)
    if session.as_json:
        session.screen.json({"transport": which, "passed": passed, "probes": probes})
    else:
        for probe in probes:
            word = "PASS" if probe.passed else "FAIL"
            style = "" if probe.passed else "bold red"
            session.screen.lines([Line(f"{word}  {probe.step:<6}  {probe.detail}", style)])
            if probe.mend:
                session.screen.lines([Line(f"      help: {probe.mend}")])
    return 0 if passed else 5


@command(app, "delete")
def delete(session: Session, name: Name, yes: YesOption = False) -> None:
    """Delete a transport with its secret. Files that came and went by it stay where they are.

    $ symbolon transport delete partner --yes
    """
    found = session.project.transports.show(name)
    with_secret = " and its secret" if found.secrets else ""
    session.confirm(f"delete transport {name} ({found.kind}){with_secret}, for good?", yes=yes)
    session.project.transports.delete(name)
    if session.as_json:
        session.screen.json({"deleted": name})
        return
    session.screen.text(f"transport {name} is deleted")


def _options(given: list[str] | None) -> dict[str, str]:
    options: dict[str, str] = {}
    for one in given or ():
        name, is_given, value = one.partition("=")
        if not is_given or not name.strip():
            from symbolon.cli.errors import CommandError  # noqa: PLC0415

            # not repeated: it may be a secret in the wrong place
            raise CommandError("an --option is written NAME=VALUE", hint="for example --option region=eu-west-3")
        options[name.strip()] = value.strip()
    return options


def _learned(session: Session, url: str, *, accept: bool) -> str:
    """Ask the server for its key, show the fingerprint, and have it accepted by a person or by an option."""
    key, seen = session.project.transports.host_key(url)
    session.screen.say(f"the server shows the host key {key.split()[0]} {seen}")
    if not accept:
        from symbolon.cli.errors import ConfirmationNeeded  # noqa: PLC0415
        from symbolon.transports import HostKeyUnknown  # noqa: PLC0415 - heavy

        try:
            session.confirm("is this the fingerprint that the host's owner told you?", yes=False)
        except ConfirmationNeeded:
            raise HostKeyUnknown(
                f"the host key of the SFTP server is not known yet; it shows {key.split()[0]} {seen}",
                hint="compare the fingerprint with what the host's owner tells, then add --accept-host-key, "
                f"or --host-key '{key}'",
                details={"host_key": key, "fingerprint": seen},
            ) from None
    return key


def _saved(session: Session, found: DefinedTransport, what: str) -> None:
    if session.as_json:
        session.screen.json(found)
        return
    session.screen.text(f"transport {found.name} is {what}: {found.kind}, version {found.version}")
    session.next(["transport", "test", found.name])


def _option(name: str, value: str) -> Any:
    if name != "host_key":
        return value
    from symbolon.errors import SymbolonError  # noqa: PLC0415
    from symbolon.transports import fingerprint  # noqa: PLC0415 - heavy

    shown = []
    for one in value.replace(",", "\n").splitlines():
        try:
            shown.append(fingerprint(one))
        except SymbolonError:  # without the extra there are no fingerprints
            shown.append(one)
    return ", ".join(shown)
