"""What an import is asked to do."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - msgspec reads the annotation at run time

import msgspec

from symbolon.sharing.errors import OptionError


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One `audience import`."""

    #: the file, the parts of a split set, and their `.info`, in any order
    paths: list[Path]
    #: what to call the file in messages; empty = its path
    label: str = ""
    #: name of the data source
    source: str
    #: name of the audience; empty = from the source and the segment, or the list's file name
    name: str = ""
    #: the wanted segment; empty = the audience's own, or the only one of the file
    segment: str = ""
    #: make an audience of every segment
    all_segments: bool = False
    #: column of the ID in a list
    column: str | None = None
    #: how many rejected records are allowed: `100` or `1%`; None = any
    max_rejected: str | None = None
    #: encrypted addresses: only matched profiles become members; None = on where it means something
    force_reconciliation: bool | None = None
    #: tell what would happen and write nothing
    plan: bool = False
    #: import again what was imported before, or a file older than the last
    force: bool = False
    #: seconds without a new part after which a split set without `.info` is complete
    wait_s: float = 60.0

    def rejected_limit(self, received: int) -> int | None:
        """Give the number of rejected records that `max_rejected` allows among `received`.

        Raises:
            OptionError: it is neither a number nor a percentage.
        """
        text = self.max_rejected
        if text is None:
            return None
        try:
            if text.strip().endswith("%"):
                share = float(text.strip()[:-1])
                if 0 <= share <= 100:
                    return int(received * share / 100)
            elif (limit := int(text)) >= 0:
                return limit
        except ValueError:
            pass
        raise OptionError(
            f"--max-rejected is a number or a percentage, not `{text}`",
            hint="for example --max-rejected 100 or --max-rejected 1%",
        )
