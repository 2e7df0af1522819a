"""Transfer file: files between a transport and the project's inbox and outbox.

Invariant: which files are meant is decided once, before the first one moves, and kept; so a transfer that goes on after
a crash ends with the same files, each of them once.

Source: Adobe Campaign Standard, "Transfer file": download, upload, test of existence, list; delete the source; the
event variables `fileName` and `filesCount`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
from msgspec import Meta

from symbolon.errors import Location
from symbolon.files import FileMissing
from symbolon.targeting.activities._places import WILD, check_transport, inside, matching, named, relative, split
from symbolon.targeting.activity import MAYBE_INPUT, RESULT, Activity, Category, Context, Mode, Options, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.transports.transport import Transport

MISSING = "missing"
#: names that the history shows
_SHOWN = 100
_FILES = pa.schema([("name", pa.string()), ("size", pa.int64()), ("fingerprint", pa.string())])


class Action(StrEnum):
    """What is done with the files."""

    DOWNLOAD = "download"  #: from the transport to the inbox
    UPLOAD = "upload"  #: from the outbox to the transport
    EXISTS = "exists"  #: are there such files on the transport?
    LIST = "list"  #: which files are there?
    DELETE = "delete"  #: removed from the transport


class TransferFileOptions(Options, frozen=True, kw_only=True):
    """Which files, and what is done with them."""

    action: Annotated[Action, Meta(description="`download`, `upload`, `exists`, `list` or `delete`.")]
    transport: Annotated[str, Meta(description="Name of a transport.")]
    file: Annotated[
        str,
        Meta(
            description="Path on the transport (`upload`: in the outbox). The last part may be a pattern, "
            "`in/*.csv.gz`. `${parameter}` is filled in."
        ),
    ]
    to: Annotated[
        str, Meta(description="Folder the files go to, in the inbox (`upload`: on the transport); empty = its root.")
    ] = ""
    delete_source: Annotated[
        bool, Meta(description="Whether files are removed where they came from, once they went.")
    ] = False
    missing: Annotated[
        str,
        Meta(
            description="If there is no such file: `ignore` goes on with none, `fail` stops. (`exists` takes the "
            "transition `missing`.)",
            pattern="^(ignore|fail)$",
        ),
    ] = "ignore"


def apply(options: TransferFileOptions, context: Context) -> Outcome:
    """Find the files, then move them one by one."""
    upload = options.action is Action.UPLOAD
    name = named(context, options.file, "file", "outbox" if upload else "transport")
    to = named(context, options.to, "to", "transport" if upload else "inbox") if options.to else ""
    _check(options, context)
    outputs = _outputs(options)
    if context.mode is Mode.CHECK or name is None or to is None:
        return dict.fromkeys(outputs)
    transport: Transport = context.open_transport(options.transport)
    found = _found(context, transport, name, upload=upload)
    if not found and options.action is not Action.EXISTS and options.missing == "fail":
        raise FileMissing("there is no such file", where=Location(name), hint="go on without: `missing: ignore`")
    if context.mode is Mode.RUN:
        for one in found:
            _moved(options, context, transport, one, to)
    names = [str(one["name"]) for one in found]
    context.note(
        fileName=names[-1] if names else None,
        filesCount=len(names),
        bytes=sum(int(one["size"]) for one in found),
        files=names[:_SHOWN],
    )
    if options.action is Action.EXISTS and not found:
        return {MISSING: None}
    return {RESULT: None}


def _found(context: Context, transport: Transport, name: str, *, upload: bool) -> list[dict[str, Any]]:
    """Give the files that are meant: those that were found first, also when it is done again."""
    if upload:
        listed = [
            {"name": shown, "size": path.stat().st_size, "fingerprint": ""}
            for shown, path in matching(_folder(context, "outbox"), name, "outbox")
        ]
    else:
        folder, last = split(name)
        wild = bool(WILD & set(last))
        remote = transport.list(folder, last) if wild else [one for one in [transport.stat(name)] if one is not None]
        # a name that the other side gives is not to be trusted more than one that a person gives
        listed = [
            {"name": relative(one.name, "transport"), "size": one.size_bytes, "fingerprint": one.fingerprint}
            for one in remote
        ]
    rows = context.keep(context.engine.relation(pa.Table.from_pylist(listed, schema=_FILES)), "files")
    found: list[dict[str, Any]] = context.engine.fetch(rows.order_by("name"), limit=None).to_pylist()
    return found


def _moved(options: TransferFileOptions, context: Context, transport: Transport, one: dict[str, Any], to: str) -> None:
    """Do what is to be done with one file; what was done before a crash is found done."""
    name = one["name"]
    target = f"{to}/{split(name)[1]}" if to else split(name)[1]
    if options.action is Action.DOWNLOAD:
        remote = transport.stat(name)
        path = inside(_folder(context, "inbox"), target, "inbox")
        if remote is None and path.exists():
            return  # it was fetched, and its source removed, before
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        transport.fetch(name, path, expected=remote)
        if options.delete_source:
            transport.delete(name)
    elif options.action is Action.UPLOAD:
        path = inside(_folder(context, "outbox"), name, "outbox")
        if not path.exists() and transport.stat(target) is not None:
            return
        transport.put(path, target, overwrite=True)
        if options.delete_source:
            path.unlink(missing_ok=True)
    elif options.action is Action.DELETE:
        transport.delete(name)


def _folder(context: Context, name: str) -> Path:
    return context.settings.project / name


def _outputs(options: TransferFileOptions) -> list[str]:
    return [RESULT, MISSING] if options.action is Action.EXISTS else [RESULT]


def _check(options: TransferFileOptions, context: Context) -> None:
    if WILD & set(split(options.file)[0]):
        context.fault("file", "only the last part of a path may have `*`, `?` or `[`", "file: in/*.csv.gz")
    if WILD & set(options.to):
        context.fault("to", "a folder has no `*`, `?` or `[`", "to: incoming")
    moves = options.action in (Action.DOWNLOAD, Action.UPLOAD)
    if options.to and not moves:
        context.fault("to", f"`{options.action}` moves no file", "action: download")
    if options.delete_source and not moves:
        context.fault("delete_source", f"`{options.action}` has no source to delete", "action: delete")
    check_transport(context, options.transport or " ")


ACTIVITY = Activity(
    name="transfer_file",
    title="Transfer file",
    summary="Fetches, sends, finds or removes files of a transport.",
    category=Category.DATA,
    options=TransferFileOptions,
    apply=apply,
    inputs=MAYBE_INPUT,
    outputs=_outputs,
    effect=True,
    example="""\
- id: fetch
  type: transfer_file
  action: download
  transport: partner
  file: out/orders_*.csv.gz
  delete_source: true
""",
    notes="""\
Files come to the inbox and leave from the outbox; nothing else of the machine is read or written, and a link that leads
out of them is refused. The transition has no population: `load_file` reads what was fetched. `exists` takes the
transition `result` if there is such a file, and `missing` if there is none.

Which files are meant is decided before the first one moves. Each appears whole under its name, and one of the same name
is replaced. Its source is deleted only then. A transfer that breaks off goes on where it stood when the run is resumed.
The history shows `fileName` (the last one), `filesCount`, the bytes, and up to a hundred names.

A plan lists the files and moves none.
""",
)
