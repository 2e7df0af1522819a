"""What targeting needs of the audience library; `sharing` implements it, `app.py` wires it.

Invariant: publishing under a `run_id` that was published already changes nothing and gives the same answer, so a step
that is done again after a crash cannot publish twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - msgspec reads the annotation at run time
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    import ibis

    from symbolon.records import Audience, DataSource, Receipt


class SaveMode(StrEnum):
    """Which audience is saved to.

    Source: Adobe Campaign Standard, "Save audience".
    """

    UPDATE = "update"  #: one that exists
    CREATE_OR_UPDATE = "create_or_update"  #: made where it is missing; replacing takes the new type and dimension
    CREATE_UNIQUE = "create_unique"  #: a new one at each run, its name ends in date and time


class Content(StrEnum):
    """What becomes of the members it has."""

    REPLACE = "replace"  #: they leave, unless they are saved again
    COMPLETE = "complete"  #: they stay


class ShareMode(StrEnum):
    """What an export changes in the shared audience."""

    ADD = "add"  #: adds who is new; nobody leaves
    SYNC = "sync"  #: adds who is new, removes whom we added and who is not in the population any more
    REPLACE = "replace"  #: sends everybody again as the whole content, for those we name


class SaveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A List or File audience to be saved."""

    audience: str
    mode: SaveMode = SaveMode.CREATE_OR_UPDATE
    content: Content = Content.REPLACE
    description: str | None = None
    #: None = as it was
    expires: date | None = None
    #: name of the workflow
    workflow: str = ""
    #: `<run>/<activity>`; empty for a plan
    run_id: str = ""


class ShareRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A population to be shared through a data source."""

    #: name of the shared audience; what was shared is remembered under it
    audience: str
    source: str
    #: id of the segment (trait) in the files
    segment: str
    #: name of a transport (with a path below it), or a folder or URL
    to: str
    mode: ShareMode = ShareMode.ADD
    #: `inbound` (files of an audience manager), `csv` or `parquet`
    format: str = "inbound"
    #: largest part of those shared before that may leave without being asked, 0..1; 1 = any
    max_shrink: float = 0.5
    #: share an empty population, or shrink more than that, all the same
    force: bool = False
    #: how files look: `gzip`, `by_day` (below `date=YYYY-MM-DD/`), `signal` (`ic=`) are `yes` or `no`; `owner` is the
    #: number of the data source that owns the segment
    options: dict[str, str] = {}
    workflow: str = ""
    #: whose people these are: `audience NAME`; empty = those of the workflow
    population: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class ShareOutcome:
    """What came of sharing, as relations that live as long as the directory given does."""

    receipt: ExportReceipt
    #: profile_id                     exactly those whose ID is shared now
    people: ibis.Table
    #: profile_id, reason             those of the population who could not be shared
    complement: ibis.Table


class ExportReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everybody in a population that was to be shared.

    Invariant (`faults`): population = shared + withheld + without_id; files hold `added` + `removed` records
    (`replace`: `ids` records).
    """

    audience: str
    source: str
    segment: str
    to: str = ""
    mode: str = "add"
    format: str = "inbound"
    #: our own number of what was shared, from 1
    version: int = 0
    #: profiles in the population
    population: int = 0
    #: profiles whose ID is shared
    shared: int = 0
    #: profiles that policy keeps out, by reason
    withheld: dict[str, int] = {}
    #: profiles without a usable ID, by reason: `no_id`, `invalid_id`
    without_id: dict[str, int] = {}
    #: distinct IDs of those shared; several profiles may have one, a profile several browsers
    ids: int = 0
    added: int = 0
    #: None = cannot tell: nothing is known of what was shared before
    removed: int | None = 0
    kept: int = 0
    #: names of the files that were delivered, with records and bytes
    files: list[dict[str, object]] = []
    warnings: list[str] = []
    #: the same was shared before: nothing was sent
    unchanged: bool = False
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """Name every identity that does not hold; empty = it balances."""
        holds = self.population == self.shared + sum(self.withheld.values()) + sum(self.without_id.values())
        return [] if holds else ["population = shared + withheld + without_id"]


class Library(Protocol):
    """The audience library, as targeting sees it. A plan gives the same answers and writes nothing that counts."""

    def audience(self, name: str) -> Audience:
        """Give an audience.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        ...

    def source(self, name: str) -> DataSource:
        """Give a data source.

        Raises:
            UnknownNameError: nothing has this name; the nearest names are part of the message.
        """
        ...

    def rows(self, name: str) -> ibis.Table:
        """Give the current rows of a List, Shared or File audience.

        Shape: List: profile_id, further columns; Shared: profile_id; one row a member. File: the columns of the file.

        Raises:
            AudienceTypeError: a Query audience has no rows: its rule is evaluated by targeting.
        """
        ...

    def save(
        self, request: SaveRequest, relation: ibis.Table, *, dimension: str, directory: Path, plan: bool = False
    ) -> Receipt:
        """Save a population as a List (dimension `profile`) or File audience (dimension unknown).

        Raises:
            UnknownNameError: it is to be updated, and nothing has this name.
            AudienceTypeError: it is to be completed, and has another type or dimension; it stays as it was.
        """
        ...

    def share(self, request: ShareRequest, people: ibis.Table, *, directory: Path, plan: bool = False) -> ShareOutcome:
        """Share people (`profile_id`) through a data source.

        Raises:
            TermsNotAccepted: the source has terms that nobody accepted.
            ShrinkRefused: too many would leave, or the population is empty, and it is not forced.
        """
        ...

    def identified(self, source: str, people: ibis.Table, *, directory: Path) -> tuple[ibis.Table, ibis.Table]:
        """Give people (`profile_id`, further columns) their IDs of a data source, as they stand on the wire.

        Returns:
            Those who have some: profile_id, id, further columns, one row an ID; and those who have none, or are
            withheld: profile_id, reason.
        """
        ...
