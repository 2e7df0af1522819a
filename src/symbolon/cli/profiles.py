"""`symbolon profiles`: the people, their browsers, and their way in and out."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from symbolon.cli.people import FormatOption, LimitOption, OutputOption, put, split_columns
from symbolon.cli.receipts import rejected_lines
from symbolon.cli.screen import Line
from symbolon.cli.session import Session, command, noun
from symbolon.cli.spool import shown_name, spooled
from symbolon.cli.words import PROFILE_REJECTED
from symbolon.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from symbolon.app import Project

app = noun()

KeyOption = Annotated[str, typer.Option("--key", metavar="FIELD", help="The field that names a profile in the file.")]
ColumnsOption = Annotated[
    str | None, typer.Option("--columns", metavar="A,B", help="Fields; rows are sorted by the first. Default: all.")
]
FileFormatOption = Annotated[
    Literal["csv", "tsv", "ndjson", "parquet"] | None,
    typer.Option("--format", help="Default: what name and content say."),
]


@command(app, "import")
def import_(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, NDJSON, Parquet, or .gz; `-` reads a pipe.")],
    key: KeyOption = "external_id",
    fmt: FileFormatOption = None,
    max_rejected: Annotated[
        int | None, typer.Option("--max-rejected", metavar="N", min=0, help="Change nothing if more is rejected.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would happen; write nothing.")] = False,
) -> None:
    """Add and update profiles by a key. An absent column keeps, an empty cell clears.

    $ symbolon profiles import people.csv
    $ symbolon profiles import update.parquet --key email --plan
    """
    with spooled(session.project, [file], name="stdin") as paths:
        receipt = session.project.profiles.import_file(
            paths[0],
            name=shown_name(file),
            key=key,
            format=fmt,
            max_rejected=max_rejected,
            plan=plan,
            progress=session.progress(),
        )
    if session.as_json:
        session.screen.json({**_builtins(receipt), "plan": plan})
        return
    session.screen.lines(_receipt(_builtins(receipt), plan=plan, what="profile"))
    if plan:
        session.screen.say("the same command without --plan does it")
    else:
        more = [["profiles", "rejects"]] if receipt.rejected else []
        session.next(*more, ["profiles", "list", "--limit", "5"], ["source", "add", "--help"])


@command(app, "link")
def link(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Columns visitor_id, the key, and perhaps last_seen.")],
    key: KeyOption = "external_id",
) -> None:
    """Link visitor IDs to profiles: whose browser it is, and when it was last seen.

    $ symbolon profiles link visitor_links.csv
    """
    with spooled(session.project, [file], name="stdin") as paths:
        receipt = session.project.profiles.link_file(
            paths[0], name=shown_name(file), key=key, progress=session.progress()
        )
    if session.as_json:
        session.screen.json(_builtins(receipt))
        return
    session.screen.lines(_receipt(_builtins(receipt), plan=False, what="link"))
    more = [["profiles", "rejects"]] if receipt.rejected else []
    session.next(*more, ["source", "add", "web", "--kind", "visitor"])


@command(app, "show")
def show(
    session: Session,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its external id, or the value of --field.")],
    field: Annotated[str, typer.Option("--field", metavar="FIELD", help="The field that is searched.")] = "external_id",
) -> None:
    """Show one profile.

    $ symbolon profiles show HH00020007
    $ symbolon profiles show johndoe@example.com --field email
    """
    found = session.project.profiles.show(value, field)
    if found is None:
        from symbolon.cli.errors import ProfileMissing  # noqa: PLC0415

        raise ProfileMissing(f"no profile has this {field}", hint="symbolon profiles list --limit 5 shows some")
    if session.as_json:
        session.screen.json(found)
        return
    session.screen.facts([(name, ", ".join(one) if isinstance(one, list) else one) for name, one in found.items()])


@command(app, "rejects")
def rejects(session: Session, fmt: FormatOption = None, output: OutputOption = None, limit: LimitOption = None) -> None:
    """Give the rows that the last import did not take: line, reason, and the row as it came.

    $ symbolon profiles rejects --format csv
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    from symbolon.sharing import Rows  # noqa: PLC0415

    schema = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("row", pa.string())])

    def read() -> Iterator[pa.RecordBatch]:
        for batch in session.project.profiles.rejects():
            raw = [value.decode("utf-8", "backslashreplace") for value in batch.column("raw").to_pylist()]
            yield pa.record_batch(
                [batch.column("line"), batch.column("reason"), pa.array(raw, pa.string())], schema=schema
            )

    put(session, Rows(schema, read), fmt=fmt, output=output, limit=limit)


@command(app, "list")
def list_(
    session: Session,
    columns: ColumnsOption = None,
    fmt: FormatOption = None,
    output: OutputOption = None,
    limit: LimitOption = None,
) -> None:
    """List profiles.

    $ symbolon profiles list --columns external_id,country --limit 10
    """
    names = split_columns(columns) or ["external_id", "email", "first_name", "last_name", "country"]
    put(session, _rows(session.project, names), fmt=fmt, output=output, limit=limit)


@command(app, "export", json=False)
def export(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Written for you alone (mode 0600); `-` is the pipe.")],
    columns: ColumnsOption = None,
    fmt: FormatOption = None,
) -> None:
    """Write all profiles to a file: CSV, NDJSON or Parquet, by its name.

    $ symbolon profiles export people.parquet
    $ symbolon profiles export - --columns external_id,email | head
    """
    rows = _rows(session.project, split_columns(columns))
    output = None if str(file) == "-" else file
    put(session, rows, fmt=fmt or ("csv" if output is None else None), output=output, limit=None)


def _rows(project: Project, columns: list[str] | None) -> Any:
    """Give profiles as rows, sorted by the first column."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    from symbolon.errors import UnknownNameError  # noqa: PLC0415
    from symbolon.sharing import Rows  # noqa: PLC0415

    schema = project.profiles.schema()
    known = [name for name in schema.names if not name.startswith("_")]
    wanted = columns or known
    for name in wanted:
        if name not in known:
            raise UnknownNameError.among("column", name, known)
    fields = pa.schema([schema.field(name) for name in wanted])
    return Rows(fields, lambda: project.profiles.batches(wanted, order=wanted[0]))


def _stand(count: int, *, plan: bool) -> str:
    if plan:
        return "would be"
    return "is" if count == 1 else "are"


def _receipt(receipt: dict[str, Any], *, plan: bool, what: str) -> Iterator[Line]:
    if plan:
        yield Line("PLAN: nothing was written. This is what would happen:", "bold yellow")
    done = [f"{receipt[name]:,} {name}" for name in ("created", "updated", "unchanged") if name in receipt]
    total = next((receipt[name] for name in ("profiles", "links") if name in receipt), None)
    standing = "" if total is None else f"; {counted(int(total), what)} " + _stand(int(total), plan=plan) + " kept"
    yield Line(f"{receipt.get('file', '')}: {', '.join(done) or 'done'}{standing}", "bold green")
    received, accepted = int(receipt.get("received", 0)), int(receipt.get("accepted", 0))
    yield Line(f"  {counted(received, 'row')} received, {accepted:,} accepted, {received - accepted:,} rejected", "")
    yield from rejected_lines(receipt.get("rejected", {}), received, PROFILE_REJECTED)
    for warning in receipt.get("warnings", []):
        yield Line(f"  warning: {warning}", "yellow")
    yield Line(f"  {receipt.get('seconds', 0.0):.1f} s", "dim")


def _builtins(receipt: object) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    fields: dict[str, Any] = msgspec.to_builtins(receipt)
    return fields
