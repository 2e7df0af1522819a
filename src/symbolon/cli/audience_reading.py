"""`symbolon audience list|show|versions|members|rejects|diff`: looking at audiences.

What the control records tell is read from the store alone: opening an engine would take ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbolon.cli.audience_import import next_after, public_receipt
from symbolon.cli.people import FormatOption, LimitOption, OutputOption, put, split_columns
from symbolon.cli.receipts import receipt_lines
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun

if TYPE_CHECKING:
    from symbolon.app import Project
    from symbolon.records import Audience, AudienceVersion

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the audience.")]
VersionOption = Annotated[int | None, typer.Option("--version", metavar="N", min=1, help="Default: the current one.")]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="A,B", help="Profile fields; rows are sorted by the first. Default: external_id,email."
    ),
]


@command(app, "list")
def list_(session: Session) -> None:
    """List the audiences.

    $ symbolon audience list
    """
    audiences = session.project.store.audiences()
    sources = _source_names(session.project)
    if session.as_json:
        session.screen.json([_public(one, sources) for one in audiences])
        return
    if not audiences:
        session.screen.say("there is no audience yet")
        session.next(["audience", "import", "FILE", "--source", "NAME", "--plan"])
        return
    session.screen.table(
        ["name", "type", "source", "segment", "version", "members", "modified"],
        [
            [one.name, one.type, sources.get(one.source_id), one.segment, one.version, one.members, one.modified]
            for one in audiences
        ],
    )


@command(app, "show")
def show(session: Session, name: Name, version: VersionOption = None) -> None:
    """Show an audience and the receipt of its current version, or of another.

    $ symbolon audience show "Frequent flyers" --version 2
    """
    store = session.project.store
    audience = store.audience(name)
    sources = _source_names(session.project)
    chosen = store.version(audience.id, version or audience.version) if version or audience.version else None
    if session.as_json:
        receipt = public_receipt(chosen.receipt, plan=False) if chosen else None
        session.screen.json({**_public(audience, sources), "receipt": receipt})
        return
    facts = [
        ("audience", audience.name),
        ("type", audience.type),
        ("source", sources.get(audience.source_id)),
        ("segment", audience.segment),
        ("version", audience.version),
        ("members", audience.members),
        ("modified", audience.modified),
    ]
    known = [
        ("description", audience.description),
        ("rule", audience.rule),
        ("counted", audience.counted),
        ("workflow", audience.workflow),
        ("expires", audience.expires),
    ]
    session.screen.facts([*facts, *((name, value) for name, value in known if value)])
    if audience.type == "query":
        session.screen.say("its members are those of the moment when it is used")
        session.next(["audience", "members", name], ["audience", "count", name], ["audience", "freeze", name])
    elif chosen is not None:
        session.screen.lines([Line(), Line(f"version {chosen.version}, by {chosen.origin}", "bold")])
        is_file = audience.type == "file" and audience.source_id is not None
        session.screen.lines(receipt_lines(chosen.receipt, bars=session.screen.is_terminal, addresses=is_file))
        session.next(*next_after(chosen.receipt))


@command(app, "versions")
def versions(session: Session, name: Name) -> None:
    """List the published versions of an audience, the newest first.

    $ symbolon audience versions "Frequent flyers"
    """
    audience = session.project.store.audience(name)
    found = session.project.store.versions(audience.id)
    if session.as_json:
        session.screen.json([_public_version(one) for one in found])
        return
    current = audience.version
    session.screen.table(
        ["version", "", "origin", "members", "added", "removed", "created", "file"],
        [
            [
                one.version,
                "current" if one.version == current else "",
                one.origin,
                one.members,
                one.receipt.added,
                one.receipt.removed,
                one.created,
                one.receipt.files[0] if one.receipt.files else "",
            ]
            for one in found
        ],
    )


@command(app, "members")
def members(
    session: Session,
    name: Name,
    columns: ColumnsOption = None,
    fmt: FormatOption = None,
    output: OutputOption = None,
    version: VersionOption = None,
    limit: LimitOption = None,
) -> None:
    """Give the members of an audience with fields of their profiles, sorted by the first column.

    $ symbolon audience members "Frequent flyers" --columns external_id,email --format csv
    $ symbolon audience members "Frequent flyers" --output flyers.parquet
    """
    rows = session.project.audiences.members(name, columns=split_columns(columns), version=version)
    put(session, rows, fmt=fmt, output=output, limit=limit)


@command(app, "rejects")
def rejects(
    session: Session,
    name: Name,
    reason: Annotated[str | None, typer.Option("--reason", metavar="R", help="Only this reason.")] = None,
    unmatched: Annotated[
        bool, typer.Option("--unmatched", help="The accepted IDs without a profile instead, and the withheld.")
    ] = False,
    fmt: FormatOption = None,
    output: OutputOption = None,
    version: VersionOption = None,
    limit: LimitOption = None,
) -> None:
    """Give the records that were rejected: file, line, reason, and the ID as it came.

    $ symbolon audience rejects "Frequent flyers" --reason malformed_id
    $ symbolon audience rejects "Frequent flyers" --unmatched --format csv
    """
    if reason is not None:
        _known_reason(reason, unmatched=unmatched)
    rows = session.project.audiences.rejects(name, version=version, reason=reason, unmatched=unmatched)
    put(session, rows, fmt=fmt, output=output, limit=limit)


@command(app, "diff")
def diff(
    session: Session,
    name: Name,
    before: Annotated[
        int | None, typer.Option("--from", metavar="N", min=0, help="The older version; default: the one before.")
    ] = None,
    after: Annotated[int | None, typer.Option("--to", metavar="N", min=1, help="Default: the current version.")] = None,
    columns: ColumnsOption = None,
    fmt: FormatOption = None,
    output: OutputOption = None,
    limit: LimitOption = None,
) -> None:
    """Give the members that joined or left between two versions.

    $ symbolon audience diff "Flight searchers"
    $ symbolon audience diff "Flight searchers" --from 1 --to 3 --format csv
    """
    rows = session.project.audiences.diff(name, before, after, columns=split_columns(columns))
    put(session, rows, fmt=fmt, output=output, limit=limit)


def _known_reason(reason: str, *, unmatched: bool) -> None:
    from symbolon.errors import UnknownNameError  # noqa: PLC0415
    from symbolon.records import REJECT_REASONS, UNMATCHED_REASONS  # noqa: PLC0415

    known = [*UNMATCHED_REASONS, "withheld"] if unmatched else [one for one in REJECT_REASONS if one]
    others = [*UNMATCHED_REASONS, "withheld"]
    if reason not in known:
        hint = "it is a reason of --unmatched" if reason in others else None
        raise UnknownNameError.among("reason", reason, known, hint=hint)


def _source_names(project: Project) -> dict[int | None, str]:
    return {source.id: source.name for source in project.store.sources()}


def _public(audience: Audience, sources: dict[int | None, str]) -> dict[str, Any]:
    """Give an audience for `--json`, with the name of its data source."""
    import msgspec  # noqa: PLC0415

    fields = msgspec.to_builtins(audience)
    fields.pop("source_id")
    return {**fields, "source": sources.get(audience.source_id)}


def _public_version(version: AudienceVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "origin": version.origin,
        "run_id": version.run_id,
        "members": version.members,
        "created": version.created,
        "receipt": public_receipt(version.receipt, plan=False),
    }
