"""Save audience: a population as an audience of the library, or shared with another solution.

Source: Adobe Campaign Standard, "Save audience": update (replace or complete), create or update, create unique, share.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pyarrow as pa
from msgspec import Meta

from symbolon.columns import empty_table
from symbolon.errors import UnknownNameError
from symbolon.records import AudienceType
from symbolon.targeting.activities._places import destination
from symbolon.targeting.activities._sources import source_of
from symbolon.targeting.activities._values import duration, moment
from symbolon.targeting.activity import COMPLEMENT, RESULT, Activity, Category, Context, Mode, Options, Outcome
from symbolon.targeting.population import PROFILE, UNKNOWN, Population
from symbolon.targeting.publishing import Content, SaveMode, SaveRequest, ShareMode, ShareRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHARE = "share"
_LACKING = pa.schema([("profile_id", pa.int64()), ("reason", pa.string())])
#: options that mean something only for sharing, and only for saving
_OF_SHARE = ("source", "segment", "to", "share_mode", "format", "max_shrink", "force")
_OF_SAVE = ("content", "description", "expires")


class SaveAudienceOptions(Options, frozen=True, kw_only=True):
    """Which audience, and what becomes of it."""

    audience: Annotated[
        str, Meta(description="Name of the audience; `share`: of the shared audience. `${parameter}` is filled in.")
    ]
    mode: Annotated[
        Literal["update", "create_or_update", "create_unique", "share"],
        Meta(
            description="`update` (it must be there), `create_or_update`, `create_unique` (a new one at each run, with "
            "date and time in its name), or `share` with another solution."
        ),
    ] = "create_or_update"
    content: Annotated[
        Content | None,
        Meta(description="`replace` (default): members that are not in the population leave. `complete`: they stay."),
    ] = None
    description: Annotated[str | None, Meta(description="What the audience is. Default: as it was.")] = None
    expires: Annotated[
        Any, Meta(description="When it is deleted by itself: a date, or a time from now, `30d`. Default: as it was.")
    ] = None
    source: Annotated[str, Meta(description="`share`: name of the data source whose IDs are shared.")] = ""
    segment: Annotated[str | int, Meta(description="`share`: id of the segment in the files.")] = ""
    to: Annotated[
        str,
        Meta(
            description="`share`: name of a transport, with a path below it; `outbox/...`; `s3://` or `sftp://`; or a "
            "folder. `${parameter}` is filled in below a transport, the outbox, a bucket or a server, and nowhere else."
        ),
    ] = ""
    share_mode: Annotated[
        ShareMode | None,
        Meta(
            description="`share`: `add` who is new; `sync` also removes whom we added and who is not in the population "
            "any more; `replace` sends everybody again. Default: add."
        ),
    ] = None
    format: Annotated[
        Literal["inbound", "csv", "parquet"] | None,
        Meta(description="`share`: files as an audience manager takes them in (`inbound`), `csv` or `parquet`."),
    ] = None
    max_shrink: Annotated[
        float | str | None,
        Meta(
            description="`share`: largest part of those shared before that may leave, `50%` or 0.5; all = `100%`. "
            "Default: 50%."
        ),
    ] = None
    force: Annotated[
        bool, Meta(description="`share`: share an empty population, or shrink more than `max_shrink`, all the same.")
    ] = False


def apply(options: SaveAudienceOptions, context: Context) -> Outcome:
    """Save or share the population, and give on exactly those who were."""
    inbound = context.inputs[0]
    name = context.text(options.audience, "audience").strip()
    is_share = options.mode == _SHARE
    known_now = not (context.mode is Mode.CHECK and "${" in options.audience)
    if known_now and (not name or len(name) > 200 or not name.isprintable()):
        context.fault("audience", "an audience needs a name of at most 200 signs", "audience: Newsletter")
    _foreign(options, context, _OF_SAVE if is_share else _OF_SHARE)
    if is_share:
        return _share(options, context, inbound, name)
    request = SaveRequest(
        audience=name,
        mode=SaveMode(options.mode),
        content=options.content or Content.REPLACE,
        description=options.description,
        expires=_expires(options, context),
        workflow=context.workflow,
        run_id=_run(context),
    )
    if inbound.dimension not in (PROFILE, UNKNOWN):
        context.fault("from", "IDs of a data source are no audience", "save the people, before `change_data_source`")
        return {RESULT: inbound}
    if request.mode is SaveMode.CREATE_UNIQUE and request.content is Content.COMPLETE:
        context.fault("content", "a new audience has no members that could stay", "content: replace")
    if context.mode is Mode.CHECK:
        if known_now:
            _check_target(request, context, inbound.dimension)
        return {RESULT: inbound}
    receipt = context.library.save(
        request,
        inbound.relation,
        dimension=inbound.dimension,
        directory=context.directory,
        plan=context.mode is Mode.PLAN,
    )
    _told(context, receipt.audience, receipt, receipt.warnings)
    return {RESULT: inbound}


def _share(options: SaveAudienceOptions, context: Context, inbound: Population, name: str) -> Outcome:
    nobody = Population(context.engine.relation(empty_table(_LACKING)))
    for option, example in (("source", "source: partner"), ("segment", "segment: 4711"), ("to", "to: partner/in")):
        if not str(getattr(options, option)).strip():
            context.fault("", f"`mode: share` needs `{option}`", example)
    shrink = _shrink(options, context)
    if context.mode is Mode.CHECK and options.source:
        source_of(context, options.source)
    place = destination(context, options.to, "to")
    segment = context.text(str(options.segment), "segment")
    if inbound.dimension != PROFILE:
        hint = "put a `reconciliation` in between" if inbound.dimension == UNKNOWN else "share the people themselves"
        context.fault("from", "only people are shared", hint)
    if context.mode is Mode.CHECK or inbound.dimension != PROFILE:
        return {RESULT: inbound, COMPLEMENT: nobody}
    request = ShareRequest(
        audience=name,
        source=options.source,
        segment=segment,
        to=place,
        mode=options.share_mode or ShareMode.ADD,
        format=options.format or "inbound",
        max_shrink=shrink,
        force=options.force,
        workflow=context.workflow,
        run_id=_run(context),
    )
    shared = context.library.share(
        request,
        inbound.relation.select("profile_id"),
        directory=context.directory,
        plan=context.mode is Mode.PLAN,
    )
    _told(context, name, shared.receipt, shared.receipt.warnings)
    # the columns that came along go on with those who were shared
    people = inbound.relation.semi_join(shared.people, "profile_id")
    return {RESULT: inbound.of(people), COMPLEMENT: Population(shared.complement)}


def _run(context: Context) -> str:
    return f"{context.run_id}/{context.activity}" if context.mode is Mode.RUN else ""


def _told(context: Context, name: str, receipt: Any, warnings: Sequence[str]) -> None:
    context.note(audience=name, receipt=msgspec.to_builtins(receipt))
    for text in warnings:
        context.warn(text)


def _foreign(options: SaveAudienceOptions, context: Context, names: Sequence[str]) -> None:
    """Fault options that belong to another mode."""
    empty = {field.name: field.default for field in msgspec.structs.fields(options)}
    for name in names:
        if getattr(options, name) != empty[name]:
            hint = "mode: update" if options.mode == _SHARE else "mode: share"
            context.fault(name, f"`mode: {options.mode}` has no `{name}`", hint)


def _expires(options: SaveAudienceOptions, context: Context) -> date | None:
    given = options.expires
    if given is None:
        return None
    length = duration(given) if isinstance(given, str) else None
    end = context.now + length if length else moment(given)
    if end is None:
        context.fault("expires", "this is no date and no length of time", "expires: 2026-12-31, or expires: 30d")
        return None
    if context.mode is Mode.CHECK and end < datetime.combine(context.now.date(), time.min, UTC):
        context.warn("the audience expires in the past: it is deleted soon after it is saved")
    return end.date()


def _shrink(options: SaveAudienceOptions, context: Context) -> float:
    given = 0.5 if options.max_shrink is None else options.max_shrink
    try:
        value = float(given.removesuffix("%")) / 100 if isinstance(given, str) and given.endswith("%") else float(given)
    except ValueError:
        value = -1.0
    if value >= 1 and not (isinstance(given, str) and given.endswith("%") and value == 1):
        # a bare 1 would be read as one percent by many
        context.fault(
            "max_shrink", "this is no part of a whole: percent have a `%`", "max_shrink: 50%, or 0.5; 100% = all"
        )
        return 0.5
    if not 0 <= value <= 1:
        context.fault("max_shrink", "this is no part of a whole", "max_shrink: 50%, or max_shrink: 0.5")
        return 0.5
    return value


def _check_target(request: SaveRequest, context: Context, dimension: str) -> None:
    """Fault an audience that cannot be completed with this population; one that is missing may come until the run."""
    if request.mode is SaveMode.CREATE_UNIQUE:
        return
    try:
        audience = context.library.audience(request.audience)
    except UnknownNameError as error:
        if request.mode is SaveMode.UPDATE:
            context.warn(f"{error.summary}: it must be there when the workflow runs, or use `mode: create_or_update`")
        return
    kind = AudienceType.LIST if dimension == PROFILE else AudienceType.FILE
    if request.content is Content.COMPLETE and (audience.type, audience.dimension) != (kind, dimension):
        what = "people" if dimension == PROFILE else "rows that nobody has reconciled"
        context.fault(
            "content",
            f"audience `{request.audience}` is a {audience.type} audience, and can't be completed with {what}",
            "content: replace, or another audience",
        )


ACTIVITY = Activity(
    name="save_audience",
    title="Save audience",
    summary="Saves a population as an audience, or shares it with another solution.",
    category=Category.TARGETING,
    options=SaveAudienceOptions,
    apply=apply,
    outputs=lambda options: [RESULT, COMPLEMENT] if options.mode == _SHARE else [RESULT],
    effect=True,
    example="""\
