"""`symbolon source`: data sources, defined, tested and accepted."""

from __future__ import annotations

import getpass
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from symbolon.cli.keyfile import key_and_iv
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.records import DataSource

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the data source.")]
KindOption = Annotated[
    Literal["declared", "visitor"] | None, typer.Option("--kind", help="What the IDs name: a person or a browser.")
]
KeyOption = Annotated[
    str | None, typer.Option("--key", metavar="FIELD", help="The profile field that is compared: email, mobile_phone …")
]
ProtectionOption = Annotated[
    Literal["plain", "md5", "sha1", "sha256", "sha384", "sha512", "aes-cbc"] | None,
    typer.Option("--protection", help="How the IDs are protected."),
]
ChannelOption = Annotated[
    Literal["email", "sms", "other"] | None, typer.Option("--channel", help="What an encrypted ID is an address of.")
]
DpidOption = Annotated[int | None, typer.Option("--dpid", metavar="N", help="Its number in file names.")]
PriorityOption = Annotated[int | None, typer.Option("--priority", metavar="N", help="The higher is tried first.")]
KeyFileOption = Annotated[
    str | None,
    typer.Option(
        "--key-hex-file", metavar="FILE", help="A file with the AES key: 32, 48 or 64 hex digits; `-` reads it."
    ),
]
IvOption = Annotated[
    str | None, typer.Option("--iv", metavar="HEX|prefixed", help="32 hex digits, or `prefixed`: in front of each ID.")
]
EncodingOption = Annotated[
    Literal["hex", "base64"] | None, typer.Option("--encoding", help="How digests and encrypted bytes are written.")
]
NormaliseOption = Annotated[
    str | None, typer.Option("--normalise", metavar="SCHEME", help="How values are written before they are hashed.")
]
AmbiguousOption = Annotated[
    Literal["all", "reject"] | None,
    typer.Option("--on-ambiguous", help="Who joins by an ID that several profiles have."),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="XX", help="Country of telephone numbers without a country code.")
]
TimestampOption = Annotated[
    Literal["milliseconds", "seconds"] | None, typer.Option("--timestamp", help="The unit of times in file names.")
]
TermsOption = Annotated[
    str | None,
    typer.Option("--terms", metavar="TEXT", help="Legal terms; nothing is imported before they are accepted."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

#: option -> (field, enumeration of symbolon.records that its value becomes)
_ENUMS = {
    "kind": "Kind",
    "protection": "Protection",
    "channel": "Channel",
    "encoding": "Encoding",
    "on_ambiguous": "OnAmbiguous",
}


@command(app, "add")
def add(
    session: Session,
    name: Name,
    kind: KindOption = None,
    key: KeyOption = None,
    protection: ProtectionOption = None,
    channel: ChannelOption = None,
    dpid: DpidOption = None,
    priority: PriorityOption = None,
    key_hex_file: KeyFileOption = None,
    iv: IvOption = None,
    encoding: EncodingOption = None,
    normalise: NormaliseOption = None,
    on_ambiguous: AmbiguousOption = None,
    region: RegionOption = None,
    timestamp: TimestampOption = None,
    terms: TermsOption = None,
) -> None:
    r"""Declare a data source: what its IDs are and how they are protected.

    $ symbolon source add crm-email --key email --protection sha256
    $ symbolon source add web --kind visitor --dpid 14016
    $ symbolon source add lounge --key email --protection aes-cbc --channel email \
        --key-hex-file lounge.key --iv 0123456789ABCDEFFEDCBA9876543210
    """
    from symbolon.records import DataSource  # noqa: PLC0415 - heavy

    secret = key_and_iv(key_hex_file, iv)
    fields = _fields(
        kind=kind, key=key, protection=protection, channel=channel, dpid=dpid, priority=priority, encoding=encoding,
        scheme=normalise, on_ambiguous=on_ambiguous, region=region, timestamp=timestamp, terms=terms,
        iv_prefixed=secret.prefixed,
    )  # fmt: skip
    saved = session.project.sources.add(DataSource(name=name, **fields), key=secret.key, iv=secret.iv)
    _saved(session, saved, "added")


@command(app, "edit")
def edit(
    session: Session,
    name: Name,
    kind: KindOption = None,
    key: KeyOption = None,
    protection: ProtectionOption = None,
    channel: ChannelOption = None,
    dpid: DpidOption = None,
    priority: PriorityOption = None,
    key_hex_file: KeyFileOption = None,
    iv: IvOption = None,
    encoding: EncodingOption = None,
    normalise: NormaliseOption = None,
    on_ambiguous: AmbiguousOption = None,
    region: RegionOption = None,
    timestamp: TimestampOption = None,
    terms: TermsOption = None,
) -> None:
    """Change what is named; everything else stays.

    $ symbolon source edit crm-email --on-ambiguous reject
    $ symbolon source edit lounge --key-hex-file new.key --iv prefixed

    A new key becomes the next version; changed terms have to be accepted again.
    """
    secret = key_and_iv(key_hex_file, iv)
    changes = _fields(
        kind=kind, key=key, protection=protection, channel=channel, dpid=dpid, priority=priority, encoding=encoding,
        scheme=normalise, on_ambiguous=on_ambiguous, region=region, timestamp=timestamp, terms=terms,
        iv_prefixed=secret.prefixed,
    )  # fmt: skip
    if not changes and secret.key is None and secret.iv is None:
        from symbolon.cli.errors import CommandError  # noqa: PLC0415

        session.project.store.source(name)
        raise CommandError("nothing to change was named", hint="symbolon source edit --help lists what can be changed")
    saved = session.project.sources.edit(name, changes, key=secret.key, iv=secret.iv)
    _saved(session, saved, "changed")


@command(app, "list")
def list_(session: Session) -> None:
    """List the data sources, the one that is tried first at the top.

    $ symbolon source list --json
    """
    # the control records alone: an engine, which `sources` needs to check definitions, takes ten times as long to open
    sources = sorted(session.project.store.sources(), key=lambda source: (-source.priority, source.id))
    if session.as_json:
        session.screen.json([_public(source) for source in sources])
        return
    headers = ["name", "kind", "key", "protection", "channel", "dpid", "priority", "terms"]
    rows = [
        [one.name, one.kind, one.key, one.protection, one.channel, _plain_number(one.dpid), one.priority, _terms(one)]
        for one in sources
    ]
    if rows:
        session.screen.table(headers, rows)
    else:
        session.screen.say("there is no data source yet")
        session.next(["source", "add", "--help"])


@command(app, "show")
def show(session: Session, name: Name) -> None:
    """Show a data source, and the match rate of its last imports. Its key is never shown.

    $ symbolon source show crm-email
    """
    from symbolon.cli.source_rates import public_rates, show_rates  # noqa: PLC0415 - heavy

    source = session.project.store.source(name)
    if session.as_json:
        session.screen.json({**_public(source), **public_rates(session.project.store, source)})
        return
    has_key = f"version {source.key_version}" if source.key_version else ""
    iv = ("in front of each ID" if source.iv_prefixed else "one for all IDs") if has_key else ""
    accepted = f"{source.terms_accepted_at:%Y-%m-%d} by {source.terms_accepted_by}" if source.terms_accepted_at else ""
    session.screen.facts(
        [
            ("name", source.name),
            ("kind", source.kind),
            ("reconciliation key", source.key),
            ("protection", source.protection),
            ("channel", source.channel),
            ("dpid", _plain_number(source.dpid)),
            ("priority", source.priority),
            ("encoding", source.encoding if has_key else ""),
            ("key", has_key),
            ("iv", iv),
            ("normalisation", source.scheme),
            ("region", source.region),
            ("on ambiguous", source.on_ambiguous),
            ("timestamp", source.timestamp),
            ("terms", source.terms),
            ("accepted", accepted or ("not yet" if source.terms else "")),
        ]
    )
    show_rates(session, source)


@command(app, "accept")
def accept(
    session: Session,
    name: Name,
    by: Annotated[str | None, typer.Option("--by", metavar="WHO", help="Default: the account you work under.")] = None,
) -> None:
    """Accept the terms of a data source, so that it can be imported.

    $ symbolon source accept crm-email --by "J. Privacy"
    """
    accepted = session.project.sources.accept(name, by or getpass.getuser())
    if session.as_json:
        session.screen.json(_public(accepted))
        return
    session.screen.text(f"the terms of {name} are accepted by {accepted.terms_accepted_by}")


@command(app, "test")
def try_out(
    session: Session,
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sample of what the sender delivers.")],
    segment: Annotated[str, typer.Option("--segment", metavar="CODE", help="Only this segment.")] = "",
    column: Annotated[str | None, typer.Option("--column", help="The column of the ID in a list.")] = None,
) -> None:
    """Try a data source on a sample, and say whether they fit. Writes nothing.

    $ symbolon source test crm-email sample.sync.gz
    """
    from symbolon.cli.trial import trial  # noqa: PLC0415 - heavy

    trial(session, name, file, segment=segment, column=column)


@command(app, "delete")
def delete(session: Session, name: Name, yes: YesOption = False) -> None:
    """Delete a data source and its keys. One that has audiences stays.

    $ symbolon source delete crm-email --yes
    """
    source = session.project.store.source(name)
    keys = f" and {source.key_version} version(s) of its key" if source.key_version else ""
    session.confirm(f"delete data source {name} ({source.kind}, {source.protection}){keys}, for good?", yes=yes)
    session.project.store.delete_source(name)
    if session.as_json:
        session.screen.json({"deleted": name})
        return
    session.screen.text(f"data source {name} is deleted")


def _fields(**given: Any) -> dict[str, Any]:
    """Give the fields that were named, with the enumerations that a data source is made of."""
    from symbolon import records  # noqa: PLC0415 - heavy

    fields = {field: value for field, value in given.items() if value is not None}
    return {
        field: getattr(records, _ENUMS[field])(value) if field in _ENUMS else value for field, value in fields.items()
    }


def _saved(session: Session, source: DataSource, what: str) -> None:
    if session.as_json:
        session.screen.json(_public(source))
        return
    key = f"{source.protection} {source.key}" if source.key else "visitor IDs"
    session.screen.text(f"data source {source.name} is {what}: {key}")
    if source.terms and source.terms_accepted_at is None:
        session.next(["source", "accept", source.name])
    else:
        session.next(["source", "test", source.name, "FILE"], ["audience", "import", "FILE", "--source", source.name])


def _public(source: DataSource) -> dict[str, Any]:
    """Give a data source for `--json`: its fields; key and IV are never among them."""
    import msgspec  # noqa: PLC0415

    public: dict[str, Any] = msgspec.to_builtins(source)
    return public


def _plain_number(number: int | None) -> str:
    return "" if number is None else str(number)


def _terms(source: DataSource) -> str:
    if not source.terms:
        return ""
    return "accepted" if source.terms_accepted_at else "wait to be accepted"
