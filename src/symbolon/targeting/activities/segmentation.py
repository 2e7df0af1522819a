"""Segmentation: a population taken apart into segments.

Invariant: without `overlap` every row goes into the first segment that it fits and that has room, or into the
complement; so the transitions are disjoint, and together they are what came in.

Source: Adobe Campaign Standard, "Segmentation": exclusive segments, limits (random, ordered, a number, a percentage),
overlap, segment code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import ibis
import msgspec
from msgspec import Meta

from symbolon.targeting.activities._flags import flagged
from symbolon.targeting.activities._lots import lots
from symbolon.targeting.activities._rows import checked_names, described, free, one_input, own_columns, sorted_by
from symbolon.targeting.activity import COMPLEMENT, Activity, Category, Context, Mode, Options, Outcome

if TYPE_CHECKING:
    from symbolon.targeting.population import Population

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PART = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
_RANDOM = "random"
_MOST = 50


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One segment."""

    name: Annotated[str, Meta(description="Name of its transition.")]
    where: Annotated[str, Meta(description="Condition; empty = all.")] = ""
    limit: Annotated[
        int | str | None, Meta(description="Most rows, `1000`, or a part of those who meet the condition, `10%`.")
    ] = None
    order: Annotated[
        str, Meta(description="Who goes in when there is a `limit`: `random`, or the first by an order.")
    ] = _RANDOM
    code: Annotated[str | None, Meta(description="Value of the column `segment_code`.")] = None


class SegmentationOptions(Options, frozen=True, kw_only=True):
    """The segments, and what they have to do with each other."""

    segments: Annotated[
        list[Segment],
        Meta(
            min_length=1,
            max_length=_MOST,
            description="Segments, the first one chooses first: `name`, and maybe `where`, `limit` (`1000`, `10%`), "
            "`order` (`random`, or `modified DESC`), `code`.",
        ),
    ]
    overlap: Annotated[bool, Meta(description="Whether a row may be in several segments.")] = False
    complement: Annotated[
        bool, Meta(description="Whether a transition `complement` has those who are in no segment.")
    ] = True
    code_column: Annotated[str, Meta(description="The column for segment codes, where a segment has one.")] = (
        "segment_code"
    )


@dataclass(frozen=True, slots=True)
class _Limit:
    """How many rows a segment has room for: a number, or a part of those who fit."""

    rows: int | None = None
    part: Fraction | None = None


def apply(options: SegmentationOptions, context: Context) -> Outcome:
    """Say of each row in which segments it is, and give each segment its rows."""
    inbound = one_input(context)
    segments = _checked(options, context, inbound)
    limits = [_limit(context, segment, place) for place, segment in enumerate(segments)]
    texts = [text for segment in segments for text in (segment.where, segment.order)]
    table = described(context, inbound, *texts)
    fits = [free(f"_fits_{place}", table) for place in range(len(segments))]
    rows = flagged(context, inbound, table, _conditions(segments, fits))
    if context.mode is not Mode.CHECK and any(limit and limit.part is not None for limit in limits):
        rows = context.keep(rows, "fitting")  # counted, and then ranked
    rows = _settled(options, context, inbound, rows, fits, limits)
    if context.mode is not Mode.CHECK and len(segments) + options.complement > 1:
        rows = context.keep(rows.select(*inbound.relation.columns, *fits), "segments")
    return _outcome(options, inbound, rows, segments, fits)


def _conditions(segments: list[Segment], fits: list[str]) -> dict[str, tuple[str, str]]:
    return {
        name: (segment.where, f"segments[{place}].where")
        for place, (name, segment) in enumerate(zip(fits, segments, strict=True))
    }


def _settled(
    options: SegmentationOptions,
    context: Context,
    inbound: Population,
    rows: ibis.Table,
    fits: list[str],
    limits: list[_Limit | None],
) -> ibis.Table:
    """Turn the flags from "fits" into "is in": one segment after the other takes its rows."""
    for place, (segment, name, limit) in enumerate(zip(options.segments, fits, limits, strict=True)):
        room = _room(context, rows, name, limit)
        is_in: Any = rows[name]
        if not options.overlap:
            for earlier in fits[:place]:
                is_in = is_in & ~rows[earlier]
        rows = rows.mutate(**{name: is_in})
        if room is not None:
            rank = free("_rank", rows)
            keys = _keys(context, segment, place, inbound, rows)
            window = ibis.window(group_by=[rows[name]], order_by=keys)
            rows = rows.mutate(**{rank: ibis.row_number().over(window)})
            rows = rows.mutate(**{name: rows[name] & (rows[rank] < room)}).drop(rank)
    return rows