- id: share
  type: save_audience
  from: subscribers
  mode: share
  audience: Newsletter readers
  source: partner
  segment: '4711'
  to: partner/in
  share_mode: sync
""",
    notes="""\
| `mode` | the audience |
|---|---|
| `update` | must be there, else the run stops |
| `create_or_update` | is made where it is missing |
| `create_unique` | is a new one at each run; its name ends in date and time |
| `share` | belongs to another solution, and is not in the library |

With `content: replace` only the population stays, and `create_or_update` gives the audience the type and the dimension
of the population. With `content: complete` its members stay and the population is added; the run stops if type or
dimension differ, and the audience stays as it was.

People make a List audience, with the columns of the transition; rows that nobody has reconciled make a File audience.
The transition `result` has exactly those who were saved. A run that goes on after a crash saves nothing twice.

**Sharing** sends IDs of a data source, protected as it says, as files to a transport. `result` has exactly those whose
ID is shared now; `complement` has the others, `profile_id` and `reason`: `no_id`, `invalid_id`, or why policy withholds
them. `add` only adds; `sync` also removes whom we added before and who is not in the population any more; `replace`
sends everybody again. More than `max_shrink` of those shared before leaving, or an empty population, is refused without
`force`. The receipt with all counts stands in the history of the run. A plan tells the same counts and sends nothing.
""",
)
