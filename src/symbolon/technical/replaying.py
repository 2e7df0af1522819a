"""Rejected records, imported again: after a key, an encoding or a scheme was mended, without asking for the file again.

Invariant: only the rejected IDs are read again, as an incremental delivery on top of the current version; what was
accepted stays.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa

from symbolon.later import pc
from symbolon.sharing.errors import AudienceTypeError
from symbolon.sharing.request import ImportRequest
from symbolon.technical.errors import ArrivalUnknown

if TYPE_CHECKING:
    from pathlib import Path

    from symbolon.lake import Lake
    from symbolon.records import AudienceVersion, Progress, Receipt
    from symbolon.sharing import Audiences
    from symbolon.sharing.rows import Rows
    from symbolon.store import Store

#: reasons that a change of the data source may mend; a line that cannot be taken apart has no ID to be read again
REPLAYED = ("malformed_id", "bad_encoding", "decrypt_failed", "invalid_address")


class Replayer:
    """Imports rejected records again."""

    def __init__(self, *, audiences: Audiences, store: Store, lake: Lake) -> None:
        self._audiences = audiences
        self._store = store
        self._lake = lake

    def replay(self, name: str, *, plan: bool = False, progress: Progress | None = None) -> Receipt:
        """Import the rejected IDs of an audience's current version again.

        Args:
            name: the audience.
            plan: tell what would happen and write nothing.
            progress: told what goes on.

        Raises:
            AudienceTypeError: it does not come from segment files.
            ArrivalUnknown: no rejected record holds an ID that could be read again.
        """
        audience = self._audiences.show(name)
        if audience.source_id is None or not audience.segment:
            raise AudienceTypeError(
                f"audience `{name}` does not come from segment files: its rejected records cannot be replayed",
                hint="import its list again",
            )
        source = self._store.source_by_id(audience.source_id)
        version = self._audiences.version(name)
        with self._lake.attempt("replay") as directory:
            path = directory / f"S3_0_{source.dpid or 0}_iter_{_stamp(version, source.timestamp)}.sync"
            if not _written(self._audiences.rejects(name), path, audience.segment):
                raise ArrivalUnknown(
                    f"no rejected record of audience `{name}` holds an ID that could be read again",
                    hint=f"symbolon audience rejects {name}",
                )
            request = ImportRequest(
                paths=[path],
                label=path.name,
                source=source.name,
                name=name,
                segment=audience.segment,
                plan=plan,
                wait_s=0,
            )
            return self._audiences.import_(request, progress)[0]


def _stamp(version: AudienceVersion, unit: str) -> int:
    """Give a time just behind the last file, so that the next real one is not taken for older.

    Args:
        version: the last file's.
        unit: what the data source reads: `milliseconds`, or `seconds` (ten digits; more would be a split number).
    """
    last_ms = version.file_timestamp or int(time.time() * 1000)
    return -(-last_ms // 1000) if unit == "seconds" else last_ms + 1


def _written(rejected: Rows, path: Path, segment: str) -> int:
    """Write the rejected IDs as lines of a segment file; give their number."""
    count = 0
    path.touch(mode=0o600)
    with path.open("wb") as file:
        for batch in rejected.batches():
            ids = batch.column("id").filter(pc.is_in(batch.column("reason"), value_set=pa.array(REPLAYED)))
            one_word = pc.match_substring_regex(ids, r"\A[^\s,]+\z")
            ids = ids.filter(pc.fill_null(one_word, fill_value=False))
            lines = pc.binary_join_element_wise(ids, pa.scalar(f"{segment}\n"), " ")
            file.write("".join(lines.to_pylist()).encode())
            count += len(lines)
    return count