def _keys(context: Context, segment: Segment, place: int, inbound: Population, rows: ibis.Table) -> list[ibis.Value]:
    if segment.order.strip().lower() == _RANDOM:
        return lots(context, inbound, rows, str(place))
    return sorted_by(context, segment.order, f"segments[{place}].order", inbound, rows)


def _room(context: Context, rows: ibis.Table, name: str, limit: _Limit | None) -> int | None:
    if limit is None or limit.part is None:
        return None if limit is None else limit.rows
    # of those who fit, also when an earlier segment took some: two halves are all
    return int(context.count(rows.filter(rows[name])) * limit.part)


def _outcome(
    options: SegmentationOptions, inbound: Population, rows: ibis.Table, segments: list[Segment], fits: list[str]
) -> Outcome:
    columns = [name for name in inbound.relation.columns if name != options.code_column]
    has_code = any(segment.code is not None for segment in segments)
    plain = inbound.relation.columns if not has_code else columns
    outcome: Outcome = {}
    for segment, name in zip(segments, fits, strict=True):
        chosen = rows.filter(rows[name])
        code: Any = ibis.literal(segment.code, "string") if segment.code is not None else ibis.null("string")
        extra = {options.code_column: code} if has_code else {}
        outcome[segment.name] = inbound.of(chosen.select(*plain, **extra))
    if options.complement:
        rest = rows.filter(~ibis.or_(*(rows[name] for name in fits)))
        outcome[COMPLEMENT] = inbound.of(rest.select(*inbound.relation.columns))
    return outcome


def _checked(options: SegmentationOptions, context: Context, inbound: Population) -> list[Segment]:
    """Fault names and orders that cannot be."""
    names: set[str] = {COMPLEMENT}
    for place, segment in enumerate(options.segments):
        path = f"segments[{place}]"
        if not _NAME.fullmatch(segment.name):
            hint = "a transition is named by a lower-case letter, then letters, digits or `_`"
            context.fault(f"{path}.name", "this can be no name of a transition", hint)
        elif segment.name in names:
            context.fault(f"{path}.name", f"another transition is called `{segment.name}`", "choose another name")
        names.add(segment.name)
        if segment.limit is None and segment.order.strip().lower() != _RANDOM:
            context.fault(f"{path}.order", "an order without a `limit` chooses nobody", "limit: 10%")
    if any(segment.code is not None for segment in options.segments):
        taken = list(inbound.relation.columns)
        checked_names(context, "code_column", [options.code_column], taken, own_columns(inbound))
    return options.segments


def _limit(context: Context, segment: Segment, place: int) -> _Limit | None:
    given = segment.limit
    if given is None:
        return None
    if isinstance(given, str):
        found = _PART.fullmatch(given.strip())
        part = Fraction(found[1]) / 100 if found else None
        if part is not None and part <= 1:
            return _Limit(part=part)
        given = int(given) if given.strip().isascii() and given.strip().isdigit() and len(given) < 19 else -1
    if given < 0:
        context.fault(f"segments[{place}].limit", "this is no number of rows and no part", "limit: 1000, or limit: 10%")
        return None
    return _Limit(rows=given)


ACTIVITY = Activity(
    name="segmentation",
    title="Segmentation",
    summary="Takes a population apart into segments, with limits by chance, by an order, or as a percentage.",
    category=Category.TARGETING,
    options=SegmentationOptions,
    apply=apply,
    outputs=lambda options: list(
        dict.fromkeys([*(segment.name for segment in options.segments), *([COMPLEMENT] * options.complement)])
    ),
    kept=True,
    example="""\
- id: split
  type: segmentation
  from: subscribers
  segments:
    - name: test
      limit: 10%
      code: A
    - name: france
      where: country = 'FR'
      limit: 1000
      order: modified DESC
""",
    notes="""\
Each segment is a transition of its own name; `complement` has the rest. Segments choose in the order in which they
stand: a row goes into the **first** segment whose condition it meets and that has room. With `overlap: true` each
segment chooses from all rows, and a row may be in several.

A **limit** is a number, or a percentage of the rows that meet the segment's condition, whether an earlier segment took
them or not, rounded down: two segments of 50 % share everybody, and an odd one is left for the complement. Who goes in
is drawn by chance (`order: random`, the default), others in each run, or stands first in an order; rows that are equal
in it follow their number. A run that goes on after a crash has the same segments.

A segment code becomes the column `segment_code`; a column of that name that came in is replaced.
""",
)
