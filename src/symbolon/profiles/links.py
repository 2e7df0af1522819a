"""Visitor links: which browser was which profile's, and when it was last seen.

Source: Adobe Campaign links the visitor ID of a browser to a profile when a tracked link is clicked, and forgets it
with the tracking logs. Here a link is a row of its own and stays.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from symbolon import ids
from symbolon.lake import LayeredTable
from symbolon.later import pc
from symbolon.profiles.cells import typed
from symbolon.profiles.errors import FieldError, LinkColumnMissing
from symbolon.profiles.fields import MOMENT, field_name, is_address
from symbolon.profiles.staging import LINE, Staged, Stager, key_missing, missing, read
from symbolon.profiles.upsert import comparable
from symbolon.profiles.vocabulary import trim

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.files import TableBatch
    from symbolon.lake import Engine, Lake, WrittenFile
    from symbolon.records import Progress

#: a link: the two words of a visitor ID, the profile, and when the browser was last seen as its
SCHEMA = pa.schema([("d0", pa.int64()), ("d1", pa.int64()), ("profile_id", pa.int64()), ("last_seen", MOMENT)])
KEY = ("d0", "d1", "profile_id")
_STAGED = pa.schema([LINE, ("key", pa.string()), ("d0", pa.int64()), ("d1", pa.int64()), ("last_seen", MOMENT)])
_VISITOR_HEADERS = ("visitor_id", "visitorid", "ecid", "mid", "mcid", "mcmid", "experience_cloud_id")
_SEEN_HEADERS = ("last_seen", "lastseen", "seen", "timestamp")


def table(lake: Lake) -> LayeredTable:
    """Give the lake's table of links."""
    return LayeredTable(lake, "links/rows", SCHEMA, KEY)


def stage(path: Path, *, name: str | None, key: str, format: str | None, directory: Path, progress: Progress) -> Staged:  # noqa: A002
    """Stage the links of a file; a malformed visitor ID or a missing key is a rejected row."""
    stager = Stager(_STAGED, directory)
    now = datetime.now(UTC)
    for batch in read(path, name, format, progress):
        headers = {
            header.strip().lower().replace(" ", "_").replace("-", "_"): header for header in batch.table.schema.names
        }
        visitor = next((headers[known] for known in _VISITOR_HEADERS if known in headers), None)
        if visitor is None:
            raise LinkColumnMissing(
                "the file has no column with visitor IDs", hint="name it `visitor_id` (or `ecid`)",
                details={"columns": list(headers)},
            )  # fmt: skip
        seen = next((headers[known] for known in _SEEN_HEADERS if known in headers), None)
        others = [header for header in headers.values() if header not in (visitor, seen)]
        person = next((header for header in others if _means(header, key)), None)
        if person is None:
            raise key_missing(key, others)
        _add(stager, batch, visitor, (key, person), seen, now)
    return stager.close()


def _means(header: str, key: str) -> bool:
    try:
        return field_name(header) == key
    except FieldError:
        return False  # a column that is of no use here may have any name


def _add(
    stager: Stager, batch: TableBatch, visitor: str, key: tuple[str, str], seen: str | None, now: datetime
) -> None:
    raw = batch.table.column(visitor)
    if not (pa.types.is_binary(raw.type) or pa.types.is_large_binary(raw.type)):
        raw = raw.cast(pa.string())
    raw = pc.fill_null(raw.cast(pa.binary()), b"")
    words, reason = ids.visitor_words(raw)
    person, _ = typed(batch.table.column(key[1]), pa.string())
    count = batch.table.num_rows
    moments, bad = (pa.nulls(count, MOMENT), None) if seen is None else typed(batch.table.column(seen), MOMENT)
    cells = {
        "key": person,
        "d0": ids.column(words[0]),
        "d1": ids.column(words[1]),
        "last_seen": pc.fill_null(moments, pa.scalar(now, MOMENT)),
    }
    checks = {
        "malformed_id": reason != 0,
        "missing_key": missing(person, key[0]),
        "invalid_value": np.zeros(count, dtype=bool) if bad is None else bad,
    }
    stager.add(batch, cells, raw, checks)


def merge(
    engine: Engine, lake: Lake, staged: Staged, profiles: ibis.Table, key: str, version: int | None, directory: Path
) -> tuple[list[WrittenFile], int, ibis.Table, int]:
    """Write the links that are new or were seen again later.

    Returns:
        The files (in the stored schema), their layer (0 = base), `_line` and `_key` of the rows whose profile is
        unknown, and how many links are new.
    """
    incoming = engine.scan([str(file.path) for file in staged.files], _STAGED)
    incoming = incoming.mutate(_key=trim(incoming["key"]) if is_address(key) else incoming["key"])
    known = profiles.select("profile_id", _key=comparable(profiles, key).cast("string"))
    unknown = incoming.anti_join(known, "_key").select("_line", "_key")
    links = incoming.inner_join(known, "_key").group_by(list(KEY)).agg(last_seen=ibis._.last_seen.max())
    links = links.select(*SCHEMA.names)
    target = table(lake)
    if version is None:
        files = engine.write(target.layer(links, 0), directory, target.stored_schema, prefix="links")
        return files, 0, unknown, sum(file.rows for file in files)
    current = target.current(engine, version)
    before = current.select(*KEY, seen=current.last_seen)
    joined = links.left_join(before, list(KEY)).select(*SCHEMA.names, "seen")
    later = joined.filter(joined.seen.isnull() | (joined.last_seen > joined.seen)).select(*SCHEMA.names)
    seq = target.next_seq(version)
    files = engine.write(target.layer(later, seq), directory, target.stored_schema, prefix="links")
    return files, seq, unknown, engine.count(links.anti_join(before, list(KEY)))
