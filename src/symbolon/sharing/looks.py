"""What the files of a share look like: from what was asked for, checked, to what is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symbolon.sharing.errors import ExportOptionError
from symbolon.sharing.identifying import algorithm_of
from symbolon.sharing.shares import Look

if TYPE_CHECKING:
    from symbolon.records import DataSource
    from symbolon.targeting import ShareRequest

FORMATS = ("inbound", "csv", "parquet")
#: data sources of device IDs that belong to nobody who sends files: the trait's owner must be named beside them
#: (Audience Manager documentation, "Global data sources")
_GLOBAL = frozenset({20914, 20915, 121963, 389146, 963906, 488258, 1171485, 1171489})
_OPTIONS = ("gzip", "owner", "signal", "by_day")
_LONGEST_STEM = 80


def look_of(request: ShareRequest, source: DataSource) -> Look:
    """Give what the files of a request look like.

    Raises:
        ExportOptionError: the source has no number on the wire, the segment is none, or an option means nothing.
    """
    options = dict(request.options)
    faults = [fault for fault in _faults(request, source, options) if fault]
    if faults:
        raise ExportOptionError("; ".join(faults), hint=_hint(request, source), details={"faults": faults})
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{source.name}_{request.segment}").strip("-.")[:_LONGEST_STEM]
    return Look(
        format=request.format,
        segment=request.segment,
        mode=request.mode,
        stem=plain or "share",
        dpid=source.dpid or 0,
        owner=int(options["owner"]) if options.get("owner") else None,
        algorithm=algorithm_of(source),
        encoding=source.encoding,
        gzip=options.get("gzip") == "yes",
        signal=options.get("signal") == "yes",
        by_day=options.get("by_day") == "yes",
    )


def _faults(request: ShareRequest, source: DataSource, options: dict[str, str]) -> list[str]:
    inbound = request.format == "inbound"
    owner = options.get("owner", "")
    unknown = sorted(set(options) - set(_OPTIONS))
    flags = [name for name in ("gzip", "signal", "by_day") if options.get(name, "no") not in ("yes", "no")]
    return [
        "" if request.format in FORMATS else f"there is no format `{request.format}`: it is {', '.join(FORMATS)}",
        "" if 0 <= request.max_shrink <= 1 else "the largest part that may leave is between 0 and 1",
        f"there is no option {', '.join(unknown)}" if unknown else "",
        f"{', '.join(flags)} is `yes` or `no`" if flags else "",
        "" if request.segment.strip() and request.segment.isprintable() else "a segment has an id",
        f"data source `{source.name}` has no DPID, which is part of the name of an inbound file"
        if inbound and source.dpid is None
        else "",
        "the id of a segment in an inbound file is a number"
        if inbound and request.segment.strip() and not re.fullmatch(r"[0-9]{1,18}", request.segment)
        else "",
        "the owner of the segment is a number" if owner and not re.fullmatch(r"[1-9][0-9]{0,17}", owner) else "",
        f"DPID {source.dpid} is a global data source: the owner of the segment must be named"
        if inbound and source.dpid in _GLOBAL and not owner
        else "",
        "a signal cannot be taken away again: `signal` goes with `add`"
        if options.get("signal") == "yes" and request.mode != "add"
        else "",
        "Parquet files are compressed already" if request.format == "parquet" and options.get("gzip") == "yes" else "",
    ]


def _hint(request: ShareRequest, source: DataSource) -> str:
    if request.format == "inbound" and source.dpid is None:
        return f"symbolon source edit {source.name} --dpid N, or --format csv"
    return "symbolon audience export --help"
